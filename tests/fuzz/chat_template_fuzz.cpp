// Fuzz target: any bytes as a chat template, rendered over fixed conversations.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "harness/core/error.h"
#include "harness/text/jinja/chat_template.h"

namespace {

struct Conversation {
  harness::OrderedJson messages;
  harness::OrderedJson arguments;
  bool prompt = true;
};

std::vector<Conversation> conversations() {
  const auto plain = harness::OrderedJson::parse(R"([{"role": "user", "content": "What is 2+3? \u00e9"}])");
  const auto full = harness::OrderedJson::parse(R"([
    {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Add 2 and 3."},
    {"role": "assistant", "content": "<think>\nadd\n</think>\n\n5", "reasoning_content": "add",
     "tool_calls": [{"type": "function", "id": "call00001", "function": {"name": "add", "arguments": {"a": 2, "b": 3.5}}}]},
    {"role": "tool", "name": "add", "tool_call_id": "call00001", "content": "5"}, {"role": "user", "content": "Thanks"}])");
  const auto tools = harness::OrderedJson::parse(R"([{"type": "function", "function": {"name": "add", "description": "Adds.",
    "parameters": {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}, "required": ["a"]}}}])");
  return {{plain, harness::OrderedJson::object(), true},
          {full, {{"tools", tools}, {"enable_thinking", false}}, true},
          {full, {{"enable_thinking", true}}, false}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<Conversation> talks = conversations();
  static const harness::OrderedJson special = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
  const std::string source(reinterpret_cast<const char*>(data), size);
  std::shared_ptr<const harness::ChatTemplate> chat;
  try {
    chat = harness::ChatTemplate::from_source(source, special);
  } catch (const harness::Error&) {
    return 0;  // bad input is answered, not a finding
  }
  for (const Conversation& talk : talks) {
    try {
      (void)chat->render(talk.messages, talk.prompt, talk.arguments);
    } catch (const harness::Error&) {
      // the same
    }
  }
  return 0;
}
