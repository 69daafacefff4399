// HDBSCAN: density clusters of points, exact; and IncrementalClusters, which keeps its spanning tree as points arrive.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/cluster/points.h"
#include "harness/cluster/spanning_tree.h"

namespace harness {

struct HdbscanSettings {
  int min_cluster_size = 2;      // >= 2
  int min_samples = 1;           // >= 1; core distance = distance of the min_samples-th nearest other point
  double min_cluster_share = 0;  // [0, 1]: a cluster has this share of the points at least

  // Fewest points of a cluster among n: the larger of min_cluster_size and min_cluster_share * n, rounded up.
  [[nodiscard]] int64_t smallest_cluster(int64_t n) const;
};

// Labels [n] of rows [n, d] under Euclidean distance, -1 is noise: the partition of hdbscan 0.8.44 with an exact spanning tree
// (metric euclidean, alpha 1, eom, allow_single_cluster false, epsilon 0). Fewer than 2 rows: all -1. Where distances tie, the
// order of the rows decides. Throws Error for numbers that are not finite.
//
// min_samples > 1 makes many edges equal (each core distance is the weight of several). There the package's partition hangs on
// the order in which numpy's sort, which is not stable, leaves equal weights: on 100 random inputs of 10 to 159 rows it agrees
// with itself on 23 (min_samples 2) and 46 (5) when numpy sorts without AVX2. Ours agrees with its default there on 53 % and
// 69 %, its `best` with its `generic` algorithm on 49 % and 67 % (150 inputs).
std::vector<int64_t> hdbscan(std::span<const double> rows, int64_t n, int64_t d, const HdbscanSettings& settings = {});

// Points that arrive a few at a time. After each `append` the labels are those of `hdbscan` on all points so far, bit by bit;
// with min_samples 1 the spanning tree is extended, else it is built anew.
class IncrementalClusters {
 public:
  explicit IncrementalClusters(int64_t dimension = 0, HdbscanSettings settings = {})
      : settings_(settings), points_(dimension) {}

  // Rows [m, D], finite.
  void append(std::span<const double> rows, int64_t m);

  [[nodiscard]] const std::vector<int64_t>& labels() const { return labels_; }
  [[nodiscard]] const PointBlocks& points() const { return points_; }
  [[nodiscard]] const std::vector<TreeEdge>& tree() const { return tree_; }
  [[nodiscard]] int64_t size() const { return points_.size(); }

 private:
  HdbscanSettings settings_;
  PointBlocks points_;
  std::vector<TreeEdge> tree_;
  std::vector<Join> joins_;  // of tree_
  std::vector<int64_t> labels_;
};

}  // namespace harness
