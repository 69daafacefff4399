#include "harness/rollout/prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/testing.h"
#include "harness/text/tokenizer/character_tokenizer.h"

namespace harness {
namespace {

using ::testing::ElementsAre;

// <|endoftext|> 0, <|im_start|> 1, <|im_end|> 2, <|eom|> 3, "1" 4.
class ClosingId : public ::testing::Test {
 protected:
  ClosingId() { folder_.write("tokenizer.json", tokens_); }
  [[nodiscard]] int64_t of(const Json& config, std::vector<int64_t> eos_ids, PromptSettings settings = {}) const {
    folder_.write("tokenizer_config.json", config.dump());
    ModelConfig model;
    model.eos_ids = std::move(eos_ids);
    const PromptMaker prompts(std::move(settings), folder_.path(), model, Tokenizer::from_json_text(tokens_, "tokens"));
    const std::vector<int64_t> ids = prompts.response_ids("1");
    EXPECT_EQ(ids.size(), 2u);
    EXPECT_EQ(ids.front(), 4);
    return ids.back();
  }
  static PromptSettings form(const std::string& name, std::vector<int64_t> stop_ids = {}) {
    PromptSettings settings;
    settings.form = name;
    settings.stop_ids = std::move(stop_ids);
    return settings;
  }

  const std::string tokens_ =
      character_tokenizer_json("1 \nuseraitn", {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|eom|>"}, {});
  const std::string chatml_ =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
      "{% if add_generation_prompt %}<|im_start|>{% endif %}";
  ScratchFolder folder_;
};

TEST_F(ClosingId, IsTheTokenizersEosTokenWhereThatStops) {
  const Json named = {{"eos_token", "<|im_end|>"}, {"chat_template", chatml_}};
  const Json object = {{"eos_token", {{"content", "<|im_end|>"}}}, {"chat_template", chatml_}};
  EXPECT_EQ(of(named, {0, 3, 2}), 2);
  EXPECT_EQ(of(object, {0, 3, 2}), 2);
  EXPECT_EQ(of(named, {0, 3, 2}, form("plain")), 2);
  EXPECT_EQ(of(named, {0}, form("plain", {3, 2})), 2);  // prompt.stop_ids count
  folder_.write("special_tokens_map.json", Json{{"eos_token", "<|im_end|>"}}.dump());
  EXPECT_EQ(of(Json::object(), {0, 2}, form("plain")), 2);
}

TEST_F(ClosingId, IsElseTheTokenThatEndsATurnOfTheTemplate) {
  EXPECT_EQ(of({{"eos_token", "<|eom|>"}, {"chat_template", chatml_}}, {0, 2}), 2);  // <|eom|> does not stop
  EXPECT_EQ(of({{"chat_template", chatml_}}, {0, 3, 2}), 2);
  EXPECT_EQ(of(Json::object(), {0, 3, 2}, form("chatml")), 2);
}

TEST_F(ClosingId, IsElseTheFirstStopId) {
  EXPECT_EQ(of(Json::object(), {0, 3}, form("plain")), 0);
  EXPECT_EQ(of({{"eos_token", "<|im_end|>"}}, {3, 0}, form("chatml")), 3);  // neither eos_token nor the template's end stops
  EXPECT_EQ(of({{"eos_token", "<|nowhere|>"}}, {3, 0}, form("plain")), 3);
  EXPECT_EQ(of({{"eos_token", "<|im_end|>"}, {"chat_template", chatml_}}, {0}), 0);  // one stop id needs no choice
}

}  // namespace
}  // namespace harness
