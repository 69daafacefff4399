#include "harness/core/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/core/testing.h"

namespace harness {
namespace {

std::string refusal(const std::string& text) {
  const std::string ordered = error_of([&] { parse_ordered_json(text); });
  EXPECT_EQ(error_of([&] { parse_json(text); }), ordered);
  EXPECT_EQ(error_of([&] { parse_json_keeping_digits(text); }), ordered);
  return ordered;
}

TEST(ParseJson, SaysWhatStandsThereInstead) {
  using ::testing::StartsWith;
  EXPECT_EQ(refusal("{\"a\": NaN}"), "expected JSON, found NaN at byte 7, which JSON has not");
  EXPECT_EQ(refusal("[1, nan]"), "expected JSON, found nan at byte 5, which JSON has not");
  EXPECT_EQ(refusal("[-Infinity]"), "expected JSON, found Infinity at byte 3, which JSON has not");
  EXPECT_EQ(refusal("[True]"), "expected JSON, found True at byte 2, which JSON has not");
  EXPECT_EQ(refusal("[None]"), "expected JSON, found None at byte 2, which JSON has not");
  const std::string utf16("\xFF\xFE{\0\"\0a\0\"\0", 10);
  EXPECT_EQ(refusal(utf16), "expected JSON, found UTF-16 or UTF-32 (JSON is UTF-8)");
  EXPECT_EQ(refusal(utf16.substr(2)), "expected JSON, found UTF-16 or UTF-32 (JSON is UTF-8)");
  EXPECT_EQ(refusal("{\"a\": \"caf\xE9\"}"),
            "expected JSON, found the byte 0xE9 at byte 11, which is no UTF-8 (perhaps Latin-1)");
  EXPECT_THAT(refusal("[\"\\ud83d x\"]"), StartsWith("expected JSON, found half of a surrogate pair at byte"));
  EXPECT_THAT(refusal("[\"\\ude00\"]"), StartsWith("expected JSON, found half of a surrogate pair at byte"));
  EXPECT_EQ(refusal(""), "expected JSON, found an empty text");
  EXPECT_EQ(refusal(" \n"), "expected JSON, found an empty text");
  EXPECT_EQ(refusal("[1,]"), "expected JSON, found a syntax error at byte 4");
  EXPECT_EQ(refusal("[1e400]"), "expected numbers that a double can hold, found 1e400");
  EXPECT_EQ(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
            "expected JSON, found a Git LFS pointer (`git lfs pull` puts the file itself there)");
  EXPECT_THAT(refusal("<!doctype html><html></html>"), StartsWith("expected JSON, found an HTML page"));
  EXPECT_THAT(refusal("\n<HTML lang=\"en\">"), StartsWith("expected JSON, found an HTML page"));
  EXPECT_THAT(refusal("<?xml version=\"1.0\"?><Error/>"), StartsWith("expected JSON, found an XML document"));
}

TEST(ParseJson, KeepsTheDigitsOfNumbersWhereAsked) {
  EXPECT_EQ(parse_json_keeping_digits("[1, -2, 0.1, 18446744073709551615, 1e3, 18446744073709551616, {\"a\": [1.50]}]").dump(),
            "[1,-2,0.1,18446744073709551615,\"1e3\",\"18446744073709551616\",{\"a\":[\"1.50\"]}]");
  EXPECT_EQ(parse_json("[1e3]").dump(), "[1000.0]");
}

TEST(AnswerLines, SaysWhatIsWrongWithoutTheParsersName) {
  std::istringstream in("{\"a\": 1}\n[1e400]\n");
  std::ostringstream out;
  const auto answer = [](const Json& line) { return OrderedJson{{"a", line.at("a").get<std::string>()}}; };
  EXPECT_EQ(answer_lines(in, out, answer), 1);
  EXPECT_EQ(out.str(),
            "{\"error\":\"line 1: type must be string, but is number\"}\n"
            "{\"error\":\"line 2: expected numbers that a double can hold, found 1e400\"}\n");
}

TEST(IntegerField, RefusesOneThatDoesNotFit) {
  EXPECT_EQ(integer_field(parse_json("{\"a\": 9223372036854775807}"), "a"), INT64_MAX);
  EXPECT_THAT(error_of([] { integer_field(parse_json("{\"a\": 9223372036854775808}"), "a"); }),
              ::testing::HasSubstr("\"a\": expected an integer of at most 63 bits, found 9223372036854775808"));
}

}  // namespace
}  // namespace harness
