#include "harness/data/problem.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace harness {
namespace {

// 50 problems: two orders are the same by chance once in 50! = 3e64.
TEST(EpochOrder, IsAPermutationOfItsOwnForEachEpochAndSeed) {
  std::set<std::vector<int64_t>> orders;
  for (const uint64_t seed : {1, 2, 3}) {
    for (int64_t epoch = 0; epoch < 4; ++epoch) {
      const std::vector<int64_t> order = epoch_order(50, seed, epoch);
      EXPECT_EQ(epoch_order(50, seed, epoch), order);
      orders.insert(order);
      std::vector<int64_t> sorted = order, all(50);
      std::sort(sorted.begin(), sorted.end());
      std::iota(all.begin(), all.end(), 0);
      EXPECT_EQ(sorted, all);
    }
  }
  EXPECT_EQ(orders.size(), 12u);
}

Problem problem_of(const std::string& text, const std::string& answer) {
  Problem problem;
  problem.text = text;
  problem.answer = answer;
  return problem;
}

TEST(ProblemHash, IsOfTheTextWhateverItsWhiteSpaceAndAnswer) {
  const uint64_t hash = problem_of("How many  are\nthere?", "5").hash();
  EXPECT_EQ(problem_of(" How many are there? ", "6").hash(), hash);
  EXPECT_NE(problem_of("How many were there?", "5").hash(), hash);
}

TEST(ContentHash, DependsOnTextsAndAnswersAndNotOnTheirOrder) {
  const Problem a = problem_of("a", "1"), b = problem_of("b", "2");
  const std::string hash = ProblemSet{"one", {a, b}}.content_hash();
  EXPECT_EQ((ProblemSet{"two", {b, a}}.content_hash()), hash);
  EXPECT_NE((ProblemSet{"one", {a, problem_of("b", "3")}}.content_hash()), hash);
  EXPECT_NE((ProblemSet{"one", {a}}.content_hash()), hash);
}

}  // namespace
}  // namespace harness
