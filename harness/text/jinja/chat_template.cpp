#include "harness/text/jinja/chat_template.h"

#include <filesystem>
#include <map>

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

// Strings, or objects with "content".
void read_special_tokens(const OrderedJson& config, OrderedJson& tokens) {
  if (!config.is_object()) return;
  for (const char* name : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    const auto found = config.find(name);
    if (found == config.end()) continue;
    if (found->is_string()) tokens[name] = *found;
    if (found->is_object() && found->contains("content")) tokens[name] = found->at("content");
  }
}

constexpr const char* kDefault = "default";
constexpr const char* kToolUse = "tool_use";  // renders what is given tools, as in transformers

// Sources by name; a single one is the default.
using Sources = std::map<std::string, std::string>;

Sources templates_of(const OrderedJson& config) {
  const auto found = config.find("chat_template");
  if (found == config.end() || found->is_null()) return {};
  if (found->is_string()) return {{kDefault, found->get<std::string>()}};
  if (!found->is_array()) throw Error("chat_template: expected a string or a list, found {}", found->type_name());
  Sources sources;
  for (const OrderedJson& named : *found) {
    const auto text = [&](const char* key) {
      if (!named.is_object() || !named.contains(key) || !named.at(key).is_string())
        throw Error("chat_template: expected \"name\" and \"template\" of each, found {}", named.dump().substr(0, 80));
      return named.at(key).get<std::string>();
    };
    sources[text("name")] = text("template");
  }
  return sources;
}

// chat_template.jinja and additional_chat_templates/NAME.jinja.
void read_template_files(const std::string& folder, Sources& sources) {
  namespace fs = std::filesystem;
  if (fs::exists(folder + "/chat_template.jinja")) sources = {{kDefault, read_file(folder + "/chat_template.jinja")}};
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder + "/additional_chat_templates", none)) {
    if (entry.path().extension() == ".jinja") sources[entry.path().stem().string()] = read_file(entry.path().string());
  }
}

}  // namespace

struct ChatTemplate::Impl {
  Impl(const std::string& source, std::optional<std::string> tool_source, const OrderedJson& special)
      : parsed(source), tool_use(std::move(tool_source)) {
    for (const auto& [name, value] : special.items()) special_tokens.emplace_back(name, jinja::Value::from_json(value));
  }
  jinja::Template parsed;
  std::optional<std::string> tool_use;  // parsed where it is needed: most prompts have no tools
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
  const bool tools = arguments.is_object() && arguments.contains("tools") && !arguments.at("tools").is_null();
  return with_context("chat template", [&] {
    return tools && impl_->tool_use ? jinja::Template(*impl_->tool_use).render(variables) : impl_->parsed.render(variables);
  });
}

std::shared_ptr<const ChatTemplate> ChatTemplate::from_source(const std::string& source, const OrderedJson& special_tokens) {
  return with_context("chat template", [&] {
    return std::shared_ptr<const ChatTemplate>(
        new ChatTemplate(std::make_unique<const Impl>(source, std::nullopt, special_tokens)));
  });
}

std::shared_ptr<const ChatTemplate> ChatTemplate::from_model_folder(const std::string& folder) {
  const std::string path = folder + "/tokenizer_config.json";
  Sources sources;
  if (std::filesystem::exists(path)) {
    const OrderedJson config = parse_ordered(path);
    if (!config.is_object()) throw Error("{}: expected a JSON object, found {}", path, config.type_name());
    sources = with_context(path, [&] { return templates_of(config); });
  }
  read_template_files(folder, sources);
  if (sources.empty()) return nullptr;
  if (!sources.contains(kDefault)) throw Error("{}: expected a chat template named \"default\", found none", folder);
  const auto tool_use = sources.find(kToolUse);
  auto with_tools = tool_use == sources.end() ? std::nullopt : std::optional(tool_use->second);
  return with_context(folder + ": chat template", [&] {
    return std::shared_ptr<const ChatTemplate>(
        new ChatTemplate(std::make_unique<const Impl>(sources[kDefault], std::move(with_tools), special_tokens_of(folder))));
  });
}

OrderedJson special_tokens_of(const std::string& folder) {
  OrderedJson tokens = OrderedJson::object();
  for (const char* name : {"/special_tokens_map.json", "/tokenizer_config.json"}) {  // the second has the last word
    if (std::filesystem::exists(folder + name)) read_special_tokens(parse_ordered(folder + name), tokens);
  }
  return tokens;
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
