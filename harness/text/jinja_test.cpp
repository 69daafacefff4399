#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/text/chat_template.h"
#include "harness/text/jinja_interpreter.h"

namespace harness {
namespace {

std::string data(const std::string& name) { return read_file(std::string(MEDSBENCH_TEST_DATA) + "/" + name); }

std::string render(const std::string& source) { return jinja::Template(source).render({}); }

std::string failure(const std::string& source) {
  try {
    render(source);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Jinja, RendersWhatTheReferenceRenders) {
  std::vector<std::pair<std::string, jinja::Value>> variables;
  const OrderedJson values = OrderedJson::parse(data("jinja.variables.json"));
  for (const auto& [name, value] : values.items()) {
    variables.emplace_back(name, jinja::Value::from_json(value));
  }
  std::istringstream in(data("jinja.golden.jsonl"));
  for (std::string line; std::getline(in, line);) {
    const Json expected = parse_json(line);
    const auto source = expected["template"].get<std::string>();
    if (expected.contains("fails")) {
      EXPECT_THROW(jinja::Template(source).render(variables), Error) << source;
    } else {
      std::string text;
      EXPECT_NO_THROW(text = jinja::Template(source).render(variables)) << source;
      EXPECT_EQ(text, expected["text"].get<std::string>()) << source;
    }
  }
}

TEST(Jinja, NamesTheConstructAndItsLineWhereItRefuses) {
  EXPECT_THAT(failure("a\n{% include 'b' %}"), testing::AllOf(testing::HasSubstr("line 2"), testing::HasSubstr("include")));
  EXPECT_THAT(failure("\n\n{{ 1 | truncate }}"), testing::AllOf(testing::HasSubstr("line 3"), testing::HasSubstr("truncate")));
  EXPECT_THAT(failure("{{ x is escaped }}"), testing::HasSubstr("\"escaped\""));
  EXPECT_THAT(failure("{% if x %}"), testing::HasSubstr("elif"));
  EXPECT_THAT(failure("\n{{ raise_exception('no system role') }}"), testing::HasSubstr("line 2: no system role"));
}

TEST(Jinja, EndsTemplatesThatWouldNotEnd) {
  EXPECT_NE(failure("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"), "");
  EXPECT_NE(failure("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"), "");
  EXPECT_NE(failure("{{ 'a' * 10 ** 12 }}"), "");
  EXPECT_NE(failure("{{ range(10 ** 9) }}"), "");
  EXPECT_NE(failure("{{ " + std::string(5000, '(') + "1" + std::string(5000, ')') + " }}"), "");
  EXPECT_NE(failure("{{ 9223372036854775807 + 1 }}"), "");
}

TEST(ChatTemplate, NamedOnesRenderTheirFormats) {
  const OrderedJson messages = OrderedJson::parse(R"([{"role": "user", "content": "Hi"}])");
  EXPECT_EQ(ChatTemplate::named("chatml")->render(messages, true), "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(ChatTemplate::named("llama3")->render(messages, true),
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(ChatTemplate::named("qwen-math")->render(messages, false),
            "<|im_start|>system\nPlease reason step by step, and put your final answer within \\boxed{}.<|im_end|>\n"
            "<|im_start|>user\nHi<|im_end|>\n");
  EXPECT_EQ(ChatTemplate::named("plain")->render(messages, true), "Hi");
  EXPECT_THROW(ChatTemplate::named("other"), Error);
}

class FamilyTemplate : public testing::TestWithParam<const char*> {};

TEST_P(FamilyTemplate, RendersConversationsAsTheReference) {
  const std::string name = GetParam();
  const OrderedJson special{{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"pad_token", "<pad>"}, {"unk_token", "<unk>"}};
  const auto chat = ChatTemplate::from_source(data(name + ".jinja"), special);
  std::istringstream in(data(name + ".chat.jsonl"));
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    const OrderedJson expected = OrderedJson::parse(line);
    const OrderedJson arguments = expected.value("template_args", OrderedJson::object());
    if (expected.contains("text")) {
      EXPECT_EQ(chat->render(expected["messages"], true, arguments), expected["text"].get<std::string>());
    } else {
      EXPECT_THROW(chat->render(expected["messages"], true, arguments), Error);
    }
  }
  EXPECT_GE(lines, 20);
}

INSTANTIATE_TEST_SUITE_P(Stored, FamilyTemplate, testing::Values("qwen2.5", "qwen3", "mistral-nemo", "phi-3.5", "deepseek-r1", "glm-4.6"));

}  // namespace
}  // namespace harness
