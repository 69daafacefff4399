// score: outcomes in, metrics out: pass@k, maj@k, interquartile mean, diversity (docs/evaluation.md).
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "experiments/lines/lines.h"
#include "harness/core/error.h"
#include "harness/core/json.h"
#include "harness/metrics/set_score.h"

namespace experiments {

namespace {

using harness::Json;
using harness::Outcome;

// The verdict of a line is given, not made by one of our graders.
const std::string kGiven = "given";

bool has(const Json& line, const std::string& key) {
  const auto found = line.find(key);
  return found != line.end() && !found->is_null();
}

Outcome outcome_of_line(const Json& line) {
  Outcome outcome;
  outcome.problem = line.is_object() && line.contains("problem") && line["problem"].is_number_integer()
                        ? std::to_string(line["problem"].get<int64_t>())
                        : harness::text_field(line, "problem");
  outcome.verdicts[kGiven] =
      harness::boolean_field(line, "correct") ? harness::Correctness::right : harness::Correctness::wrong;
  if (has(line, "seed")) outcome.seed = harness::integer_field(line, "seed");
  if (has(line, "sample")) outcome.sample = harness::integer_field(line, "sample");
  if (has(line, "answer")) outcome.normalised = outcome.extracted = harness::text_field(line, "answer");
  if (has(line, "response")) outcome.text = harness::text_field(line, "response");
  if (has(line, "fingerprint")) {
    if (!line["fingerprint"].is_array()) {
      throw harness::Error("\"fingerprint\": expected a list of numbers, found {}", line["fingerprint"].type_name());
    }
    for (const Json& value : line["fingerprint"]) {
      if (!value.is_number()) throw harness::Error("\"fingerprint\": expected numbers, found {}", value.type_name());
      outcome.fingerprint.push_back(value.get<float>());
    }
  }
  return outcome;
}

}  // namespace

int score_lines(const harness::ScoreSettings& settings) {
  std::vector<Outcome> outcomes;
  size_t width = 0;  // numbers in a fingerprint
  const int status = harness::answer_lines_many(std::cin, std::cout, [&](const Json& line, const auto&) {
    Outcome outcome = outcome_of_line(line);
    if (!outcome.fingerprint.empty()) {
      if (width == 0) width = outcome.fingerprint.size();
      if (outcome.fingerprint.size() != width) {
        throw harness::Error("\"fingerprint\": expected {} numbers as before, found {}", width, outcome.fingerprint.size());
      }
    }
    outcomes.push_back(std::move(outcome));
  });
  if (outcomes.empty()) throw harness::Error("standard input: expected at least one outcome, found none");
  const harness::SetScore result = harness::score_outcomes(outcomes, kGiven, settings);
  for (const int64_t k : result.undefined_ks) {
    fmt::print(stderr, "score: k = {} is left out: some problem has only {} samples\n", k, result.n);
  }
  std::cout << harness::dump_line(harness::to_json(result)) << std::endl;
  return status;
}

}  // namespace experiments
