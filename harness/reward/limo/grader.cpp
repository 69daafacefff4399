#include "harness/reward/limo/grader.h"

#include <fmt/format.h>

#include <exception>

#include "harness/reward/limo/clean.h"
#include "harness/reward/limo/equality.h"

namespace harness {
namespace {

constexpr int64_t kLimoSteps = 400000;
constexpr size_t kLongestLimoAnswer = 4000;

}  // namespace

Verdict LimoGrader::grade(std::string_view response, const Problem& problem) const {
  Verdict verdict;
  verdict.extracted = limo_extract(response);
  if (!verdict.extracted) {
    verdict.why = "no \"boxed\" in the response";
    return verdict;
  }
  if (verdict.extracted->size() > kLongestLimoAnswer) {
    verdict.normalised = verdict.extracted;
    const bool same = *verdict.extracted == problem.answer;
    verdict.correctness = same ? Correctness::right : Correctness::undecided;
    verdict.why = fmt::format("the answer is longer than {} bytes", kLongestLimoAnswer);
    return verdict;
  }
  verdict.normalised = limo_clean(*verdict.extracted);
  const std::string gold = limo_clean(problem.answer);
  try {
    StepBudget budget(kLimoSteps);
    const bool equal = limo_equal(*verdict.normalised, gold, budget);
    verdict.correctness = equal ? Correctness::right : Correctness::wrong;
    verdict.why = fmt::format("cleaned, {} and {} are {}", *verdict.normalised, gold, equal ? "equal" : "different");
  } catch (const OutOfSteps&) {
    verdict.correctness = Correctness::undecided;
    verdict.why = fmt::format("the comparison takes more than {} steps", kLimoSteps);
  } catch (const std::exception& error) {
    verdict.correctness = Correctness::undecided;
    verdict.why = fmt::format("the comparison failed: {}", error.what());
  }
  return verdict;
}

}  // namespace harness
