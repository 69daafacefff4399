// Nearest neighbours under cosine distance and the vote of their labels.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/cluster/points.h"

namespace harness {

// Which label wins a tied vote.
enum class VoteTie { smallest, largest, nearest };

// Indices of the min(k, n) points nearest to `query` [D] under cosine distance, nearest first; equal distances: earliest first.
// Points and query are L2-normalised rows, for which Euclidean order is cosine order; a row of zeros is at distance 1 from all.
std::vector<int64_t> nearest_points(const PointBlocks& points, std::span<const double> query, int64_t k);

// How many points lie within `radius` of `query` [D] (Euclidean, the end included; a row of zeros is at sqrt(2) from all).
// Points and query as above.
int64_t points_within(const PointBlocks& points, std::span<const double> query, double radius);

// Majority label among the min(k, n) nearest points; none where there are no points. labels: [n].
std::optional<int64_t> nearest_vote(const PointBlocks& points, std::span<const int64_t> labels, std::span<const double> query,
                                    int64_t k, VoteTie tie = VoteTie::smallest);

}  // namespace harness
