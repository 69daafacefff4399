#include "harness/rollout/prompt.h"

#include <algorithm>

#include "harness/core/error.h"

namespace harness {

PromptSettings read_prompt_settings(ConfigReader& keys) {
  PromptSettings s;
  s.form = keys.text("prompt.template", "model", {"model", "plain", "chatml", "llama3", "qwen-math"},
                     "chat template: that of the model's folder, a named one, or none (plain)");
  s.system = keys.text("prompt.system", "", "system line; empty: none");
  s.instruction = keys.text("prompt.instruction", "", "put after the problem, on a line of its own");
  s.suffix = keys.text("prompt.suffix", "", "put right after the problem");
  s.add_bos = keys.boolean("prompt.add_bos", s.add_bos, "plain template: the model's bos first");
  s.shots = keys.texts("prompt.shots", {}, "worked examples before the problem: problem and response in turn");
  s.enable_thinking = keys.boolean("prompt.enable_thinking", s.enable_thinking, "handed to the chat template");
  s.stop_ids = keys.integers("prompt.stop_ids", {}, "ids that end a response beside the model's eos ids");
  s.prompt_tokens = keys.integer("prompt.prompt_tokens", s.prompt_tokens, 1, "longer prompts are left out and counted");
  if (s.shots.size() % 2 != 0) {
    throw Error("prompt.shots: expected problem and response in turn, found {} texts", s.shots.size());
  }
  return s;
}

PromptMaker::PromptMaker(PromptSettings settings, const std::string& model_folder, const ModelConfig& model,
                         std::shared_ptr<const Tokenizer> tokenizer)
    : settings_(std::move(settings)), tokenizer_(std::move(tokenizer)), stop_ids_(model.eos_ids), bos_id_(model.bos_id) {
  if (settings_.form == "model") {
    chat_ = ChatTemplate::from_model_folder(model_folder);
    if (chat_ == nullptr) {
      throw Error(
          "{}: expected a chat template (chat_template.jinja or in tokenizer_config.json), found none; set "
          "prompt.template to \"plain\" or a named one",
          model_folder);
    }
  } else if (settings_.form != "plain") {
    chat_ = ChatTemplate::named(settings_.form);
  }
  if (settings_.add_bos && bos_id_ < 0) {
    throw Error("{}: expected bos_token_id in config.json (prompt.add_bos is set), found none", model_folder);
  }
  for (const int64_t id : settings_.stop_ids) {
    if (!is_stop(id)) stop_ids_.push_back(id);
  }
  if (stop_ids_.empty()) {
    throw Error("{}: expected eos_token_id in config.json or generation_config.json (or prompt.stop_ids), found none",
                model_folder);
  }
  closing_id_ = closing_id(model_folder);
}

bool PromptMaker::is_stop(int64_t id) const { return std::find(stop_ids_.begin(), stop_ids_.end(), id) != stop_ids_.end(); }

int64_t PromptMaker::closing_id(const std::string& model_folder) const {
  if (stop_ids_.size() == 1) return stop_ids_.front();
  const OrderedJson special = special_tokens_of(model_folder);
  if (const auto eos = special.find("eos_token"); eos != special.end() && eos->is_string()) {
    const auto id = tokenizer_->id_of(eos->get<std::string>());
    if (id && is_stop(*id)) return *id;
  }
  if (chat_ != nullptr) {
    const OrderedJson turns = {{{"role", "user"}, {"content", "1"}}, {{"role", "assistant"}, {"content", "1"}}};
    const std::vector<int64_t> ids = tokenizer_->encode(chat_->render(turns, false));
    const auto last = std::find_if(ids.rbegin(), ids.rend(), [this](int64_t id) { return is_stop(id); });
    if (last != ids.rend()) return *last;
  }
  return stop_ids_.front();
}

std::string PromptMaker::render(const std::string& problem) const {
  std::string text = problem + settings_.suffix;
  if (!settings_.instruction.empty()) text += "\n" + settings_.instruction;
  if (chat_ == nullptr) {
    std::string out = settings_.system.empty() ? "" : settings_.system + "\n";
    for (size_t i = 0; i < settings_.shots.size(); i += 2) {
      out += settings_.shots[i] + settings_.suffix;
      if (!settings_.instruction.empty()) out += "\n" + settings_.instruction;
      out += "\n" + settings_.shots[i + 1] + "\n\n";
    }
    return out + text;
  }
  OrderedJson messages = OrderedJson::array();
  const auto add = [&](const char* role, const std::string& content) {
    messages.push_back(OrderedJson{{"role", role}, {"content", content}});
  };
  if (!settings_.system.empty()) add("system", settings_.system);
  for (size_t i = 0; i < settings_.shots.size(); i += 2) {
    std::string shot = settings_.shots[i] + settings_.suffix;
    if (!settings_.instruction.empty()) shot += "\n" + settings_.instruction;
    add("user", shot);
    add("assistant", settings_.shots[i + 1]);
  }
  add("user", text);
  return chat_->render(messages, true, OrderedJson{{"enable_thinking", settings_.enable_thinking}});
}

std::vector<int64_t> PromptMaker::ids(const std::string& problem) const {
  std::vector<int64_t> ids = tokenizer_->encode(render(problem));
  if (settings_.add_bos && chat_ == nullptr) ids.insert(ids.begin(), bos_id_);
  return ids;
}

std::vector<int64_t> PromptMaker::response_ids(const std::string& response) const {
  std::vector<int64_t> ids = tokenizer_->encode(response);
  ids.push_back(closing_id_);
  return ids;
}

}  // namespace harness
