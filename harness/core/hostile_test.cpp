// Files made to do harm end in an Error, and what is written reads back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/config.h"
#include "harness/core/error.h"
#include "harness/core/json.h"
#include "harness/core/testing.h"

namespace harness {
namespace {

std::string repeat(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST(Json, NestedTooDeeplyIsRefused) {
  const auto nested = [](int levels) { return repeat("[", levels) + repeat("]", levels); };
  EXPECT_EQ(dump_line(parse_json(nested(500))), nested(500));
  EXPECT_THAT(error_of([&] { parse_json(nested(501)); }), testing::HasSubstr("500 levels"));
  EXPECT_THAT(error_of([&] { parse_json(nested(1'000'000)); }), testing::HasSubstr("500 levels"));
  EXPECT_EQ(dump_line(parse_ordered_json(nested(500))), nested(500));
  EXPECT_THAT(error_of([&] { parse_ordered_json(nested(1'000'000)); }), testing::HasSubstr("500 levels"));
  // Brackets inside a text are none, whatever is escaped in it.
  EXPECT_NO_THROW(parse_json("[\"" + repeat("\\\"[{", 1000) + "\", 1]"));
}

TEST(Json, ANumberBeyondADoubleIsRefused) {
  EXPECT_THAT(error_of([] { parse_json("[2E22222]"); }), testing::HasSubstr("2E22222"));
  EXPECT_THAT(error_of([] { parse_ordered_json("[2E22222]"); }), testing::HasSubstr("2E22222"));
  EXPECT_THAT(error_of([] { parse_ordered_json("{\"b\": 1, \"a\""); }), testing::HasSubstr("syntax error at byte"));
  EXPECT_EQ(dump_line(parse_ordered_json("{\"b\": 1, \"a\": 2}")), "{\"b\":1,\"a\":2}");
  EXPECT_EQ(dump_line(parse_json("[1E308]")), "[1e+308]");
}

TEST(Config, AKeyOfTooManyPartsIsRefused) {
  const std::string parts = repeat("a.", 1'000'000) + "a";
  for (const std::string& text : {parts + " = 1", "x = 1\n[" + parts + "]\n", "x = {" + parts + " = 1}"}) {
    EXPECT_THAT(error_of([&] { Config::from_toml_text(text, "t.toml"); }), testing::HasSubstr("200 parts"))
        << text.substr(0, 20);
  }
  const std::string ruler(300, '.');
  const Config config = Config::from_toml_text("# " + ruler + "\nx = \"" + ruler + "\"\ny = '" + ruler + "'\n", "t.toml");
  EXPECT_EQ(std::get<std::string>(config.entries().at("x").value), ruler);
}

TEST(Config, EveryValueItWritesReadsBack) {
  std::string characters;
  for (int c = 1; c < 128; ++c) characters += static_cast<char>(c);
  const std::vector<Config::Value> values = {characters,
                                             std::vector<std::string>{characters, "\u00e9"},
                                             1e300,
                                             -0.5,
                                             std::vector<double>{1, 0.25},
                                             std::vector<int64_t>{-1, INT64_MAX},
                                             INT64_MIN,
                                             true};
  for (const Config::Value& value : values) {
    const Config again = Config::from_toml_text("value = " + to_toml(value) + "\n", "again");
    EXPECT_EQ(again.entries().at("value").value, value) << to_toml(value);
  }
}

}  // namespace
}  // namespace harness
