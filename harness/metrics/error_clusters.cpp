#include "harness/metrics/error_clusters.h"

#include <algorithm>
#include <map>
#include <utility>

#include "harness/cluster/hdbscan.h"
#include "harness/metrics/fingerprints.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

// The wrong answers with a fingerprint, by (seed, problem).
std::map<std::pair<int64_t, std::string>, std::vector<const Outcome*>> wrong_of(std::span<const Outcome> outcomes,
                                                                                const std::string& grader) {
  std::map<std::pair<int64_t, std::string>, std::vector<const Outcome*>> wrong;
  for (const Outcome& outcome : outcomes) {
    if (!outcome.correct(grader) && !outcome.fingerprint.empty()) wrong[{outcome.seed, outcome.problem}].push_back(&outcome);
  }
  return wrong;
}

void add_weighted(ClusterAgreement& sum, const ClusterAgreement& part) {
  const auto weight = static_cast<double>(part.items);
  sum.adjusted_rand += weight * part.adjusted_rand;
  sum.homogeneity += weight * part.homogeneity;
  sum.completeness += weight * part.completeness;
  sum.purity += weight * part.purity;
  sum.items += part.items;
}

void divide_by_items(ClusterAgreement& sum) {
  const double items = sum.items == 0 ? kUndefined : static_cast<double>(sum.items);
  sum.adjusted_rand /= items;
  sum.homogeneity /= items;
  sum.completeness /= items;
  sum.purity /= items;
}

}  // namespace

FingerprintClusters cluster_fingerprints(std::span<const std::vector<float>> rows) {
  Directions directions = directions_of(rows);
  FingerprintClusters clusters;
  clusters.rows = std::move(directions.rows);
  clusters.labels = hdbscan(directions.values, static_cast<int64_t>(clusters.rows.size()), directions.width);
  for (const int64_t label : clusters.labels) clusters.count = std::max(clusters.count, label + 1);
  return clusters;
}

ErrorClusterReport error_cluster_agreement(std::span<const Outcome> outcomes, const std::string& grader) {
  ErrorClusterReport report;
  report.agreement = {0, 0, 0, 0, 0};
  for (const auto& [key, wrong] : wrong_of(outcomes, grader)) {
    std::vector<std::vector<float>> rows;
    for (const Outcome* sample : wrong) rows.push_back(sample->fingerprint);
    const FingerprintClusters clusters = cluster_fingerprints(rows);
    std::vector<int64_t> labels, truths;
    std::map<std::string, int64_t> numbers;  // of the true labels
    for (size_t i = 0; i < clusters.rows.size(); ++i) {
      const std::string& truth = wrong[clusters.rows[i]]->error_label;
      if (truth.empty()) continue;
      labels.push_back(clusters.labels[i]);
      truths.push_back(numbers.try_emplace(truth, static_cast<int64_t>(numbers.size())).first->second);
    }
    if (labels.size() < 2) continue;
    ++report.cells;
    add_weighted(report.agreement, cluster_agreement(labels, truths));
  }
  divide_by_items(report.agreement);
  return report;
}

}  // namespace harness
