#include "harness/core/utf8.h"

#include <gtest/gtest.h>

namespace harness {
namespace {

// Table 3-7 of the Unicode standard: the first and last character of each row of well-formed bytes, and what lies just outside.
TEST(Utf8, WellFormedCharactersAreThoseOfTheStandard) {
  for (const std::string text :
       {"\x00", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xE0\xBF\xBF", "\xE1\x80\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF1\x80\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    const std::string_view whole(text.data(), std::max<size_t>(1, text.size()));
    EXPECT_EQ(utf8_length(whole), whole.size()) << text;
    EXPECT_TRUE(is_valid_utf8(whole)) << text;
  }
  for (const std::string text : {"\x80", "\xC1\xBF", "\xC2\x7F", "\xE0\x9F\x80", "\xED\xA0\x80", "\xF0\x8F\x80\x80",
                                 "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE1\x80", "\xF0\x90\x80", ""}) {
    EXPECT_EQ(utf8_length(text), 0u) << text;
    EXPECT_EQ(is_valid_utf8(text), text.empty()) << text;
  }
}

TEST(Utf8, MalformedBytesCountOneByOne) {
  EXPECT_EQ(character_count("a\xC3\xA9\xE2\x82\xAC"), 3);
  EXPECT_EQ(character_count("\xE2\x82z\xFF"), 4);
  EXPECT_EQ(character_size("\xE2\x82\xACz", 0), 3u);
  EXPECT_EQ(character_size("\xE2\x82z", 0), 1u);
}

TEST(Utf8, EachIllFormedPartBecomesOneReplacement) {
  EXPECT_EQ(to_valid_utf8("a\xE2\x82z\xFF\xF0\x9F"), "a\uFFFDz\uFFFD\uFFFD");
  EXPECT_EQ(to_utf8(to_code_points("a\u00E9\u20AC\U0001F600")), "a\u00E9\u20AC\U0001F600");
}

}  // namespace
}  // namespace harness
