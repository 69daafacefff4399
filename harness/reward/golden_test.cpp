// The graders against what independent programs say of the same pairs (testdata/*.origin.toml).
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "harness/core/json.h"
#include "harness/reward/grader.h"

namespace harness {
namespace {

struct Agreement {
  int64_t pairs = 0;
  int64_t agreed = 0;
  std::string disagreements;
  [[nodiscard]] double rate() const { return static_cast<double>(agreed) / static_cast<double>(pairs); }
};

Agreement agreement(const std::string& grader_name, const std::string& file) {
  const std::unique_ptr<Grader> grader = make_grader(grader_name);
  std::ifstream in(std::string(MEDSBENCH_TEST_DATA) + "/" + file);
  Agreement result;
  for (std::string line; std::getline(in, line);) {
    const Json pair = parse_json(line);
    Problem problem;
    problem.answer = text_field(pair, "answer");
    const Verdict verdict = grader->grade(text_field(pair, "response"), problem);
    ++result.pairs;
    if ((verdict.correctness == Correctness::right) == boolean_field(pair, "right")) {
      ++result.agreed;
    } else {
      result.disagreements += line + " -> " + to_string(verdict.correctness) + ": " + verdict.why + "\n";
    }
  }
  return result;
}

TEST(RecipeGrader, AgreesWithThePublishedVerifierOnEveryPair) {
  const Agreement result = agreement("recipe", "recipe_pairs.jsonl");
  ASSERT_GT(result.pairs, 1000);
  EXPECT_EQ(result.agreed, result.pairs) << result.disagreements;
}

TEST(LimoGrader, AgreesWithTheCheckerOn99OfAHundredPairs) {
  const Agreement result = agreement("limo", "limo_pairs.jsonl");
  ASSERT_GT(result.pairs, 500);
  RecordProperty("rate", std::to_string(result.rate()));
  EXPECT_GE(result.rate(), 0.99) << result.disagreements;
}

// Where it disagrees it accepts what Math-Verify cannot read: "42.", numbers inside \text{} and \mathbf{}, tuples after
// "f(x)=", repeating decimals.
TEST(MathGrader, AgreesWithMathVerifyButForTheFormsItCannotRead) {
  const Agreement result = agreement("math", "math_verify_pairs.jsonl");
  ASSERT_GT(result.pairs, 500);
  RecordProperty("rate", std::to_string(result.rate()));
  EXPECT_GE(result.rate(), 0.93) << result.disagreements;
}

// Each gold answer of the published sets is right when it is the response; MEDSBENCH_DATA names their folder.
TEST(Graders, AcceptTheGoldAnswersOfThePublishedSets) {
  const char* folder = std::getenv("MEDSBENCH_DATA");
  if (folder == nullptr) GTEST_SKIP() << "MEDSBENCH_DATA does not name a folder with the published sets";
  for (const std::string file : {"aime24", "amc23", "math500", "minerva"}) {
    std::ifstream in(std::string(folder) + "/" + file + ".jsonl");
    for (std::string line; std::getline(in, line);) {
      const Json row = parse_json(line);
      Problem problem;
      problem.answer = row.at("answer").is_string() ? row.at("answer").get<std::string>() : row.at("answer").dump();
      for (const std::string name : {"recipe", "limo", "math"}) {
        const Verdict verdict = make_grader(name)->grade("\\boxed{" + problem.answer + "}", problem);
        EXPECT_EQ(to_string(verdict.correctness), std::string("right"))
            << name << ": " << problem.answer << ": " << verdict.why;
      }
    }
  }
}

}  // namespace
}  // namespace harness
