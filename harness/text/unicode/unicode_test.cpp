// Every code point against what the `tokenizers` package says of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/utf8.h"
#include "harness/text/tokenizer/normalizer.h"
#include "harness/text/unicode/letter_case.h"
#include "harness/text/unicode/newer_characters.h"
#include "harness/text/unicode/properties.h"
#include "harness/text/unicode/regex.h"

namespace harness {
namespace {

using Ranges = std::vector<std::pair<uint32_t, uint32_t>>;

const Json& golden() {
  static const Json sets = parse_json(read_file(std::string(MEDSBENCH_TEST_DATA) + "/unicode_sets.golden.json"));
  return sets;
}

template <typename Visit>
void for_each_code_point(Visit&& visit) {
  for (char32_t value = 1; value < 0x110000; ++value) {
    if (value < 0xD800 || value > 0xDFFF) visit(value);
  }
}

void add(Ranges& ranges, char32_t value) {
  if (!ranges.empty() && ranges.back().second + 1 == value) {
    ++ranges.back().second;
  } else {
    ranges.emplace_back(value, value);
  }
}

Ranges where(const std::function<bool(char32_t)>& holds) {
  Ranges ranges;
  for_each_code_point([&](char32_t value) {
    if (holds(value)) add(ranges, value);
  });
  return ranges;
}

TEST(Regex, ClassesHoldTheCodePointsOfTheReference) {
  std::string text;
  for_each_code_point([&](char32_t value) { append_utf8(text, value); });
  int classes = 0;
  for (const auto& [pattern, ranges] : golden().items()) {
    if (pattern[0] != '\\' && pattern[0] != '[') continue;
    std::vector<TextRange> matches;
    Regex(pattern).find_all(text, matches);
    Ranges found;
    for (const TextRange& match : matches) add(found, code_point_at(text, match.begin).value);
    EXPECT_EQ(found, ranges.get<Ranges>()) << pattern;
    ++classes;
  }
  EXPECT_EQ(classes, 31);
}

TEST(CodePoints, AreNumbersPunctuationAndMarksAsInTheReference) {
  EXPECT_EQ(where(is_numeric), golden()["numeric"].get<Ranges>());
  EXPECT_EQ(where(is_punctuation), golden()["punctuation"].get<Ranges>());
  EXPECT_EQ(where(is_mark), golden()["marks"].get<Ranges>());
}

TEST(CodePoints, BecomeLowerCaseAsInTheReference) {
  const auto lower = make_normalizer(Json{{"type", "Lowercase"}});
  std::map<uint32_t, std::string> expected;
  for (const Json& row : golden()["lower"]) {
    std::string text;
    for (size_t i = 1; i < row.size(); ++i) append_utf8(text, row[i].get<uint32_t>());
    expected[row[0].get<uint32_t>()] = text;
  }
  ASSERT_EQ(expected.size(), 1488u);
  for_each_code_point([&](char32_t value) {
    std::string text;
    append_utf8(text, value);
    const auto found = expected.find(value);
    EXPECT_EQ(lower->normalize(text), found == expected.end() ? text : found->second) << static_cast<uint32_t>(value);
  });
}

using Case = std::string (*)(std::string_view);

TEST(LetterCase, OfEveryCharacterIsPythons) {
  const Json cases = parse_json(read_file(std::string(MEDSBENCH_TEST_DATA) + "/letter_case.golden.json"));
  const std::map<std::string, Case> functions = {{"upper", upper_text}, {"lower", lower_text}, {"title", title_text}};
  for (const auto& [name, function] : functions) {
    std::map<uint32_t, std::string> expected;
    for (const Json& row : cases[name]) {
      for (size_t i = 1; i < row.size(); ++i) append_utf8(expected[row[0].get<uint32_t>()], row[i].get<uint32_t>());
    }
    for_each_code_point([&](char32_t value) {
      const std::string text = to_utf8(std::u32string{value});
      const auto found = expected.find(value);
      EXPECT_EQ(function(text), found == expected.end() ? text : found->second) << name << " " << static_cast<uint32_t>(value);
    });
  }
  // Those of Unicode 14: our library knows newer ones.
  const auto old = [](const std::function<bool(char32_t)>& holds) {
    return where([&](char32_t value) { return known_character(value) == value && holds(value); });
  };
  const auto among = [&](const char* name) {
    std::set<uint32_t> members;
    for (const auto& [first, last] : cases[name].get<Ranges>()) {
      for (uint32_t value = first; value <= last; ++value) members.insert(value);
    }
    return [members](char32_t value) { return members.contains(value); };
  };
  EXPECT_EQ(old(is_cased), old(among("cased")));
  EXPECT_EQ(old(is_case_ignorable), old(among("passed")));
}

TEST(LetterCase, OfATextGoesByItsNeighboursAsInPython) {
  const Json cases = parse_json(read_file(std::string(MEDSBENCH_TEST_DATA) + "/letter_case.golden.json"));
  const std::map<std::string, Case> functions = {
      {"upper", upper_text}, {"lower", lower_text}, {"title", title_text}, {"capitalize", capitalize_text}};
  ASSERT_GE(cases["texts"].size(), 25u);
  for (const Json& line : cases["texts"]) {
    for (const auto& [name, function] : functions) {
      const auto text = line["text"].get<std::string>();
      EXPECT_EQ(function(text), line[name].get<std::string>()) << name << " of " << text;
    }
  }
}

TEST(NormalisationForms, LeaveWholeWhatTheReferenceDoes) {
  for (const char* form : {"NFC", "NFD", "NFKC", "NFKD"}) {
    const auto normalizer = make_normalizer(Json{{"type", form}});
    for (const auto& [first, last] : golden()["whole"].get<Ranges>()) {
      for (uint32_t value = first; value <= last; ++value) {
        const std::string text = to_utf8(std::u32string{U'\u00e9', value, U'\ufb01'});
        const std::string middle = to_utf8(std::u32string{value});
        EXPECT_THAT(normalizer->normalize(text), testing::HasSubstr(middle)) << form;
      }
    }
    EXPECT_EQ(normalizer->normalize("e\u0301"), form[2] == 'C' || form[3] == 'C' ? "\u00e9" : "e\u0301");
  }
}

TEST(NewerCharacters, KeepTheirPlacesInTheText) {
  std::string written;
  const std::string old = "a\u00e9\u4e00";
  EXPECT_EQ(with_known_characters(old, written).data(), old.data());
  for (const NewerRange& range : newer_ranges()) {
    std::string newer, known;
    append_utf8(newer, range.last);
    append_utf8(known, range.known);
    EXPECT_EQ(newer.size(), known.size());
    EXPECT_EQ(with_known_characters("x" + newer + "y" + newer, written), "x" + known + "y" + known);
    EXPECT_EQ(known_character(range.known), range.known);
  }
  EXPECT_EQ(known_character(0x10FFFF), 0x10FFFFu);
}

}  // namespace
}  // namespace harness
