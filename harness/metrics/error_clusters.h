// Clusters of the fingerprints of wrong answers: how many there are, and how well they match known labels of the errors.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/data/outcome.h"
#include "harness/metrics/cluster_agreement.h"

namespace harness {

// HDBSCAN over the directions of fingerprints; rows without a direction (harness/metrics/fingerprints.h) are left out.
struct FingerprintClusters {
  std::vector<size_t> rows;     // [m] places of the others among the rows given
  std::vector<int64_t> labels;  // [m] cluster of each from 0, -1 noise
  int64_t count = 0;            // clusters
};
FingerprintClusters cluster_fingerprints(std::span<const std::vector<float>> rows);

// Agreement of those clusters with the error labels of the outcomes, averaged over the (seed, problem) with two labelled wrong
// fingerprints at least, each weighted by its number of items; a wrong answer without a label is clustered and not compared.
struct ErrorClusterReport {
  ClusterAgreement agreement;  // NaN where nothing could be compared
  int64_t compared = 0;        // (seed, problem)s
};
ErrorClusterReport error_cluster_agreement(std::span<const Outcome> outcomes, const std::string& grader);

}  // namespace harness
