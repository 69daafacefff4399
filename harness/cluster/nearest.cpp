#include "harness/cluster/nearest.h"

#include <algorithm>
#include <limits>

#include "harness/cluster/distances.h"
#include "harness/core/error.h"

namespace harness {

namespace {

constexpr double kZeroRow = 2.0;  // squared Euclidean distance of unit vectors at cosine distance 1

// Unit rows lie within 2 of each other and a row of zeros within 1 of them: its distances are set to those of cosine
// distance 1.
void correct_zero_rows(const PointBlocks& points, std::span<const double> query, std::vector<double>& squared) {
  if (std::all_of(query.begin(), query.end(), [](double value) { return value == 0; })) {
    std::fill_n(squared.begin(), points.size(), kZeroRow);
  }
  for (const int64_t i : points.zeros()) squared[static_cast<size_t>(i)] = kZeroRow;
}

// [blocks * 8], infinite after the last point.
std::vector<double> squared_distances_to(const PointBlocks& points, std::span<const double> query) {
  MEDSBENCH_CHECK(static_cast<int64_t>(query.size()) == points.dimension(), "a query of {} numbers among points of {}",
                  query.size(), points.dimension());
  std::vector<double> squared(static_cast<size_t>(points.blocks() * kLanes));
  squared_distances(points.data(), points.blocks(), points.dimension(), query.data(), squared.data());
  correct_zero_rows(points, query, squared);
  return squared;
}

}  // namespace

int64_t points_within(const PointBlocks& points, std::span<const double> query, double radius) {
  const std::vector<double> squared = squared_distances_to(points, query);
  return std::count_if(squared.begin(), squared.begin() + points.size(),
                       [&](double value) { return value <= radius * radius; });
}

std::vector<int64_t> nearest_points(const PointBlocks& points, std::span<const double> query, int64_t k) {
  const int64_t count = std::min(k, points.size());
  const std::vector<double> squared = squared_distances_to(points, query);
  std::vector<int64_t> nearest;
  nearest.reserve(static_cast<size_t>(count) + 1);
  double bound =
      std::numeric_limits<double>::infinity();  // that of the last once there are enough; lanes without a point have it
  const auto offer = [&](int64_t i) {
    const double here = squared[static_cast<size_t>(i)];
    if (!(here < bound)) return;
    const auto place = std::upper_bound(nearest.begin(), nearest.end(), here,
                                        [&](double value, int64_t j) { return value < squared[static_cast<size_t>(j)]; });
    nearest.insert(place, i);
    if (static_cast<int64_t>(nearest.size()) > count) nearest.pop_back();
    if (static_cast<int64_t>(nearest.size()) == count) bound = squared[static_cast<size_t>(nearest.back())];
  };
  for (int64_t block = 0; count > 0; ++block) {
    block = next_block_below(squared.data(), block, points.blocks(), bound);
    if (block == points.blocks()) break;
    for (int64_t lane = 0; lane < kLanes; ++lane) offer(block * kLanes + lane);
  }
  return nearest;
}

std::optional<int64_t> nearest_vote(const PointBlocks& points, std::span<const int64_t> labels, std::span<const double> query,
                                    int64_t k, VoteTie tie) {
  if (points.size() == 0) return std::nullopt;
  const std::vector<int64_t> nearest = nearest_points(points, query, k);
  std::optional<int64_t> winner;
  int64_t winner_votes = 0;
  for (const int64_t i : nearest) {
    const int64_t label = labels[static_cast<size_t>(i)];
    const int64_t votes =
        std::count_if(nearest.begin(), nearest.end(), [&](int64_t j) { return labels[static_cast<size_t>(j)] == label; });
    const bool wins_tie = votes == winner_votes &&
                          ((tie == VoteTie::smallest && label < *winner) || (tie == VoteTie::largest && label > *winner));
    if (votes > winner_votes || wins_tie) {
      winner = label;
      winner_votes = votes;
    }
  }
  return winner;
}

}  // namespace harness
