// score: outcomes in, as lines or files, metrics out: pass@k, maj@k, interquartile mean, diversity (docs/evaluation.md).
#include <fmt/format.h>

#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "experiments/lines/lines.h"
#include "harness/core/error.h"
#include "harness/core/json.h"
#include "harness/exchange/foreign_outcomes.h"
#include "harness/metrics/set_score.h"

namespace experiments {

namespace {

using harness::Json;
using harness::Outcome;

// The outcomes of one set, all by verdicts of kGiven.
struct ScoredSet {
  std::vector<Outcome> outcomes;
  size_t width = 0;           // numbers in a fingerprint
  bool answers_known = true;  // of files alone: a line on standard input without an answer gave none

  void add(Outcome outcome) {
    if (!outcome.fingerprint.empty()) {
      if (width == 0) width = outcome.fingerprint.size();
      if (outcome.fingerprint.size() != width) {
        throw harness::Error("\"fingerprint\": expected {} numbers as before, found {}", width, outcome.fingerprint.size());
      }
    }
    outcomes.push_back(std::move(outcome));
  }

  [[nodiscard]] harness::OrderedJson score(const harness::ScoreSettings& settings) const {
    harness::SetScore result = harness::score_outcomes(outcomes, harness::kGiven, settings);
    for (const int64_t k : result.undefined_ks) {
      fmt::print(stderr, "score: k = {} is left out: some problem has only {} samples\n", k, result.n);
    }
    if (!answers_known) {
      std::erase_if(result.means, [](const auto& one) { return one.first.kind == harness::Quantity::Kind::maj; });
      for (const char* of_answers : {"distinct_answers", "largest_wrong_share", "answer_entropy"}) {
        result.diversity.values.erase(of_answers);
      }
    }
    return harness::to_json(result);
  }
};

// A file's outcomes into their sets. Our own files and JSON lines say their seeds; another is of the seed `number`.
void read_file_to_score(const std::string& path, const ScoreOptions& options, int64_t number,
                        std::map<std::string, ScoredSet>& sets) {
  const bool ours = path.ends_with("outcomes.jsonl.zst");
  harness::ForeignOutcomes read;
  if (ours) {
    read.file = harness::read_outcomes(path);
  } else {
    read = harness::read_foreign_outcomes(path, [&](const std::string&) { return options.verdict; });
  }
  for (Outcome& outcome : read.file.outcomes) {
    if (ours) outcome.verdicts[harness::kGiven] = outcome.verdict(read.file.main_grader);
    if (!ours && !read.has_seeds) outcome.seed = number;
    ScoredSet& set = sets[outcome.set];
    set.answers_known &= !read.file.sets_without_answers.contains(outcome.set);
    harness::with_context(path, [&] { set.add(std::move(outcome)); });
  }
}

}  // namespace

int score_lines(const harness::ScoreSettings& settings) {
  ScoredSet all;
  const int status = harness::answer_lines_many(
      std::cin, std::cout, [&](const Json& line, const auto&) { all.add(harness::outcome_of_plain_line(line)); });
  if (all.outcomes.empty()) throw harness::Error("standard input: expected at least one outcome, found none");
  std::cout << harness::dump_line(all.score(settings)) << std::endl;
  return status;
}

int score_files(const ScoreOptions& options) {
  std::map<std::string, ScoredSet> sets;
  int64_t number = 0;
  for (const std::string& path : options.files) read_file_to_score(path, options, ++number, sets);
  for (const auto& [name, set] : sets) {
    harness::OrderedJson line{{"set", name}};
    line.update(set.score(options.settings));
    std::cout << harness::dump_line(line) << std::endl;
  }
  return 0;
}

}  // namespace experiments
