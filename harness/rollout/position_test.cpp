#include "harness/rollout/position.h"

#include <gtest/gtest.h>

#include "harness/core/error.h"

namespace harness {
namespace {

const std::vector<int64_t> kBoxedIds = {10, 11, 12};  // "\", "boxed", "{"

std::optional<int64_t> find(PositionRule rule, const std::vector<int64_t>& ids, const std::vector<std::string>& texts) {
  return answer_position(rule, ids, texts, kBoxedIds);
}

TEST(AnswerPosition, IsTheBraceOfTheLastExactBox) {
  EXPECT_EQ(
      find(PositionRule::reference, {10, 11, 12, 5, 10, 11, 12, 6, 7}, {"\\", "boxed", "{", "1", "\\", "boxed", "{", "2", "}"}),
      6);
}

TEST(AnswerPosition, PrefersAnExactBoxToALaterInexactOne) {
  EXPECT_EQ(find(PositionRule::reference, {10, 11, 12, 5, 20, 21, 22}, {"\\", "boxed", "{", "1", " \\", "boxed", "{x"}), 2);
  EXPECT_EQ(find(PositionRule::last_box, {10, 11, 12, 5, 20, 21, 22, 23}, {"\\", "boxed", "{", "1", " \\", "boxed", "{x", "}"}),
            6);
}

TEST(AnswerPosition, FallsBackToTheWordBoxedAndTheNextBrace) {
  EXPECT_EQ(find(PositionRule::reference, {20, 21, 22, 23}, {"$\\", "Boxed", "{x", "}"}), 2);
  EXPECT_EQ(find(PositionRule::reference, {20, 21}, {"$\\boxed{", "5"}), 0);
}

TEST(AnswerPosition, LooksNineTokensFurtherThanTheWordBoxed) {
  std::vector<std::string> texts(12, "a");
  std::vector<int64_t> ids(12, 1);
  texts[0] = "boxed";
  texts[9] = "{";
  EXPECT_EQ(find(PositionRule::reference, ids, texts), 9);
  std::swap(texts[9], texts[10]);
  EXPECT_EQ(find(PositionRule::reference, ids, texts), std::nullopt);
}

TEST(AnswerPosition, GoesOnToTheTokenBeforeWhereNoBraceFollows) {
  std::vector<std::string> texts(16, "a");
  std::vector<int64_t> ids(16, 1);
  texts[0] = "boxed{";
  texts[3] = "boxed";
  EXPECT_EQ(find(PositionRule::reference, ids, texts), 0);
}

TEST(AnswerPosition, IsAbsentWithoutABoxOrWithoutATokenAfterIt) {
  EXPECT_EQ(find(PositionRule::reference, {1, 2}, {"a", "b"}), std::nullopt);
  EXPECT_EQ(find(PositionRule::reference, {10, 11, 12}, {"\\", "boxed", "{"}), std::nullopt);
  EXPECT_EQ(find(PositionRule::last_box, {10, 11, 12}, {"\\", "boxed", "{"}), std::nullopt);
  EXPECT_EQ(find(PositionRule::last_box, {}, {}), std::nullopt);
}

TEST(AnswerPosition, KnowsTwoRules) {
  EXPECT_EQ(position_rule("reference"), PositionRule::reference);
  EXPECT_EQ(position_rule("last_box"), PositionRule::last_box);
  EXPECT_THROW(position_rule("first"), Error);
}

}  // namespace
}  // namespace harness
