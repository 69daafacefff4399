// ClusterAgreement: how well clusters match known classes.
#pragma once

#include <cstdint>
#include <span>

namespace harness {

struct ClusterAgreement {
  double adjusted_rand = 1;  // Hubert and Arabie 1985: 1 equal, 0 as by chance
  double homogeneity = 1;    // Rosenberg and Hirschberg 2007: 1 where each cluster holds one class
  double completeness = 1;   // 1 where each class lies in one cluster
  double purity = 1;         // share of items in the largest class of their cluster
  int64_t items = 0;
};

// Of two labellings of the same items, as scikit-learn 1.x computes them (adjusted_rand_score, homogeneity_score,
// completeness_score); any integers are labels, -1 (noise) is one like the others. No items: all 1.
ClusterAgreement cluster_agreement(std::span<const int64_t> clusters, std::span<const int64_t> classes);

// Means over the parts, each weighted by its items; NaN without any item.
ClusterAgreement mean_agreement(std::span<const ClusterAgreement> parts);

}  // namespace harness
