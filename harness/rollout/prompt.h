// Prompt block: how a problem's text becomes the ids that a model is given, recorded and shown rendered once a run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/config_reader.h"
#include "harness/model/files/model_config.h"
#include "harness/text/jinja/chat_template.h"
#include "harness/text/tokenizer/tokenizer.h"

namespace harness {

struct PromptSettings {
  std::string form = "model";  // prompt.template: "model" (the folder's own chat template), a named one, or "plain" (no chat)
  std::string system;          // system line; "": none
  std::string instruction;     // put after the problem, on a line of its own
  std::string suffix;          // put right after the text (nano: "?")
  bool add_bos = false;        // plain only: the model's bos first
  std::vector<std::string> shots;  // worked examples, problem and response in turn, before the problem
  bool enable_thinking = false;    // handed to the template
  std::vector<int64_t> stop_ids;   // beside the model's eos ids
  int64_t prompt_tokens = 1024;    // longer prompts are dropped and counted
};

// Reads prompt.*.
PromptSettings read_prompt_settings(ConfigReader& keys);

// Makes prompts for one model folder.
class PromptMaker {
 public:
  // Throws Error if the folder lacks what the form needs (a chat template, bos), or where there is no stop id.
  PromptMaker(PromptSettings settings, const std::string& model_folder, const ModelConfig& model,
              std::shared_ptr<const Tokenizer> tokenizer);
  // The prompt as text, from a problem's text; without the bos that add_bos puts first.
  [[nodiscard]] std::string render(const std::string& problem) const;
  // The prompt as ids. The limit `prompt_tokens` is the caller's to keep.
  [[nodiscard]] std::vector<int64_t> ids(const std::string& problem) const;
  // The model's eos ids and the settings' own.
  [[nodiscard]] const std::vector<int64_t>& stop_ids() const { return stop_ids_; }
  // A supervised response with the stop id that closes it: the tokenizer's eos_token if that is one, else the one with which
  // the chat template ends a turn, else the first.
  [[nodiscard]] std::vector<int64_t> response_ids(const std::string& response) const;
  [[nodiscard]] const Tokenizer& tokenizer() const { return *tokenizer_; }
  [[nodiscard]] const PromptSettings& settings() const { return settings_; }

 private:
  [[nodiscard]] bool is_stop(int64_t id) const;
  [[nodiscard]] int64_t closing_id(const std::string& model_folder) const;

  PromptSettings settings_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<const ChatTemplate> chat_;
  std::vector<int64_t> stop_ids_;
  int64_t bos_id_ = -1;
  int64_t closing_id_ = -1;
};

}  // namespace harness
