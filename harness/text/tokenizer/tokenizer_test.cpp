#include "harness/text/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/testing.h"
#include "harness/text/tokenizer/character_tokenizer.h"
#include "harness/text/tokenizer/pre_tokenizer.h"

namespace harness {
namespace {

using Ids = std::vector<int64_t>;

std::shared_ptr<const Tokenizer> stored(const std::string& name) {
  return Tokenizer::from_file(std::string(MEDSBENCH_TEST_DATA) + "/" + name + ".tokenizer.json");
}

std::vector<Json> golden(const std::string& name) {
  std::istringstream in(read_file(std::string(MEDSBENCH_TEST_DATA) + "/" + name + ".golden.jsonl"));
  std::vector<Json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(parse_json(line));
  return lines;
}

std::shared_ptr<const Tokenizer> characters() {
  return Tokenizer::from_json_text(character_tokenizer_json("0123456789+-= \n}é", {"<pad>", "<bos>", "<eos>"}, {"\\boxed{"}),
                                   "characters");
}

std::string message_of(const std::string& json) {
  return error_of([&] { Tokenizer::from_json_text(json, "t.json"); });
}

class GoldenTokenizer : public testing::TestWithParam<const char*> {};

TEST_P(GoldenTokenizer, GivesTheIdsAndTextsOfTheReference) {
  const auto tokenizer = stored(GetParam());
  const auto lines = golden(GetParam());
  ASSERT_EQ(lines.size(), 150u);
  for (const Json& line : lines) {
    const auto text = line["text"].get<std::string>();
    EXPECT_EQ(tokenizer->encode(text), line["ids"].get<Ids>()) << text;
    EXPECT_EQ(tokenizer->encode(text, {.add_special = true}), line["with_special"].get<Ids>()) << text;
    const auto cut = line["cut"].get<Ids>();
    EXPECT_EQ(tokenizer->decode(cut), line["cut_text"].get<std::string>());
    EXPECT_EQ(tokenizer->decode(cut, true), line["cut_text_without_special"].get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Stored, GoldenTokenizer,
                         testing::Values("qwen2s", "llama3s", "gpt2s", "llama2", "metaalways", "suffix"));

TEST(Tokenizer, DecodesAnAddedTokenAsTheNormalisedTextThatItStandsFor) {
  const auto lines = golden("added_tokens");
  ASSERT_GE(lines.size(), 25u);
  for (const Json& line : lines) {
    const auto tokenizer = Tokenizer::from_json_text(line["tokenizer"].dump(), "added");
    const auto text = line["text"].get<std::string>();
    const Ids ids = tokenizer->encode(text);
    EXPECT_EQ(ids, line["ids"].get<Ids>()) << text;
    EXPECT_EQ(tokenizer->decode(ids), line["decoded"].get<std::string>()) << text;
    EXPECT_EQ(tokenizer->decode(ids, true), line["decoded_without_special"].get<std::string>()) << text;
  }
}

TEST(Tokenizer, ReadsAddedTokensAsOrdinaryTextWhenPlain) {
  const auto tokenizer = stored("qwen2s");
  const int64_t think = tokenizer->id_of("<think>").value();
  EXPECT_EQ(tokenizer->encode("<think>"), Ids{think});
  const Ids plain = tokenizer->encode("<think>", {.plain = true});
  EXPECT_THAT(plain, testing::Not(testing::Contains(think)));
  EXPECT_EQ(tokenizer->decode(plain), "<think>");
}

TEST(Tokenizer, GivesTheSameIdsFromManyThreads) {
  const auto tokenizer = stored("llama3s");
  const auto lines = golden("llama3s");
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (const Json& line : lines) {
        if (tokenizer->encode(line["text"].get<std::string>()) != line["ids"].get<Ids>()) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(Tokenizer, ReadsInvalidBytesAsReplacementCharacters) {
  const auto tokenizer = stored("llama3s");
  EXPECT_EQ(tokenizer->encode("a\xFF\xE4\xBD"), tokenizer->encode("a\xEF\xBF\xBD\xEF\xBF\xBD"));
}

TEST(Tokenizer, LeavesOutIdsBeyondItsVocabulary) {
  const auto tokenizer = characters();
  EXPECT_EQ(tokenizer->decode(Ids{4, 9999, -1, 5}), "01");
  EXPECT_EQ(tokenizer->token_bytes(9999), "");
}

TEST(Tokenizer, LongRunsTakeLinearTime) {
  const auto tokenizer = stored("qwen2s");
  const std::string run(300000, 'a');
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(run)), run);
  const std::string spaces(300000, ' ');
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(spaces)), spaces);
}

TEST(CharacterTokenizer, NumbersSpecialThenAddedThenCharacters) {
  const auto tokenizer = characters();
  EXPECT_EQ(tokenizer->size(), 3 + 1 + 17);
  EXPECT_EQ(tokenizer->id_of("<eos>"), 2);
  EXPECT_EQ(tokenizer->encode("\\boxed{12}<eos>"), (Ids{3, 5, 6, 19, 2}));
  EXPECT_EQ(tokenizer->decode(Ids{1, 3, 5, 6, 19, 20, 2}), "<bos>\\boxed{12}é<eos>");
  EXPECT_EQ(tokenizer->decode(Ids{1, 3, 5, 6, 19, 2}, true), "\\boxed{12}");
}

TEST(CharacterTokenizer, LeavesOutUnknownCharacters) { EXPECT_EQ(characters()->encode("1x2"), (Ids{5, 6})); }

TEST(CharacterTokenizer, RefusesATokenThatStandsTwice) {
  EXPECT_THROW(character_tokenizer_json("aa", {}, {}), Error);
  EXPECT_THROW(character_tokenizer_json("a", {"a"}, {}), Error);
}

TEST(TokenizerFile, WithAPartThatIsNotSupportedIsRefusedByName) {
  EXPECT_THAT(message_of(R"({"model": {"type": "Unigram", "vocab": []}})"), testing::HasSubstr("t.json: model: Unigram"));
  const std::string model = R"("model": {"type": "BPE", "vocab": {"a": 0}, "merges": []})";
  EXPECT_EQ(message_of("{" + model + "}"), "");
  EXPECT_THAT(message_of("{" + model + R"(, "normalizer": {"type": "Nmt"}})"), testing::HasSubstr("normalizer: Nmt"));
  EXPECT_THAT(message_of("{" + model + R"(, "pre_tokenizer": {"type": "UnicodeScripts"}})"),
              testing::HasSubstr("pre_tokenizer: UnicodeScripts"));
  EXPECT_THAT(message_of("{" + model + R"(, "decoder": {"type": "CTC"}})"), testing::HasSubstr("decoder: CTC"));
  EXPECT_THAT(message_of("{" + model + R"(, "post_processor": {"type": "X"}})"), testing::HasSubstr("post_processor: X"));
  EXPECT_THAT(message_of("{" + model +
                         R"(, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "[a&&b]"}, "behavior": "Isolated"}})"),
              testing::HasSubstr("class intersection"));
}

// Each of these once ended in an overflow, a read beyond a text, or memory without bound.
TEST(TokenizerFile, MadeToDoHarmIsRefusedOrAnswered) {
  const std::string model = R"("model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []})";
  EXPECT_THAT(message_of(R"({"model": {"type": "BPE", "vocab": {"a": 2147483647}, "merges": []}})"),
              testing::HasSubstr("2147483647"));
  EXPECT_THAT(message_of(R"({"model": {"type": "BPE", "vocab": {"a": 2147483647}, "merges": []},
    "added_tokens": [{"content": "a"}, {"content": "c"}]})"),
              testing::HasSubstr("2147483648"));
  const auto bytes_twice = Tokenizer::from_json_text(
      R"({"model": {"type": "BPE", "vocab": {"<0xF0>": 0}, "merges": []},
          "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "ByteLevel"}]}})",
      "t.json");
  EXPECT_EQ(bytes_twice->token_bytes(0), "\xF0");
  const auto repeated = [&](const std::string& step) {
    std::string steps = step;
    for (int i = 0; i < 40; ++i) steps += "," + step;
    return steps;
  };
  const std::string doubled = R"({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"})";
  const auto growing = [&](const std::string& part) {
    return Tokenizer::from_json_text("{" + model + "," + part + "}", "t.json");
  };
  EXPECT_THROW(growing(R"("normalizer": {"type": "Sequence", "normalizers": [)" + repeated(doubled) + "]}")->encode("a"),
               Error);
  EXPECT_THROW(growing(R"("decoder": {"type": "Sequence", "decoders": [)" + repeated(doubled) + "]}")->decode(Ids{0}), Error);
  const std::string template_twice =
      R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}, {"Sequence": {"id": "A"}}]})";
  EXPECT_THROW(growing(R"("post_processor": {"type": "Sequence", "processors": [)" + repeated(template_twice) + "]}")
                   ->encode("a", {.add_special = true}),
               Error);
  const std::string by_bytes = R"({"type": "ByteLevel", "add_prefix_space": true, "use_regex": false})";
  EXPECT_THROW(
      growing(R"("pre_tokenizer": {"type": "Sequence", "pretokenizers": [)" + repeated(by_bytes) + "]}")->encode("\u00e9"),
      Error);
}

TEST(TokenizerFile, WithAMissingOrDamagedPartIsRefused) {
  EXPECT_THAT(message_of("{}"), testing::HasSubstr("\"model\""));
  EXPECT_THAT(message_of("[1]"), testing::HasSubstr("expected a JSON object"));
  EXPECT_THAT(message_of("{"), testing::HasSubstr("expected JSON"));
  EXPECT_THAT(message_of(R"({"model": {"type": "BPE", "merges": []}})"), testing::HasSubstr("\"vocab\""));
  EXPECT_THAT(message_of(R"({"model": {"type": "BPE", "vocab": {"a": 0}}})"), testing::HasSubstr("\"merges\""));
  EXPECT_THAT(message_of(R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}})"),
              testing::HasSubstr("number 0"));
  EXPECT_THAT(message_of(R"({"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}})"), testing::HasSubstr("-1"));
  EXPECT_THAT(message_of(R"({"model": {"type": "BPE", "vocab": {"a": 2000000000}, "merges": []}})"),
              testing::HasSubstr("2000000000"));
  EXPECT_THROW(Tokenizer::from_file("no/such/tokenizer.json"), Error);
}

// The example in the documentation of the `tokenizers` package (SplitDelimiterBehavior).
TEST(PreTokenizer, SplitsByEachBehaviourAsTheReferenceSays) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"Removed", {"the", "final", "countdown"}},
      {"Isolated", {"the", "-", "final", "-", "-", "countdown"}},
      {"MergedWithPrevious", {"the-", "final-", "-", "countdown"}},
      {"MergedWithNext", {"the", "-final", "-", "-countdown"}},
      {"Contiguous", {"the", "-", "final", "--", "countdown"}}};
  for (const auto& [behavior, parts] : expected) {
    for (const Json& pattern : {Json{{"String", "-"}}, Json{{"Regex", "-"}}}) {
      const auto chain =
          make_pre_tokenizer({{"type", "Split"}, {"pattern", pattern}, {"behavior", behavior}, {"invert", false}});
      std::vector<Piece> pieces = {{"the-final--countdown", true}};
      std::deque<std::string> arena;
      chain.steps->apply(pieces, arena);
      std::vector<std::string> found;
      for (const Piece& piece : pieces) found.emplace_back(piece.text);
      EXPECT_EQ(found, parts) << behavior;
      EXPECT_TRUE(pieces.front().at_start);
      EXPECT_FALSE(pieces.back().at_start);
    }
  }
}

}  // namespace
}  // namespace harness
