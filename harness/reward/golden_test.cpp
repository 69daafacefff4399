// The graders against what independent programs say of the same pairs (testdata/*.origin.toml).
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "harness/core/json.h"
#include "harness/reward/all_graders.h"

namespace harness {
namespace {

// A pair on which a grader and its peer differ.
std::string disagreement(const std::string& response, const std::string& answer, Correctness ours) {
  return dump_line(OrderedJson{{"response", response}, {"answer", answer}, {"ours", to_string(ours)}});
}

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream in(std::string(MEDSBENCH_TEST_DATA) + "/" + file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Pairs on which the grader and its peer differ must be the lines of `known`, one by one, each with its reason.
void expect_disagreements(const std::string& grader_name, const std::string& file, const std::vector<std::string>& known) {
  const std::unique_ptr<Grader> grader = make_grader(grader_name);
  std::set<std::string> listed;
  for (const std::string& line : known) {
    const Json row = parse_json(line);
    EXPECT_NE(text_field(row, "reason"), "") << line;
    const Correctness ours = text_field(row, "ours") == "right" ? Correctness::right : Correctness::wrong;
    listed.insert(disagreement(text_field(row, "response"), text_field(row, "answer"), ours));
  }
  const std::vector<std::string> pairs = lines_of(file);
  ASSERT_GT(pairs.size(), 500u) << file;
  for (const std::string& line : pairs) {
    const Json pair = parse_json(line);
    Problem problem;
    problem.answer = text_field(pair, "answer");
    const std::string response = text_field(pair, "response");
    const Verdict verdict = grader->grade(response, problem);
    if ((verdict.correctness == Correctness::right) == boolean_field(pair, "right")) continue;
    const std::string found = disagreement(response, problem.answer, verdict.correctness);
    EXPECT_EQ(listed.erase(found), 1u) << found << " is not listed: " << verdict.why;
  }
  for (const std::string& line : listed) ADD_FAILURE() << line << " is listed, and the two agree";
}

TEST(RecipeGrader, AgreesWithThePublishedVerifierOnEveryPair) { expect_disagreements("recipe", "recipe_pairs.jsonl", {}); }

TEST(LimoGrader, DisagreesWithLimosCheckerOnTheListedPairsAlone) {
  const std::vector<std::string> known = lines_of("limo_disagreements.jsonl");
  EXPECT_LE(known.size(), lines_of("limo_pairs.jsonl").size() / 200) << "more than half a percent";
  expect_disagreements("limo", "limo_pairs.jsonl", known);
}

TEST(MathGrader, DisagreesWithMathVerifyOnTheListedPairsAlone) {
  const std::vector<std::string> known = lines_of("math_disagreements.jsonl");
  ASSERT_FALSE(known.empty());
  expect_disagreements("math", "math_verify_pairs.jsonl", known);
}

// Each gold answer of the published sets is right when it is the response; MEDSBENCH_DATA names their folder.
TEST(Graders, AcceptTheGoldAnswersOfThePublishedSets) {
  const char* folder = std::getenv("MEDSBENCH_DATA");
  if (folder == nullptr) GTEST_SKIP() << "MEDSBENCH_DATA does not name a folder with the published sets";
  for (const std::string file : {"aime24", "amc23", "math500", "minerva"}) {
    std::ifstream in(std::string(folder) + "/" + file + ".jsonl");
    ASSERT_TRUE(in) << folder << "/" << file << ".jsonl";
    int64_t answers = 0;
    for (std::string line; std::getline(in, line); ++answers) {
      const Json row = parse_json(line);
      Problem problem;
      problem.answer = row.at("answer").is_string() ? row.at("answer").get<std::string>() : row.at("answer").dump();
      for (const std::string name : {"recipe", "limo", "math"}) {
        const Verdict verdict = make_grader(name)->grade("\\boxed{" + problem.answer + "}", problem);
        EXPECT_EQ(to_string(verdict.correctness), std::string("right"))
            << name << ": " << problem.answer << ": " << verdict.why;
      }
    }
    EXPECT_GT(answers, 0) << file;
  }
}

}  // namespace
}  // namespace harness
