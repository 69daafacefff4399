// grade: a response and its gold answer in, a verdict out; JSON lines.
#include <iostream>
#include <memory>
#include <string>

#include "experiments/lines/lines.h"
#include "harness/core/error.h"
#include "harness/core/json.h"
#include "harness/reward/all_graders.h"

namespace experiments {
namespace {

// A string, or a number as it is written.
std::string text_or_number(const harness::Json& value, const std::string& key) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return value.dump();
  throw harness::Error("\"{}\": expected a string or a number, found {}", key, value.type_name());
}

harness::Problem problem_from(const harness::Json& line) {
  harness::Problem problem;
  if (!line.contains("answer")) throw harness::Error("expected the field \"answer\", found none");
  problem.answer = text_or_number(line.at("answer"), "answer");
  if (line.contains("unit") && !line.at("unit").is_null()) problem.unit = harness::text_field(line, "unit");
  if (line.contains("answer_type") && !line.at("answer_type").is_null()) {
    problem.answer_type = harness::text_field(line, "answer_type");
  }
  if (line.contains("tolerance") && !line.at("tolerance").is_null()) {
    problem.tolerance = text_or_number(line.at("tolerance"), "tolerance");
  }
  if (line.contains("answers") && !line.at("answers").is_null()) {
    if (!line.at("answers").is_array()) {
      throw harness::Error("\"answers\": expected an array of strings, found {}", line.at("answers").type_name());
    }
    for (const harness::Json& answer : line.at("answers")) problem.answers.push_back(text_or_number(answer, "answers"));
  }
  return problem;
}

harness::OrderedJson text_or_null(const std::optional<std::string>& text) {
  return text ? harness::OrderedJson(*text) : harness::OrderedJson(nullptr);
}

harness::OrderedJson grade_line(const harness::Grader& grader, const harness::Json& line, bool explain) {
  if (!line.is_object()) throw harness::Error("expected an object, found {}", line.type_name());
  const std::string response = harness::text_field(line, "response");
  const harness::Verdict verdict = grader.grade(response, problem_from(line));
  harness::OrderedJson result{{"verdict", harness::to_string(verdict.correctness)},
                              {"extracted", text_or_null(verdict.extracted)},
                              {"normalised", text_or_null(verdict.normalised)}};
  if (explain) result["why"] = verdict.why;
  return result;
}

}  // namespace

int grade_lines(const std::string& name, bool explain) {
  const std::unique_ptr<harness::Grader> grader = harness::make_grader(name);
  return harness::answer_lines(std::cin, std::cout,
                               [&](const harness::Json& line) { return grade_line(*grader, line, explain); });
}

}  // namespace experiments
