#include "harness/metrics/error_clusters.h"

#include <algorithm>
#include <map>
#include <utility>

#include "harness/cluster/hdbscan.h"
#include "harness/metrics/fingerprints.h"

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
  std::vector<ClusterAgreement> parts;
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
    parts.push_back(cluster_agreement(labels, truths));
  }
  report.compared = static_cast<int64_t>(parts.size());
  report.agreement = mean_agreement(parts);
  return report;
}

}  // namespace harness
