#include "harness/text/jinja/chat_template.h"

#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/text/jinja/interpreter.h"

namespace harness {

namespace {

// A message's reasoning has three names; templates read the first or the second (as transformers hands them over).
OrderedJson with_reasoning(const OrderedJson& messages) {
  OrderedJson aliased = OrderedJson::array();
  for (const OrderedJson& message : messages) {
    if (!message.is_object()) throw Error("messages: expected objects, found {}", message.type_name());
    OrderedJson reasoning;
    for (const char* name : {"reasoning_content", "thinking", "reasoning"}) {
      if (reasoning.is_null() && message.contains(name)) reasoning = message.at(name);
    }
    if (reasoning.is_null()) {
      aliased.push_back(message);
      continue;
    }
    OrderedJson whole = OrderedJson::object();
    whole["thinking"] = reasoning;
    for (const auto& [key, value] : message.items()) whole[key] = value;
    whole["reasoning_content"] = reasoning;
    aliased.push_back(std::move(whole));
  }
  return aliased;
}

// ChatML without a default system line.
constexpr const char* kChatml =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
// The first lines of Llama 3's own template: headers, trimmed contents, BOS before the first message.
constexpr const char* kLlama3 =
    "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + "
    "message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = '<|begin_of_text|>' + content %}"
    "{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}";
// Qwen2.5-Math's: ChatML whose default system line asks for a boxed answer.
constexpr const char* kQwenMath =
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nPlease reason step by step, and put your final answer "
    "within \\\\boxed{}.<|im_end|>\\n' }}{% endif %}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + "
    "message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}"
    "{% endif %}";
constexpr const char* kPlain = "{{ messages | map(attribute='content') | join('\\n') }}";

OrderedJson parse_ordered(const std::string& path) {
  const std::string text = read_file(path);
  return with_context(path, [&] { return parse_ordered_json(text); });
}

// bos_token and the like: strings, or objects with "content".
void read_special_tokens(const OrderedJson& config, OrderedJson& tokens) {
  if (!config.is_object()) return;
  for (const char* name : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    const auto found = config.find(name);
    if (found == config.end()) continue;
    if (found->is_string()) tokens[name] = *found;
    if (found->is_object() && found->contains("content")) tokens[name] = found->at("content");
  }
}

std::optional<std::string> template_of(const OrderedJson& config) {
  const auto found = config.find("chat_template");
  if (found == config.end() || found->is_null()) return std::nullopt;
  if (found->is_string()) return found->get<std::string>();
  if (found->is_array()) {
    for (const OrderedJson& named : *found) {
      if (named.is_object() && named.value("name", "") == "default" && named.contains("template")) {
        return named.at("template").get<std::string>();
      }
    }
    throw Error("chat_template: expected one named \"default\", found none");
  }
  throw Error("chat_template: expected a string or a list, found {}", found->type_name());
}

}  // namespace

struct ChatTemplate::Impl {
  Impl(const std::string& source, const OrderedJson& special) : parsed(source) {
    for (const auto& [name, value] : special.items()) special_tokens.emplace_back(name, jinja::Value::from_json(value));
  }
  jinja::Template parsed;
  std::vector<std::pair<std::string, jinja::Value>> special_tokens;
};

ChatTemplate::ChatTemplate(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
ChatTemplate::~ChatTemplate() = default;

std::string ChatTemplate::render(const OrderedJson& messages, bool add_generation_prompt, const OrderedJson& arguments) const {
  if (!messages.is_array()) throw Error("messages: expected an array, found {}", messages.type_name());
  std::vector<std::pair<std::string, jinja::Value>> variables = impl_->special_tokens;
  variables.emplace_back("tools", jinja::Value());
  variables.emplace_back("documents", jinja::Value());
  if (!arguments.is_null()) {
    if (!arguments.is_object()) throw Error("template_args: expected an object, found {}", arguments.type_name());
    for (const auto& [name, value] : arguments.items()) variables.emplace_back(name, jinja::Value::from_json(value));
  }
  variables.emplace_back("messages", jinja::Value::from_json(with_reasoning(messages)));
  if (!arguments.is_object() || !arguments.contains("add_generation_prompt")) {
    variables.emplace_back("add_generation_prompt", add_generation_prompt);
  }
  return with_context("chat template", [&] { return impl_->parsed.render(variables); });
}

std::shared_ptr<const ChatTemplate> ChatTemplate::from_source(const std::string& source, const OrderedJson& special_tokens) {
  return with_context("chat template", [&] {
    return std::shared_ptr<const ChatTemplate>(new ChatTemplate(std::make_unique<const Impl>(source, special_tokens)));
  });
}

std::shared_ptr<const ChatTemplate> ChatTemplate::from_model_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  OrderedJson tokens = OrderedJson::object();
  std::optional<std::string> source;
  const std::string map_path = folder + "/special_tokens_map.json";
  if (fs::exists(map_path)) read_special_tokens(parse_ordered(map_path), tokens);
  const std::string config_path = folder + "/tokenizer_config.json";
  if (fs::exists(config_path)) {
    const OrderedJson config = parse_ordered(config_path);
    if (!config.is_object()) throw Error("{}: expected a JSON object, found {}", config_path, config.type_name());
    read_special_tokens(config, tokens);
    source = with_context(config_path, [&] { return template_of(config); });
  }
  // A file of its own comes before the one in the configuration.
  if (fs::exists(folder + "/chat_template.jinja")) source = read_file(folder + "/chat_template.jinja");
  if (!source) return nullptr;
  return with_context(folder, [&] { return from_source(*source, tokens); });
}

std::shared_ptr<const ChatTemplate> ChatTemplate::named(const std::string& name) {
  const char* source = name == "chatml"      ? kChatml
                       : name == "llama3"    ? kLlama3
                       : name == "qwen-math" ? kQwenMath
                       : name == "plain"     ? kPlain
                                             : nullptr;
  if (source == nullptr) throw Error("prompt.template: expected chatml, llama3, qwen-math or plain, found {}", name);
  return from_source(source, OrderedJson::object());
}

}  // namespace harness
