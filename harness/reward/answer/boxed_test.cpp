#include "harness/reward/answer/boxed.h"

#include <gtest/gtest.h>

namespace harness {
namespace {

TEST(LastBalancedBox, PassesOverABoxThatProseOnlyNames) {
  for (const char* tail :
       {". (I used \\boxed as you asked.)", " and \\boxed ", " in `\\boxed`", " with \\boxed{}", " \\boxed{ }",
        ". As asked, the answer stands in \\boxed braces, and \\boxed is used once.", " \\boxed's"}) {
    EXPECT_EQ(last_balanced_box(std::string("\\boxed{42}") + tail), "42") << tail;
  }
}

TEST(LastBalancedBox, TakesABareAnswer) {
  EXPECT_EQ(last_balanced_box("so \\boxed 42."), "42");
  EXPECT_EQ(last_balanced_box("so \\boxed42$"), "42");
  EXPECT_EQ(last_balanced_box("so $\\boxed \\frac{1}{2}$"), "\\frac{1}{2}");
  EXPECT_EQ(last_balanced_box("so \\boxed A"), "A");
  EXPECT_EQ(last_balanced_box("\\boxed{41}, no, \\boxed 42"), "42");
  EXPECT_EQ(last_balanced_box("\\boxedanswer{6}"), std::nullopt);
}

TEST(LastBalancedBox, SkipsAnyWhiteSpaceBeforeTheBrace) {
  for (const char* space : {"", " ", "\n", "\t", "\r\n", "\n  "}) {
    EXPECT_EQ(last_balanced_box(std::string("\\boxed") + space + "{42}"), "42");
  }
}

TEST(NeighbouringBoxes, AreJoinedAcrossABoxThatProseOnlyNames) {
  EXPECT_EQ(neighbouring_boxes("\\boxed{1} and \\boxed{2} (in \\boxed as asked)"), "1,2");
}

}  // namespace
}  // namespace harness
