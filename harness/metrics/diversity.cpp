#include "harness/metrics/diversity.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "harness/cluster/hdbscan.h"
#include "harness/core/error.h"
#include "harness/metrics/text_diversity.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Samples = std::vector<const Outcome*>;
using Row = std::vector<float>;
using Metrics = std::map<std::string, double>;

// Finite rows; `unit`: rows of zeros left out, the others scaled to length 1.
Matrix matrix_of(std::span<const Row> rows, bool unit) {
  std::vector<const Row*> kept;
  for (const Row& row : rows) {
    if (row.size() != rows.front().size()) {
      throw Error("fingerprints: expected {} numbers as in the first, found {}", rows.front().size(), row.size());
    }
    const bool finite = std::all_of(row.begin(), row.end(), [](float value) { return std::isfinite(value); });
    const bool zero = std::all_of(row.begin(), row.end(), [](float value) { return value == 0; });
    if (finite && !(unit && zero)) kept.push_back(&row);
  }
  Matrix matrix(static_cast<Eigen::Index>(kept.size()), static_cast<Eigen::Index>(rows.empty() ? 0 : rows.front().size()));
  for (size_t i = 0; i < kept.size(); ++i) {
    for (size_t j = 0; j < kept[i]->size(); ++j) {
      matrix(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = static_cast<double>((*kept[i])[j]);
    }
  }
  if (unit) matrix.rowwise().normalize();
  return matrix;
}

// Eigenvalues of rows^T rows, or of rows rows^T where that is the smaller: they share all that are not zero.
Eigen::VectorXd gram_eigenvalues(const Matrix& rows) {
  const Eigen::MatrixXd gram =
      rows.cols() <= rows.rows() ? Eigen::MatrixXd(rows.transpose() * rows) : Eigen::MatrixXd(rows * rows.transpose());
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram, Eigen::EigenvaluesOnly).eigenvalues();
}

const std::optional<std::string>& final_answer(const Outcome& outcome) {
  return outcome.normalised ? outcome.normalised : outcome.extracted;
}

void measure_answers(const Samples& samples, const std::string& grader, Metrics& metrics) {
  std::map<std::string, int64_t> answers;
  std::map<std::optional<std::string>, int64_t> wrong;  // a missing answer is a group of its own
  int64_t answered = 0;
  int64_t wrongs = 0;
  for (const Outcome* sample : samples) {
    const auto& answer = final_answer(*sample);
    if (answer) {
      ++answers[*answer];
      ++answered;
    }
    if (!sample->correct(grader)) {
      ++wrong[answer];
      ++wrongs;
    }
  }
  metrics["distinct_answers"] = static_cast<double>(answers.size());
  double entropy = answered == 0 ? kUndefined : 0.0;
  for (const auto& [answer, count] : answers) {
    const double share = static_cast<double>(count) / static_cast<double>(answered);
    entropy -= share * std::log(share);
  }
  metrics["answer_entropy"] = entropy;
  int64_t largest = 0;
  for (const auto& [answer, count] : wrong) largest = std::max(largest, count);
  metrics["largest_wrong_share"] = wrongs == 0 ? kUndefined : static_cast<double>(largest) / static_cast<double>(wrongs);
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
  const Matrix units = matrix_of(wrong, true);
  const std::vector<int64_t> labels = hdbscan({units.data(), static_cast<size_t>(units.size())}, units.rows(), units.cols());
  const auto largest = std::max_element(labels.begin(), labels.end());
  return largest == labels.end() ? 0.0 : static_cast<double>(*largest + 1);
}

// What the outcomes carry at all; a metric of what none of them carries is undefined everywhere.
struct Carried {
  bool texts = false;
  bool ids = false;
  bool entropies = false;
};

Metrics measure_cell(const Samples& samples, const std::string& grader, const Carried& carried) {
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

double eigen_ratio(std::span<const Row> rows) {
  Matrix matrix = matrix_of(rows, false);
  if (matrix.rows() < 2) return kUndefined;
  const Eigen::RowVectorXd mean = matrix.colwise().mean();
  const double scale = matrix.squaredNorm();
  matrix.rowwise() -= mean;
  const double trace = matrix.squaredNorm();
  // Equal rows leave rounding noise of the mean behind, not a variance.
  if (!(trace > 1e-24 * scale)) return kUndefined;
  return gram_eigenvalues(matrix).maxCoeff() / trace;
}

double mean_cosine_distance(std::span<const Row> rows) {
  const Matrix units = matrix_of(rows, true);
  const auto n = static_cast<double>(units.rows());
  if (n < 2) return kUndefined;
  // Sum over ordered pairs of cos = |sum of unit rows|^2 - n.
  return 1 - (units.colwise().sum().squaredNorm() - n) / (n * (n - 1));
}

double vendi_score(std::span<const Row> rows) {
  const Matrix units = matrix_of(rows, true);
  if (units.rows() == 0) return kUndefined;
  const Eigen::VectorXd eigenvalues = gram_eigenvalues(units) / static_cast<double>(units.rows());
  double entropy = 0;
  for (const double value : eigenvalues) {
    if (value > 0) entropy -= value * std::log(value);
  }
  return std::exp(entropy);
}

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
  std::map<std::pair<int64_t, std::string>, Samples> cells;
  std::map<int64_t, Samples> seeds;
  for (const Outcome& outcome : outcomes) {
    carried.texts |= !outcome.text.empty();
    carried.ids |= !outcome.ids.empty();
    carried.entropies |= outcome.mean_entropy != 0;
    cells[{outcome.seed, outcome.problem}].push_back(&outcome);
    seeds[outcome.seed].push_back(&outcome);
  }
  DiversityReport report;
  MeanWithout over_cells;
  for (const auto& [key, samples] : cells) over_cells.add(measure_cell(samples, grader, carried));
  over_cells.write(report);
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
