#include "harness/metrics/cluster_agreement.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "harness/core/error.h"
#include "harness/stats/aggregate.h"

namespace harness {

namespace {

using Counts = std::map<int64_t, int64_t>;
using JointCounts = std::map<std::pair<int64_t, int64_t>, int64_t>;  // (cluster, class)

double entropy_of(const Counts& counts) {
  std::vector<int64_t> sizes;
  for (const auto& [label, count] : counts) sizes.push_back(count);
  return entropy_of_counts(sizes);
}

double pairs(int64_t count) { return 0.5 * static_cast<double>(count) * static_cast<double>(count - 1); }

double adjusted_rand(const JointCounts& joint, const Counts& clusters, const Counts& classes, int64_t items) {
  double together = 0, in_clusters = 0, in_classes = 0;
  for (const auto& [labels, count] : joint) together += pairs(count);
  for (const auto& [label, count] : clusters) in_clusters += pairs(count);
  for (const auto& [label, count] : classes) in_classes += pairs(count);
  const double expected = items < 2 ? 0 : in_clusters * in_classes / pairs(items);
  const double largest = 0.5 * (in_clusters + in_classes);
  // Both put every item by itself, or all in one: the same partition.
  if (largest == expected) return 1;
  return (together - expected) / (largest - expected);
}

}  // namespace

ClusterAgreement cluster_agreement(std::span<const int64_t> clusters, std::span<const int64_t> classes) {
  MEDSBENCH_CHECK(clusters.size() == classes.size(), "{} clusters, {} classes", clusters.size(), classes.size());
  ClusterAgreement agreement;
  agreement.items = static_cast<int64_t>(clusters.size());
  if (clusters.empty()) return agreement;
  Counts in_cluster, in_class;
  JointCounts joint;
  for (size_t i = 0; i < clusters.size(); ++i) {
    ++in_cluster[clusters[i]];
    ++in_class[classes[i]];
    ++joint[{clusters[i], classes[i]}];
  }
  const auto items = static_cast<double>(clusters.size());
  double mutual = 0;
  Counts largest;
  for (const auto& [labels, count] : joint) {
    const auto both = static_cast<double>(count);
    mutual +=
        both / items *
        std::log(both * items / (static_cast<double>(in_cluster[labels.first]) * static_cast<double>(in_class[labels.second])));
    largest[labels.first] = std::max(largest[labels.first], count);
  }
  const double class_entropy = entropy_of(in_class);
  const double cluster_entropy = entropy_of(in_cluster);
  agreement.adjusted_rand = adjusted_rand(joint, in_cluster, in_class, agreement.items);
  agreement.homogeneity = class_entropy == 0 ? 1 : mutual / class_entropy;
  agreement.completeness = cluster_entropy == 0 ? 1 : mutual / cluster_entropy;
  int64_t pure = 0;
  for (const auto& [cluster, count] : largest) pure += count;
  agreement.purity = static_cast<double>(pure) / items;
  return agreement;
}

ClusterAgreement mean_agreement(std::span<const ClusterAgreement> parts) {
  ClusterAgreement mean{0, 0, 0, 0, 0};
  for (const ClusterAgreement& part : parts) {
    const auto weight = static_cast<double>(part.items);
    mean.adjusted_rand += weight * part.adjusted_rand;
    mean.homogeneity += weight * part.homogeneity;
    mean.completeness += weight * part.completeness;
    mean.purity += weight * part.purity;
    mean.items += part.items;
  }
  const auto items = static_cast<double>(mean.items);
  for (double* value : {&mean.adjusted_rand, &mean.homogeneity, &mean.completeness, &mean.purity}) *value /= items;
  return mean;
}

}  // namespace harness
