// Chat templates: a model's own Jinja template rendered as transformers renders it, and named ones that replace it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/json.h"

namespace harness {

// bos_token, eos_token, unk_token, sep_token, pad_token, cls_token and mask_token of a model folder, where
// tokenizer_config.json or special_tokens_map.json name them.
OrderedJson special_tokens_of(const std::string& folder);

class ChatTemplate {
 public:
  // From the template's source; `special_tokens` holds bos_token, eos_token, pad_token, unk_token where known.
  static std::shared_ptr<const ChatTemplate> from_source(const std::string& source, const OrderedJson& special_tokens);
  // From a model folder: tokenizer_config.json (a string, or a list of named ones) or chat_template.jinja with
  // additional_chat_templates/NAME.jinja. Of named ones "tool_use" renders what is given tools, "default" the rest. None: the
  // folder has no template.
  static std::shared_ptr<const ChatTemplate> from_model_folder(const std::string& folder);
  // "chatml", "llama3", "qwen-math", "plain" (contents joined by newlines). Throws Error for another name.
  static std::shared_ptr<const ChatTemplate> named(const std::string& name);

  ~ChatTemplate();
  // `messages`: array of {"role", "content"}; `arguments`: further template variables (enable_thinking, tools, ...). Throws
  // Error with the construct and its line for what the interpreter does not support, and for raise_exception.
  [[nodiscard]] std::string render(const OrderedJson& messages, bool add_generation_prompt,
                                   const OrderedJson& arguments = OrderedJson::object()) const;

 private:
  struct Impl;
  explicit ChatTemplate(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace harness
