// What an answer says: numbers, letters, times of day, sets, Unicode.
#include "harness/reward/math/testing.h"

namespace harness {
namespace {

TEST(MathReading, TakesAWholeNumberAndAFractionForAMixedNumber) {
  expect_verdicts({{"8 5/6", "\\frac{53}{6}"},
                   {"137 1/2", "137 \\frac{1}{2}"},
                   {"137.5", "137 \\frac{1}{2}"},
                   {"-2 3/4", "-\\frac{11}{4}"},
                   {"-2\\frac34", "-2 3/4"},
                   {"2 3/4", "2.75"},
                   {"3 \\frac12", "\\frac72"},
                   {"3½", "3.5"},
                   {"1\\ 1/2", "1.5"},
                   {"2 \\frac{1}{2} \\text{ hours}", "5/2"},
                   {"1 1/2, 2 1/2", "\\frac32, \\frac52"},
                   {"(1 1/2, 3)", "\\left(\\frac32,3\\right)"},
                   {"[-1 1/2, 2 3/4]", "[-\\frac{3}{2},\\frac{11}{4}]"},
                   {"x = 1 1/2", "\\frac32"},
                   {"2 \\cdot 1\\frac12", "3"},
                   {"6 / 1\\frac12", "4"},
                   {"1 1/2 \\pi", "\\frac{3\\pi}{2}"},
                   {"3\\frac{x}{2}", "\\frac{3x}{2}"},
                   {"x^2\\frac{1}{4}", "\\frac{x^2}{4}"}},
                  Correctness::right);
  expect_verdicts({{"8 5/6", "\\frac{20}{3}"},
                   {"2 1/2", "1"},
                   {"2 1/2", "\\frac{21}{2}"},
                   {"-2 3/4", "-\\frac{5}{4}"},
                   {"3\\frac12", "\\frac32"}},
                  Correctness::wrong);
}

TEST(MathReading, TakesDigitsBesideDigitsForNoNumber) {
  expect_verdicts({{"5 7", "35"},
                   {"5 7", "57"},
                   {"57", "5 7"},
                   {"5\\ 7", "35"},
                   {"2 3 4", "24"},
                   {"2 4/2", "4"},
                   {"1.5 2", "3"},
                   {"2 .5", "1"},
                   {"5{7}", "35"},
                   {"10 80", "1080"},
                   {"1/2 3", "\\frac32"}},
                  Correctness::wrong);
  expect_verdicts({{"5 \\cdot 7", "35"}, {"5(7)", "35"}, {"(5)(7)", "35"}, {"5 7", "5 7"}, {"2\\sqrt{3} 5", "10\\sqrt3"}},
                  Correctness::right);
}

TEST(MathReading, KnowsMarksBetweenGroupsOfDigits) {
  expect_verdicts({{"1{,}234", "1234"},
                   {"12{,}345{,}678", "12345678"},
                   {"11,\\! 111,\\! 111,\\! 100", "11111111100"},
                   {"3{,}14", "3.14"},
                   {"1{,}5", "1.5"},
                   {"0{,}5", "\\frac12"},
                   {"0{,}125", "0.125"},
                   {"12{,}3456", "12.3456"},
                   {"1 234", "1234"},
                   {"10\\,080", "10{,}080"},
                   {"1 000 000", "10^6"},
                   {"1\\ 234.5", "1234.5"},
                   {"0.123\\,456", "0.123456"},
                   {"1{,} 2", "1,2"},
                   {"x{,} y", "x,y"},
                   {"1 234/567", "1+\\frac{234}{567}"}},
                  Correctness::right);
  expect_verdicts({{"3{,}14", "314"},
                   {"1{,}5", "15"},
                   {"0{,}5", "5"},
                   {"0{,}500", "500"},
                   {"1{,}23", "123"},
                   {"1234{,}567", "1234567"},
                   {"1\\,23", "123"},
                   {"1{,}234{,}5", "12345"}},
                  Correctness::wrong);
}

TEST(MathReading, ComparesSmallDecimalsByTheirSize) {
  expect_verdicts({{"1.38\\times 10^{-5}", "1.45e-5"},
                   {"1.04 \\times 10^{-5}", "1e-5"},
                   {"0.0000124", "0.000012"},
                   {"0.0000154", "\\frac{3}{200000}"},
                   {"0.00034", "0.0003"},
                   {"1.24e-6", "1.2e-6"},
                   {"1.1e-7", "1e-7"},
                   {"0.000333", "\\frac{1}{3000}"},
                   {"1.05e-3", "1.04e-3"},
                   {"0.0085", "8.49e-3"},
                   {"2\\pi \\cdot 10^{-20}", "\\pi \\cdot 10^{-20}"},
                   {"2.5 \\times 10^{-23} T", "1.38 \\times 10^{-23} T"}},
                  Correctness::wrong);
  expect_verdicts({{"1.45 \\times 10^{-5}", "1.45e-5"},
                   {"1.45e-5", "1.45 \\cdot 10^{-5}"},
                   {"0.145 \\times 10^{-4}", "0.0000145"},
                   {"6.72e-5", ".0000672"},
                   {"1.04\\times10^{-3}", "0.00104"},
                   {"10⁻⁵", "1e-5"},
                   {"0.00333333", "\\frac{1}{300}"},
                   {"0.00142857", "\\frac{1}{700}"},
                   {"0.012346", "0.0123457"},
                   {"0", "\\sin \\pi"},
                   {"1.38e-23 T", "1.38 \\times 10^{-23} T"}},
                  Correctness::right);
}

TEST(MathReading, TakesTwoCasesOfALetterInOneFormulaForTwoVariables) {
  expect_verdicts({{"1", "\\frac{t}{T}"},
                   {"0", "\\pi(R^2-r^2)"},
                   {"\\pi(r^2-R^2)", "\\pi(R^2-r^2)"},
                   {"V=2ah", "V=Ah+ah"},
                   {"\\frac{T}{t}", "\\frac{t}{T}"},
                   {"R^2", "R r"},
                   {"rr", "Rr"},
                   {"\\text{tt}", "\\text{Tt}"},
                   {"-1", "I^2"},
                   {"2.718281828", "E"}},
                  Correctness::wrong);
  expect_verdicts({{"Z", "z"},
                   {"3r^2", "3R^2"},
                   {"\\pi(R-r)(R+r)", "\\pi(R^2-r^2)"},
                   {"V=h(a+A)", "V=Ah+ah"},
                   {"c", "C"},
                   {"\\text{EVEN}", "even"},
                   {"bob", "\\text{Bob}"},
                   {"\\text{evelyn}", "\\text{Evelyn}"},
                   {"e", "2.718281828459"},
                   {"i^2", "-1"}},
                  Correctness::right);
}

TEST(MathReading, TellsTimesOfDayFromRatios) {
  expect_verdicts({{"12:36", "10:30"},
                   {"2:05", "6:15"},
                   {"2:00", "11:00"},
                   {"4:30\\text{ a.m.}", "4:30\\text{ p.m.}"},
                   {"5 am", "5 pm"},
                   {"4:31 PM", "4:30\\text{ p.m.}"},
                   {"2:04:06", "1:02:03"},
                   {"1:3:2", "1:2:3"},
                   {"4:00", "4:30"}},
                  Correctness::wrong);
  expect_verdicts({{"10:30", "10:30"},
                   {"4:30 PM", "4:30\\text{ p.m.}"},
                   {"4:30pm", "4:30 P.M."},
                   {"4:30", "4:30 \\text{ pm}"},
                   {"\\text{4:30 PM}", "4:30 p.m."},
                   {"16:30", "4:30 PM"},
                   {"07:05", "7:05 AM"},
                   {"4 PM", "4:00 p.m."},
                   {"12{:}15", "12:15"},
                   {"9:15 am, 10:30 am", "10:30\\text{ a.m.}, 9:15\\text{ a.m.}"},
                   {"6:8", "3:4"},
                   {"3:4", "\\frac34"},
                   {"10:15", "2:3"},
                   {"32:50", "16:25"},
                   {"2:4:6", "1:2:3"},
                   {"3\\sqrt2:3", "\\sqrt2:1"},
                   {"4：30", "4:30"}},
                  Correctness::right);
}

TEST(MathReading, SpreadsPlusMinusInsideOfSetsAndLists) {
  expect_verdicts({{"-2,1+\\sqrt{5},1-\\sqrt{5}", "\\{1\\pm\\sqrt{5},-2\\}"},
                   {"\\{-2,1+\\sqrt{5},1-\\sqrt{5}\\}", "\\{1\\pm\\sqrt{5},-2\\}"},
                   {"-2, 1\\pm\\sqrt{5}", "\\{1\\pm\\sqrt{5},-2\\}"},
                   {"\\{-2, 1\\mp\\sqrt5\\}", "\\{1\\pm\\sqrt{5},-2\\}"},
                   {"\\{1\\pm\\sqrt5, -2\\}", "-2,1+\\sqrt{5},1-\\sqrt{5}"},
                   {"x \\in \\{\\pm 1\\}", "\\{-1,1\\}"},
                   {"\\pm 1, \\pm 2", "-2,-1,1,2"},
                   {"3+2\\sqrt2, 3-2\\sqrt2", "3 \\pm 2 \\sqrt{2}"},
                   {"3 +/- 2\\sqrt2", "3 \\pm 2 \\sqrt{2}"},
                   {"\\{(1,\\pm 2)\\}", "(1,2),(1,-2)"}},
                  Correctness::right);
  expect_verdicts({{"-2,1+\\sqrt{5}", "\\{1\\pm\\sqrt{5},-2\\}"}, {"2", "\\pm 2"}, {"\\{1+\\sqrt5\\}", "\\{1\\pm\\sqrt5\\}"}},
                  Correctness::wrong);
}

TEST(MathReading, KnowsPercentages) {
  expect_verdicts({{"\\frac{100}{3}\\%", "33\\frac{1}{3}\\%"},
                   {"33.3333333\\%", "33\\frac{1}{3}\\%"},
                   {"\\frac{1}{3}", "33\\frac{1}{3}\\%"},
                   {"33 1/3\\%", "33\\frac13 \\%"},
                   {"33\\frac13", "33\\frac{1}{3}\\%"},
                   {"12 \\frac{1}{2}\\%", "0.125"},
                   {"12.5\\%", "12.5"},
                   {"12.5", "12.5\\%"},
                   {"-12.5\\%", "-12.5"},
                   {"12.5\\%", "\\frac18"},
                   {"35", "35\\%"},
                   {"50\\%", "0.5"}},
                  Correctness::right);
  expect_verdicts(
      {{"0.5\\%", "0.5"}, {"0.5", "0.5\\%"}, {"12.5\\%", "1.25"}, {"33\\%", "33\\frac13\\%"}, {"11\\%", "33\\frac13\\%"}},
      Correctness::wrong);
}

TEST(MathReading, KnowsSetsOfRealsHoweverTheyAreSaid) {
  expect_verdicts({{"(-\\infty,\\infty)", "\\mathbb{R}"},
                   {"\\mathbb{R}", "(-\\infty,\\infty)"},
                   {"\\text{all real numbers}", "\\mathbb{R}"},
                   {"\\text{All real numbers}", "(-\\infty, \\infty)"},
                   {"x \\in \\mathbb R", "(-\\infty,\\infty)"},
                   {"-\\infty < x < \\infty", "\\mathbb{R}"},
                   {"ℝ", "\\mathbb{R}"},
                   {"x \\le -2 \\text{ or } x \\ge 2", "(-\\infty,-2]\\cup[2,\\infty)"},
                   {"x \\le -2 or x \\ge 2", "(-\\infty,-2]\\cup[2,\\infty)"},
                   {"x\\le -2, x \\ge 2", "(-\\infty,-2]\\cup[2,\\infty)"},
                   {"x \\le -2 \\lor 2 \\le x", "(-\\infty,-2]\\cup[2,\\infty)"},
                   {"|x| \\ge 2", "(-\\infty,-2]\\cup[2,\\infty)"},
                   {"|x| \\ge 2", "x \\ge 2 \\text{ or } x \\le -2"},
                   {"2 \\le |x|", "|x| \\ge 2"},
                   {"|x| < 3", "(-3,3)"},
                   {"(-1,5)", "|x-2|<3"},
                   {"|2x - 4| < 6", "(-1,5)"},
                   {"x \\ne 3", "(-\\infty,3)\\cup(3,\\infty)"},
                   {"x \\neq 3", "\\mathbb{R}\\setminus\\{3\\}"},
                   {"\\mathbb{R} - \\{3\\}", "(-\\infty,3)\\cup(3,\\infty)"},
                   {"\\mathbb{R}\\backslash\\{3\\}", "x \\ne 3"},
                   {"x \\in \\mathbb{R}, x \\ne 3", "x\\ne 3"},
                   {"\\text{all real numbers except } 3", "x\\ne 3"},
                   {"x \\ne \\pm 1", "(-\\infty,-1)\\cup(-1,1)\\cup(1,\\infty)"},
                   {"x \\ne -1, 1", "\\mathbb{R}\\setminus\\{-1,1\\}"},
                   {"x \\notin [2,3]", "(-\\infty,2)\\cup(3,\\infty)"},
                   {"\\mathbb{R}\\setminus[2,3]", "x<2 \\text{ or } x>3"},
                   {"1<x \\text{ and } x<2", "1<x<2"},
                   {"x>1, x<2", "(1,2)"},
                   {"x < 2 \\land x > 1", "(1,2)"},
                   {"\\{x \\mid x>3\\}", "(3,\\infty)"},
                   {"\\{x : x>3\\}", "(3,\\infty)"},
                   {"\\{x | x>3\\}", "(3,\\infty)"},
                   {"\\{y \\mid y>3\\}", "\\{x : x > 3\\}"},
                   {"\\left\\{x \\in \\mathbb{R} \\middle| x \\neq 3\\right\\}", "(-\\infty,3)\\cup(3,\\infty)"},
                   {"\\{x : |x| < 2\\}", "(-2,2)"},
                   {"x > 3", "\\text{all real numbers greater than 3}"},
                   {"2x > 6", "(3,\\infty)"},
                   {"-x < -3", "x>3"},
                   {"> 3", "(3,\\infty)"},
                   {"(2,3)\\cup[3,4]", "(2,4]"},
                   {"(-\\infty,2) \\text{ or } (3,\\infty)", "(-\\infty,2)\\cup(3,\\infty)"},
                   {"\\text{all positive real numbers}", "(0,\\infty)"},
                   {"\\mathbb{R}^+", "x > 0"},
                   {"\\text{the set of all real numbers}", "\\mathbb{R}"},
                   {"\\text{all real } x", "\\mathbb{R}"},
                   {"\\text{all real numbers } x \\text{ such that } x \\ne 3", "x \\ne 3"},
                   {"\\text{all real numbers except } x = 3", "x \\ne 3"},
                   {"x\\in(-\\infty,0)\\cup(0,\\infty)", "x \\ne 0"},
                   {"x \\in (0,1]", "0 < x \\le 1"},
                   {"x < -1 \\cup x > 3", "(-\\infty,-1)\\cup(3,\\infty)"},
                   {"x > 3 \\text{ and } x \\neq 5", "(3,5)\\cup(5,\\infty)"},
                   {"x = 0 \\text{ or } x \\ge 3", "\\{0\\}\\cup[3,\\infty)"},
                   {"\\text{no solution}", "\\emptyset"},
                   {"x < \\frac{1}{2}", "(-\\infty,0.5)"}},
                  Correctness::right);
  expect_verdicts({{"x < -2 \\text{ or } x > 2", "(-\\infty,-2]\\cup[2,\\infty)"},
                   {"x \\ge 2", "(-\\infty,-2]\\cup[2,\\infty)"},
                   {"x \\le -2 \\text{ and } x \\ge 2", "(-\\infty,-2]\\cup[2,\\infty)"},
                   {"|x| \\le 2", "(-\\infty,-2]\\cup[2,\\infty)"},
                   {"|x| > 2", "|x| \\ge 2"},
                   {"x \\ne 3", "\\mathbb{R}"},
                   {"x \\ne 4", "(-\\infty,3)\\cup(3,\\infty)"},
                   {"\\{x \\mid x \\ge 3\\}", "(3,\\infty)"},
                   {"\\{x \\mid x<3\\}", "(3,\\infty)"},
                   {"1<x \\text{ or } x<2", "1<x<2"},
                   {"y > 3", "x > 3"},
                   {"> 5", "5"},
                   {"x>5", "5"},
                   {"3", "(3,\\infty)"},
                   {"\\mathbb{R}", "(0,\\infty)"},
                   {"(-\\infty,3)", "(-\\infty,3)\\cup(3,\\infty)"}},
                  Correctness::wrong);
}

TEST(MathReading, DropsQuotesAroundAnAnswer) {
  for (const char* quoted :
       {"'57'", "\"57\"", "“57”", "‘57’", "``57''", "`57'", "`57`", "「57」", "«57»", "\\text{\"57\"}", "\"57.\"", "\"57\"."}) {
    EXPECT_EQ(grade_as_math(quoted, "57").correctness, Correctness::right) << quoted;
    EXPECT_EQ(grade_as_math(quoted, "58").correctness, Correctness::wrong) << quoted;
  }
  expect_verdicts({{"\"even\"", "\\text{even}"}, {"f'", "f'"}, {"y''+y", "y+y''"}}, Correctness::right);
  expect_verdicts({{"f'", "f"}, {"5'7", "57"}}, Correctness::wrong);
}

TEST(MathReading, ReadsFullWidthAndChineseWriting) {
  expect_verdicts({{"（1，2）", "(1,2)"},    {"1，2", "1,2"},
                   {"1、2", "2,1"},          {"１２", "12"},
                   {"－３．５", "-3.5"},     {"５０％", "0.5"},
                   {"ｘ＝５", "5"},          {"12个", "12"},
                   {"12厘米", "12"},         {"12 平方厘米", "12"},
                   {"12厘米²", "12"},        {"60度", "60^\\circ"},
                   {"1 或 2", "1,2"},        {"1和2", "1,2"},
                   {"x=1或x=2", "1,2"},      {"3万", "30000"},
                   {"3万元", "30000"},       {"12.5千克", "12.5"},
                   {"3，4。", "3,4"},        {"｛1，2｝", "\\{1,2\\}"},
                   {"偶数", "\\text{偶数}"}, {"x＜2 或 x＞3", "(-\\infty,2)\\cup(3,\\infty)"}},
                  Correctness::right);
  expect_verdicts({{"（2，1）", "(1,2)"},
                   {"１３", "12"},
                   {"13个", "12"},
                   {"3万", "3"},
                   {"2个半", "2"},
                   {"1或3", "1,2"},
                   {"奇数", "偶数"},
                   {"x＜2 且 x＞1", "(-\\infty,2)\\cup(1,\\infty)"}},
                  Correctness::wrong);
}

TEST(MathReading, HoldsLargeExponentsOrLeavesThemUndecided) {
  const std::string digits = "1" + std::string(1100, '0');
  EXPECT_EQ(grade_as_math(digits, "10^{1100}").correctness, Correctness::right);
  expect_verdicts({{"1e1000", "10^{1000}"}, {"10^{1000}", "1e1000"}, {"1e-1000", "10^{-1000}"}, {"10^{10000}", "10^{ 10000}"}},
                  Correctness::right);
  expect_verdicts({{"1e10000", "10^{10000}"},
                   {"4^{50000}", "2^{100000}"},
                   {"2^{10000}+1", "2^{10000}"},
                   {"10^{-6000}", "10^{-5000}"},
                   {"9^{9^9}+1", "9^{9^9}"}},
                  Correctness::undecided);
  expect_verdicts({{"1e999", "10^{1000}"}, {"2^{10001}", "2^{10000}"}, {"10^{2000}", "1e1999"}}, Correctness::wrong);
}

}  // namespace
}  // namespace harness
