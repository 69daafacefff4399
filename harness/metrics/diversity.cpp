#include "harness/metrics/diversity.h"

#include <cmath>
#include <utility>

#include "harness/core/error.h"
#include "harness/metrics/error_clusters.h"
#include "harness/metrics/fingerprints.h"
#include "harness/metrics/problem_counts.h"
#include "harness/metrics/text_diversity.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

using Row = std::vector<float>;
using Metrics = std::map<std::string, double>;

void measure_answers(const Samples& samples, const std::string& grader, Metrics& metrics) {
  const ProblemCounts counts = count_problem(samples, grader);
  metrics["distinct_answers"] = static_cast<double>(counts.distinct_answers);
  metrics["answer_entropy"] = counts.answer_entropy;
  metrics["largest_wrong_share"] = counts.largest_wrong_share;
}

std::vector<Row> fingerprints_of(const Samples& samples) {
  std::vector<Row> rows;
  for (const Outcome* sample : samples) {
    if (!sample->fingerprint.empty()) rows.push_back(sample->fingerprint);
  }
  return rows;
}

void measure_fingerprints(const std::vector<Row>& rows, const std::string& suffix, Metrics& metrics) {
  metrics["eigen_ratio" + suffix] = eigen_ratio(rows);
  metrics["fingerprint_distance" + suffix] = mean_cosine_distance(rows);
  metrics["vendi" + suffix] = vendi_score(rows);
}

void measure_words(const std::vector<WordSequence>& sequences, const std::string& suffix, Metrics& metrics) {
  for (const int64_t order : {1, 2, 4}) {
    metrics[fmt::format("distinct_{}{}", order, suffix)] = distinct_share(sequences, order);
  }
}

// Clusters among the fingerprints of the wrong answers. A problem without wrong answers has none; one where no response at all
// left a fingerprint is undefined.
double error_clusters(const Samples& samples, const std::string& grader) {
  std::vector<Row> wrong;
  bool any = false;
  for (const Outcome* sample : samples) {
    any |= !sample->fingerprint.empty();
    if (!sample->fingerprint.empty() && !sample->correct(grader)) wrong.push_back(sample->fingerprint);
  }
  if (!any) return kUndefined;
  return static_cast<double>(cluster_fingerprints(wrong).count);
}

// What the outcomes carry at all; a metric of what none of them carries is undefined everywhere.
struct Carried {
  bool texts = false;
  bool ids = false;
  bool entropies = false;
};

Metrics measure_problem(const Samples& samples, const std::string& grader, const Carried& carried) {
  Metrics metrics;
  for (const std::string& name : diversity_names()) {
    if (!name.ends_with("_pooled")) metrics[name] = kUndefined;
  }
  measure_answers(samples, grader, metrics);
  measure_fingerprints(fingerprints_of(samples), "", metrics);
  metrics["error_clusters"] = error_clusters(samples, grader);
  if (carried.texts) {
    std::vector<std::string> texts;
    for (const Outcome* sample : samples) texts.push_back(sample->text);
    const std::vector<WordSequence> words = number_words(texts);
    measure_words(words, "", metrics);
    metrics["self_bleu_4"] = self_bleu_4(words);
  }
  if (carried.ids) {
    std::vector<WordSequence> ids;
    for (const Outcome* sample : samples) ids.push_back(sample->ids);
    measure_words(ids, "_tokens", metrics);
  }
  if (carried.entropies) {
    double sum = 0;
    for (const Outcome* sample : samples) sum += sample->mean_entropy;
    metrics["mean_entropy"] = sum / static_cast<double>(samples.size());
  }
  return metrics;
}

class MeanWithout {
 public:
  void add(const Metrics& metrics) {
    for (const auto& [name, value] : metrics) {
      auto& [sum, count, missing] = sums_[name];
      if (std::isnan(value)) {
        ++missing;
      } else {
        sum += value;
        ++count;
      }
    }
  }
  void write(DiversityReport& report) const {
    for (const auto& [name, entry] : sums_) {
      report.values[name] = entry.count == 0 ? kUndefined : entry.sum / static_cast<double>(entry.count);
      report.left_out[name] = entry.missing;
    }
  }

 private:
  struct Entry {
    double sum = 0;
    int64_t count = 0;
    int64_t missing = 0;
  };
  std::map<std::string, Entry> sums_;
};

}  // namespace

std::vector<std::string> diversity_names() {
  return {"distinct_answers",
          "largest_wrong_share",
          "answer_entropy",
          "error_clusters",
          "eigen_ratio",
          "fingerprint_distance",
          "distinct_1",
          "distinct_2",
          "distinct_4",
          "distinct_1_tokens",
          "distinct_2_tokens",
          "distinct_4_tokens",
          "self_bleu_4",
          "vendi",
          "mean_entropy",
          "eigen_ratio_pooled",
          "fingerprint_distance_pooled",
          "vendi_pooled"};
}

DiversityReport diversity_of(std::span<const Outcome> outcomes, const std::string& grader) {
  Carried carried;
  std::map<std::pair<int64_t, std::string>, Samples> problems;
  std::map<int64_t, Samples> seeds;
  for (const Outcome& outcome : outcomes) {
    carried.texts |= !outcome.text.empty();
    carried.ids |= !outcome.ids.empty();
    carried.entropies |= outcome.mean_entropy != 0;
    problems[{outcome.seed, outcome.problem}].push_back(&outcome);
    seeds[outcome.seed].push_back(&outcome);
  }
  DiversityReport report;
  MeanWithout over_problems;
  for (const auto& [key, samples] : problems) over_problems.add(measure_problem(samples, grader, carried));
  over_problems.write(report);
  MeanWithout over_seeds;
  for (const auto& [seed, samples] : seeds) {
    Metrics metrics;
    measure_fingerprints(fingerprints_of(samples), "_pooled", metrics);
    over_seeds.add(metrics);
  }
  over_seeds.write(report);
  return report;
}

OrderedJson to_json(const DiversityReport& report) {
  OrderedJson object = OrderedJson::object();
  OrderedJson left_out = OrderedJson::object();
  for (const std::string& name : diversity_names()) {
    const auto found = report.values.find(name);
    if (found == report.values.end()) continue;
    object[name] = std::isnan(found->second) ? OrderedJson(nullptr) : OrderedJson(found->second);
    const int64_t missing = report.left_out.at(name);
    if (missing > 0 && !std::isnan(found->second)) left_out[name] = missing;
  }
  object["left_out"] = std::move(left_out);
  return object;
}

}  // namespace harness
