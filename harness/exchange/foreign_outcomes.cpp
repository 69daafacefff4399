#include "harness/exchange/foreign_outcomes.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <regex>
#include <set>
#include <vector>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/data/records.h"
#include "harness/exchange/foreign_line.h"
#include "harness/reward/all_graders.h"

namespace harness {

namespace {

bool is_there(const Json& line, const std::string& key) {
  const auto found = line.find(key);
  return found != line.end() && !found->is_null();
}

std::vector<std::string> names_of(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

Correctness correctness_of(const Json& value, const std::string& metric) {
  if (value == true || value == 1) return Correctness::right;
  if (value == false || value == 0) return Correctness::wrong;
  throw Error("\"{}\": expected 0 or 1, found {}: name another metric, or grade the responses (verdict.grader)", metric,
              value.dump());
}

// Turns the problems of one file into outcomes.
class ForeignReader {
 public:
  ForeignReader(std::string set, VerdictChoice choice, ForeignOutcomes& out)
      : set_(std::move(set)), choice_(std::move(choice)), out_(out) {
    if (!choice_.grader.empty()) graders_ = std::make_unique<Graders>(std::vector<std::string>{choice_.grader});
  }

  [[nodiscard]] const VerdictChoice& choice() const { return choice_; }

  void add(const ForeignProblem& problem) {
    if (!met_.insert(problem.id).second) throw Error("expected the problem {} once, found it twice", problem.id);
    Problem ours;
    ours.set = set_;
    ours.id = problem.id;
    ours.text = problem.question;
    ours.answer = fmt::format("{}", fmt::join(problem.answers, ", "));
    if (problem.answers.size() > 1) ours.answers = problem.answers;
    const std::vector<Correctness> given = graders_ ? std::vector<Correctness>{} : verdicts_of(problem);
    if (graders_ && problem.answers.empty()) throw Error("expected the right answer of {}, found none", problem.id);
    for (size_t sample = 0; sample < problem.responses.size(); ++sample) {
      Outcome outcome;
      outcome.set = set_;
      outcome.problem = problem.id;
      outcome.sample = static_cast<int64_t>(sample);
      outcome.text = problem.responses[sample];
      if (graders_) {
        graders_->grade(outcome, ours);
        outcome.verdicts = {{kGiven, outcome.verdicts.at(choice_.grader)}};
        outcome.error_label.clear();
      } else {
        outcome.verdicts[kGiven] = given[sample];
        outcome.extracted = problem.extracted;
      }
      out_.file.outcomes.push_back(std::move(outcome));
    }
    if (!problem.question_hash.empty()) out_.questions[problem.id] = problem.question_hash;
    out_.problems[set_].problems.push_back(std::move(ours));
    temperatures_.insert(problem.temperature);
  }

  // After the last problem; `answers`: whether the file says which answer a response gives.
  void finish(bool answers) {
    if (met_.empty()) throw Error("expected responses, found none");
    out_.judged_by = graders_ ? choice_.grader : metric_ + (filter_shown_.empty() ? "" : " (" + filter_shown_ + ")");
    if (!answers && !graders_) out_.file.sets_without_answers.insert(set_);
    if (temperatures_.size() == 1) out_.temperature = *temperatures_.begin();
  }
  void show_filter(const std::string& filter) { filter_shown_ = filter; }

 private:
  // One a response.
  std::vector<Correctness> verdicts_of(const ForeignProblem& problem) {
    if (metric_.empty()) metric_ = chosen_metric(problem.metrics);
    const auto found = problem.metrics.find(metric_);
    if (found == problem.metrics.end()) {
      throw Error("expected the metric \"{}\", found {}", metric_, fmt::join(names_of(problem.metrics), ", "));
    }
    const size_t count = found->is_array() ? found->size() : 1;
    if (count != problem.responses.size()) {
      throw Error(
          "\"{}\": expected a verdict for each of {} responses, found {}: name another metric, or grade the responses "
          "(verdict.grader)",
          metric_, problem.responses.size(), count);
    }
    std::vector<Correctness> verdicts;
    for (const Json& value : found->is_array() ? *found : Json::array({*found})) {
      verdicts.push_back(correctness_of(value, metric_));
    }
    return verdicts;
  }

  [[nodiscard]] std::string chosen_metric(const Json& metrics) const {
    if (!choice_.metric.empty()) return choice_.metric;
    if (metrics.size() == 1) return metrics.begin().key();
    throw Error("expected one metric, found {}: name the one that counts (verdict.metric)",
                metrics.empty() ? "none" : fmt::format("{}", fmt::join(names_of(metrics), ", ")));
  }

  std::string set_;
  VerdictChoice choice_;
  ForeignOutcomes& out_;
  std::unique_ptr<Graders> graders_;
  std::set<std::string> met_;
  std::string metric_, filter_shown_;
  std::set<std::optional<double>> temperatures_;
};

using Rows = std::vector<std::pair<Json, std::string>>;  // with their places

void read_lm_eval(const std::string& path, const Rows& rows, ForeignReader& reader, ForeignOutcomes& out) {
  out.program = "lm-evaluation-harness";
  std::set<std::string> filters;
  for (const auto& [row, place] : rows) {
    filters.insert(with_context(place, [&, &line = row] { return lm_eval_filter(line); }));
  }
  // Every filter has the same responses: which one matters to their verdicts alone.
  std::string filter = reader.choice().filter;
  if (filter.empty() && filters.size() > 1 && reader.choice().grader.empty()) {
    throw Error("{}: expected one filter, found {}: name the one that counts (verdict.filter)", path, fmt::join(filters, ", "));
  }
  if (filter.empty()) filter = *filters.begin();
  if (!filters.contains(filter)) throw Error("{}: expected the filter {}, found {}", path, filter, fmt::join(filters, ", "));
  if (filter != "none") reader.show_filter(filter);
  bool choices = false;
  for (const auto& [row, place] : rows) {
    with_context(place, [&, &line = row] {
      if (lm_eval_filter(line) != filter) return;
      const ForeignProblem problem = lm_eval_problem(line);
      choices |= problem.responses.front().empty();
      reader.add(problem);
    });
  }
  with_context(path, [&] { reader.finish(filter != "none" && !choices); });
}

void read_lighteval(const std::string& path, const Rows& rows, ForeignReader& reader, ForeignOutcomes& out) {
  out.program = "lighteval";
  for (const auto& [row, place] : rows) with_context(place, [&, &line = row] { reader.add(lighteval_problem(line)); });
  with_context(path, [&] { reader.finish(false); });
}

void read_plain(const Rows& rows, ForeignOutcomes& out) {
  out.program = "JSON lines";
  out.judged_by = kGiven;
  std::set<std::string> with_answers, sets;
  std::map<std::tuple<std::string, int64_t, std::string>, int64_t> samples;  // so many of a set, seed and problem
  out.has_seeds = is_there(rows.front().first, "seed");
  const bool numbered = is_there(rows.front().first, "sample");
  for (const auto& [row, place] : rows) {
    with_context(place, [&, &line = row] {
      for (const auto& [key, expected] : {std::pair("seed", out.has_seeds), std::pair("sample", numbered)}) {
        if (is_there(line, key) == expected) continue;
        throw Error("expected \"{}\" in every line or in none, found {}", key, expected ? "none" : "one");
      }
      Outcome outcome = outcome_of_plain_line(line);
      int64_t& sample = samples[{outcome.set, outcome.seed, outcome.problem}];
      if (!numbered) outcome.sample = sample++;
      sets.insert(outcome.set);
      if (line.contains("answer")) with_answers.insert(outcome.set);
      out.file.outcomes.push_back(std::move(outcome));
    });
  }
  std::set_difference(sets.begin(), sets.end(), with_answers.begin(), with_answers.end(),
                      std::inserter(out.file.sets_without_answers, out.file.sets_without_answers.end()));
}

}  // namespace

std::string set_of_file(const std::string& path) {
  static const std::regex kNamed(R"((?:samples|details)_(.+)_\d{4}-\d{2}-\d{2}T[-0-9.]+\.(?:jsonl|parquet))");
  const std::filesystem::path file(path);
  std::smatch match;
  const std::string name = file.filename().string();
  return std::regex_match(name, match, kNamed) ? match[1].str() : name.substr(0, name.find('.'));
}

Outcome outcome_of_plain_line(const Json& line) {
  Outcome outcome;
  outcome.problem = line.is_object() && line.contains("problem") && line["problem"].is_number_integer()
                        ? std::to_string(line["problem"].get<int64_t>())
                        : text_field(line, "problem");
  outcome.verdicts[kGiven] = boolean_field(line, "correct") ? Correctness::right : Correctness::wrong;
  if (is_there(line, "set")) outcome.set = text_field(line, "set");
  if (is_there(line, "seed")) outcome.seed = integer_field(line, "seed");
  if (is_there(line, "sample")) outcome.sample = integer_field(line, "sample");
  if (is_there(line, "answer")) outcome.normalised = outcome.extracted = text_field(line, "answer");
  if (is_there(line, "response")) outcome.text = text_field(line, "response");
  if (is_there(line, "fingerprint")) {
    if (!line["fingerprint"].is_array()) {
      throw Error("\"fingerprint\": expected a list of numbers, found {}", line["fingerprint"].type_name());
    }
    for (const Json& value : line["fingerprint"]) {
      if (!value.is_number()) throw Error("\"fingerprint\": expected numbers, found {}", value.type_name());
      outcome.fingerprint.push_back(value.get<float>());
    }
  }
  return outcome;
}

ForeignOutcomes read_foreign_outcomes(const std::string& path, const ChooseVerdicts& choose) {
  Rows rows;
  read_records(path, {}, [&](const Json& row, const std::string& place) { rows.emplace_back(row, place); });
  if (rows.empty()) throw Error("{}: expected outcomes, found none", path);
  const Json& first = rows.front().first;
  ForeignOutcomes out;
  if (first.contains("problem") && first.contains("correct")) {
    read_plain(rows, out);
    return out;
  }
  const std::string set = set_of_file(path);
  ForeignReader reader(set, choose(set), out);
  if (first.contains("doc_id") && first.contains("resps")) {
    read_lm_eval(path, rows, reader, out);
  } else if (first.contains("doc") && first.contains("model_response") && first.contains("metric")) {
    read_lighteval(path, rows, reader, out);
  } else {
    throw Error(
        "{}: expected \"doc_id\" and \"resps\" (lm-evaluation-harness), \"doc\", \"model_response\" and \"metric\" (lighteval) "
        "or "
        "\"problem\" and \"correct\" (JSON lines), found {}",
        path, fmt::join(names_of(first), ", "));
  }
  return out;
}

}  // namespace harness
