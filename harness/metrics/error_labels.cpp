#include "harness/metrics/error_labels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "harness/cluster/hdbscan.h"

namespace harness {

namespace {

using CellKey = std::pair<int64_t, std::string>;  // seed, problem
using Cells = std::map<CellKey, std::vector<const Outcome*>>;

Cells wrong_of(std::span<const Outcome> outcomes, const std::string& grader) {
  Cells cells;
  for (const Outcome& outcome : outcomes) {
    auto& cell = cells[{outcome.seed, outcome.problem}];
    if (!outcome.correct(grader)) cell.push_back(&outcome);
  }
  return cells;
}

// Texts as class numbers.
class Numbers {
 public:
  int64_t of(const std::string& text) {
    return numbers_.try_emplace(text, static_cast<int64_t>(numbers_.size())).first->second;
  }

 private:
  std::map<std::string, int64_t> numbers_;
};

std::vector<double> unit_rows(const std::vector<const Outcome*>& samples) {
  std::vector<double> rows;
  for (const Outcome* sample : samples) {
    double square = 0;
    for (const float value : sample->fingerprint) square += static_cast<double>(value) * static_cast<double>(value);
    for (const float value : sample->fingerprint) rows.push_back(static_cast<double>(value) / std::sqrt(square));
  }
  return rows;
}

bool has_direction(const std::vector<float>& row) {
  const bool finite = std::all_of(row.begin(), row.end(), [](float value) { return std::isfinite(value); });
  return finite && std::any_of(row.begin(), row.end(), [](float value) { return value != 0; });
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
  const double items = sum.items == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(sum.items);
  sum.adjusted_rand /= items;
  sum.homogeneity /= items;
  sum.completeness /= items;
  sum.purity /= items;
}

}  // namespace

ErrorLabelReport error_labels_of(std::span<const Outcome> outcomes, const std::string& grader) {
  ErrorLabelReport report;
  std::map<std::string, int64_t> all;
  double entropies = 0;
  int64_t cells = 0;
  int64_t kinds = 0;
  for (const auto& [key, wrong] : wrong_of(outcomes, grader)) {
    std::map<std::string, int64_t> counts;
    int64_t labelled = 0;
    for (const Outcome* sample : wrong) {
      if (sample->error_label.empty()) {
        ++report.unlabelled;
        continue;
      }
      ++counts[sample->error_label];
      ++all[sample->error_label];
      ++labelled;
    }
    if (labelled == 0) {
      ++report.left_out;
      continue;
    }
    ++cells;
    report.wrong += labelled;
    kinds += static_cast<int64_t>(counts.size());
    for (const auto& [label, count] : counts) {
      const double share = static_cast<double>(count) / static_cast<double>(labelled);
      entropies -= share * std::log(share);
    }
  }
  for (const auto& [label, count] : all) report.shares[label] = static_cast<double>(count) / static_cast<double>(report.wrong);
  const auto slip = report.shares.find("slip");
  report.slip_share = slip == report.shares.end() ? 0.0 : slip->second;
  const double divisor = cells == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(cells);
  report.mean_entropy = entropies / divisor;
  report.mean_labels = static_cast<double>(kinds) / divisor;
  return report;
}

ErrorClusterReport error_cluster_agreement(std::span<const Outcome> outcomes, const std::string& grader, bool with_slips) {
  ErrorClusterReport report;
  report.labels = report.answers = {0, 0, 0, 0, 0};
  for (const auto& [key, wrong] : wrong_of(outcomes, grader)) {
    std::vector<const Outcome*> clustered;
    for (const Outcome* sample : wrong) {
      if (has_direction(sample->fingerprint)) clustered.push_back(sample);
    }
    if (clustered.size() < 2) continue;
    const auto n = static_cast<int64_t>(clustered.size());
    const std::vector<int64_t> labels =
        hdbscan(unit_rows(clustered), n, static_cast<int64_t>(clustered.front()->fingerprint.size()));
    std::vector<int64_t> clusters, truths, answers;
    Numbers truth_numbers, answer_numbers;
    for (size_t i = 0; i < clustered.size(); ++i) {
      const Outcome& sample = *clustered[i];
      if (sample.error_label.empty() || (!with_slips && sample.error_label == "slip")) continue;
      clusters.push_back(labels[i]);
      truths.push_back(truth_numbers.of(sample.error_label));
      answers.push_back(answer_numbers.of(sample.normalised.value_or(sample.extracted.value_or(""))));
    }
    if (clusters.size() < 2) continue;
    ++report.cells;
    add_weighted(report.labels, cluster_agreement(clusters, truths));
    add_weighted(report.answers, cluster_agreement(clusters, answers));
  }
  divide_by_items(report.labels);
  divide_by_items(report.answers);
  return report;
}

}  // namespace harness
