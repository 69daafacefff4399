#include "harness/cluster/hdbscan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "harness/cluster/condensed_tree.h"
#include "harness/core/error.h"

namespace harness {

namespace {

// Below this many points a new tree costs less than extending the old one (measured, D = 14).
constexpr int64_t kExtendFrom = 64;

}  // namespace

int64_t HdbscanSettings::smallest_cluster(int64_t n) const {
  // A share of 0.1 is a little above a tenth: 10 of 100 are to be enough.
  const double share = std::ceil(min_cluster_share * static_cast<double>(n) * (1 - 1e-12));
  return std::max(static_cast<int64_t>(min_cluster_size), static_cast<int64_t>(share));
}

std::vector<int64_t> hdbscan(std::span<const double> rows, int64_t n, int64_t d, const HdbscanSettings& settings) {
  MEDSBENCH_CHECK(static_cast<int64_t>(rows.size()) == n * d, "{} numbers for [{}, {}]", rows.size(), n, d);
  IncrementalClusters clusters(d, settings);
  clusters.append(rows, n);
  return clusters.labels();
}

void IncrementalClusters::append(std::span<const double> rows, int64_t m) {
  const int64_t dimension = points_.dimension();
  MEDSBENCH_CHECK(static_cast<int64_t>(rows.size()) == m * dimension, "{} numbers for [{}, {}]", rows.size(), m, dimension);
  MEDSBENCH_CHECK(settings_.min_cluster_size >= 2 && settings_.min_samples >= 1, "min_cluster_size {}, min_samples {}",
                  settings_.min_cluster_size, settings_.min_samples);
  require_finite(rows, dimension);
  const int64_t old = points_.size();
  for (int64_t i = 0; i < m; ++i)
    points_.append(rows.subspan(static_cast<size_t>(i * dimension), static_cast<size_t>(dimension)));
  if (settings_.min_samples > 1) {
    tree_ = reachability_tree(points_, settings_.min_samples);
    joins_ = joins_of(tree_, points_.size());
  } else if (old >= kExtendFrom && m <= old) {
    tree_ = extended_tree(points_, old, tree_, joins_);
  } else {
    tree_ = euclidean_tree(points_);
    joins_ = joins_of(tree_, points_.size());
  }
  labels_ = flat_clusters(tree_, joins_, points_.size(), settings_.smallest_cluster(points_.size()));
}

}  // namespace harness
