#include "harness/rollout/fingerprint.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/core/error.h"
#include "harness/text/tokenizer/character_tokenizer.h"

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

TEST(LayerChoice, TakesTheLastAndDifferencesBefore) {
  const std::vector<float> readout = {1, 2, 4, 8, 16};
  EXPECT_EQ(choose_layers(readout, layer_choice("last2")), (std::vector<float>{8, 16}));
  EXPECT_EQ(choose_layers(readout, layer_choice("14")), readout);
  EXPECT_EQ(choose_layers(readout, layer_choice("half")), (std::vector<float>{8, 16}));
  EXPECT_EQ(choose_layers(readout, layer_choice("all", true)), (std::vector<float>{1, 2, 4, 8}));
  EXPECT_EQ(choose_layers(readout, layer_choice("last2", true)), (std::vector<float>{4, 8}));
  for (const char* bad : {"", "last", "last0", "-3", "most"}) EXPECT_THROW((void)layer_choice(bad), Error) << bad;
}

// Probed by readouts of one 1 each.
TEST(LayerChoice, ReadsNoLayerBelowItsFirst) {
  for (const char* layers : {"last1", "last2", "last4", "last5", "last14", "half", "all"}) {
    for (const bool differences : {false, true}) {
      for (int64_t count = 1; count <= 6; ++count) {
        const LayerChoice choice = layer_choice(layers, differences);
        int64_t lowest = count;
        for (int64_t l = count - 1; l >= 0; --l) {
          std::vector<float> readout(static_cast<size_t>(count), 0.0f);
          readout[static_cast<size_t>(l)] = 1;
          const std::vector<float> chosen = choose_layers(readout, choice);
          if (std::any_of(chosen.begin(), chosen.end(), [](float value) { return value != 0; })) lowest = l;
        }
        EXPECT_EQ(first_layer(choice, count), lowest) << layers << differences << count;
      }
    }
  }
}

class ReaderOfFingerprints : public testing::Test {
 protected:
  std::vector<float> read(const std::string& layers, bool differences, const std::vector<float>& readout) const {
    const FingerprintReader reader(*tokenizer_, {PositionRule::reference, layer_choice(layers, differences), false}, 3);
    return reader.fingerprint(ids_, readout);
  }
  std::shared_ptr<const Tokenizer> tokenizer_ =
      Tokenizer::from_json_text(character_tokenizer_json("0123456789{}", {"<end>"}, {"\\boxed{"}), "toy");
  std::vector<int64_t> ids_ = tokenizer_->encode("1\\boxed{7}");  // the box is one token; the answer is the next
};

TEST_F(ReaderOfFingerprints, GivesTheChosenLayersOfTheAnswerToken) {
  const std::vector<float> readout = {1, 2, 3, 4, 5, 6, 10, 20, 40, 7, 8, 9};  // [4, 3]
  ASSERT_EQ(ids_.size(), 4u);
  EXPECT_EQ(read("all", false, readout), (std::vector<float>{10, 20, 40}));
  EXPECT_EQ(read("last2", false, readout), (std::vector<float>{20, 40}));
  EXPECT_EQ(read("all", true, readout), (std::vector<float>{10, 20}));
  EXPECT_EQ(read("last1", true, readout), (std::vector<float>{20}));
}

TEST_F(ReaderOfFingerprints, GivesNoneWithoutAReadoutOrAnAnswerToken) {
  EXPECT_TRUE(read("all", false, {}).empty());
  const FingerprintReader reader(*tokenizer_, {}, 3);
  EXPECT_EQ(reader.position(ids_), 1);
  EXPECT_EQ(reader.row(ids_, std::vector<float>(12, 1)).size(), 3u);
  ids_.resize(2);
  EXPECT_EQ(reader.position(ids_), std::nullopt);
  EXPECT_TRUE(reader.row(ids_, std::vector<float>(6, 1)).empty());
  EXPECT_TRUE(reader.fingerprint(ids_, std::vector<float>(6, 1)).empty());
}

}  // namespace
}  // namespace harness
