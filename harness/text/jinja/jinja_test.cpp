#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/testing.h"
#include "harness/text/jinja/chat_template.h"
#include "harness/text/jinja/interpreter.h"

namespace harness {
namespace {

std::string data(const std::string& name) { return read_file(std::string(MEDSBENCH_TEST_DATA) + "/" + name); }

std::string render(const std::string& source) { return jinja::Template(source).render({}); }

std::string failure(const std::string& source) {
  return error_of([&] { render(source); });
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
  EXPECT_THAT(failure("{{ x is filter }}"), testing::HasSubstr("\"filter\""));
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

// Each of these once cost the machine its stack, its memory or minutes.
TEST(Jinja, EndsTemplatesThatBuildTooMuch) {
  const auto loop = [](const std::string& body) {
    return "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}" + body + "{% endfor %}";
  };
  const std::string big = "{% set big = 'x' * 1000000 %}";
  const std::vector<std::string> sources = {
      loop("{% set ns.x = [ns.x] %}") + "{{ ns.x }}",
      loop("{% set ns.x = [ns.x, ns.x] %}") + "{{ ns.x }}",
      loop("{% set ns.x = namespace(x=[ns.x, ns.x]) %}") + "{{ ns.x }}",
      loop("{% set ns.x = [ns.x].copy %}") + "{{ ns.x }}",
      loop("{% set r = range(100000) %}"),
      loop("{{ i in range(100000) }}"),
      big + loop("{{ big | length }}{{ big.find('y') }}"),
      big + loop("{{ big[3] }}"),
      big + loop("{% set ns.x = ns.x + [big ~ i] %}"),
      big + "{{ [1, 2] * 400000 | join(big) }}{{ ([1] * 400000) | join(big) }}",
      big + "{{ (big * 15) | list }}",
      big + "{{ (big * 15).split('x') }}",
      "{{ ('x ' * 8000000).rsplit('x') }}",
      "{{ range(100000) | unique | list }}",
      "{{ ('a\n' * 1000000) | indent(1000) }}",
      "{% macro m(n) %}{% if true %}{% if true %}{{ m(n) }}{% endif %}{% endif %}{% endmacro %}{{ m(1) }}",
  };
  for (const std::string& source : sources) EXPECT_NE(failure(source), "") << source;
  std::string sum = "{{ 1";
  for (int i = 0; i < 200000; ++i) sum += "+1";
  EXPECT_THAT(failure(sum + " }}"), testing::HasSubstr("400 levels"));
  EXPECT_THAT(failure("{{ 1" + sum.substr(4, 2 * 1000) + " }}"), testing::HasSubstr("400 levels"));
}

TEST(Jinja, SurvivesWhatOutlivesItsPlace) {
  EXPECT_EQ(
      render("{% set ns = namespace() %}{% for i in [1] %}{% set ns.f = loop.changed %}{% endfor %}{{ ns.f(1) }}{{ ns.f(1) }}"),
      "TrueFalse");
  EXPECT_EQ(render("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns.a.a is defined }}"), "True");
  EXPECT_NE(failure("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}"), "");
}

TEST(Jinja, KeepsToIntegersOf64Bits) {
  EXPECT_NE(failure("{{ (-9223372036854775807 - 1) | abs }}"), "");
  EXPECT_NE(failure("{{ [9223372036854775807, 1] | sum }}"), "");
  EXPECT_NE(failure("{{ '%d' % 1e300 ** 2 }}"), "");
  EXPECT_NE(failure("{{ [[1]] | map(attribute='99999999999999999999') | list }}"), "");
  EXPECT_EQ(render("{{ 'abc'[::9223372036854775807] }}"), "a");
  EXPECT_EQ(render("{{ 1e999 }} {{ 1e-999 }} {{ '%d' % -0.5 }} {{ '%d' % 1e20 }}"), "inf 0.0 0 100000000000000000000");
  EXPECT_EQ(render("{{ (-9223372036854775807 - 1) is divisibleby(-1) }} {{ -3 is odd }}"), "True True");
}

TEST(Jinja, NeedsATemplateInUtf8AndRepairsOtherTexts) {
  EXPECT_THAT(failure("a\xFF"), testing::HasSubstr("UTF-8"));
  EXPECT_THAT(failure("{{ ' \xF0' }}"), testing::HasSubstr("UTF-8"));
  const auto value = jinja::Value::from_json(OrderedJson(std::string("a\xF0")));
  EXPECT_EQ(jinja::Template("{{ x[1] }}{{ x | trim }}").render({{"x", value}}),
            "\xEF\xBF\xBD"
            "a\xEF\xBF\xBD");
}

TEST(ChatTemplate, NamedOnesRenderTheirFormats) {
  const OrderedJson messages = OrderedJson::parse(R"([{"role": "user", "content": "Hi"}])");
  EXPECT_EQ(ChatTemplate::named("chatml")->render(messages, true), "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(ChatTemplate::named("llama3")->render(messages, true),
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_"
            "id|>\n\n");
  EXPECT_EQ(ChatTemplate::named("qwen-math")->render(messages, false),
            "<|im_start|>system\nPlease reason step by step, and put your final answer within \\boxed{}.<|im_end|>\n"
            "<|im_start|>user\nHi<|im_end|>\n");
  EXPECT_EQ(ChatTemplate::named("plain")->render(messages, true), "Hi");
  EXPECT_THROW(ChatTemplate::named("other"), Error);
}

TEST(ChatTemplate, OfAFolderIsToolUseWhereToolsAreGivenAndDefaultElse) {
  const OrderedJson messages = OrderedJson::parse(R"([{"role": "user", "content": "Hi"}])");
  const OrderedJson tools = OrderedJson::parse(R"({"tools": [{"name": "f"}]})");
  const ScratchFolder folder;
  const auto rendered = [&](const OrderedJson& arguments) {
    return ChatTemplate::from_model_folder(folder.path())->render(messages, true, arguments);
  };
  EXPECT_EQ(ChatTemplate::from_model_folder(folder.path()), nullptr);
  folder.write("tokenizer_config.json", R"({"bos_token": {"content": "<s>"}, "chat_template": [
      {"name": "rag", "template": "{% include 'x' %}"},
      {"name": "tool_use", "template": "{{ bos_token }}{{ tools | map(attribute='name') | join }}"},
      {"name": "default", "template": "{{ bos_token }}plain"}]})");
  EXPECT_EQ(rendered(OrderedJson::object()), "<s>plain");
  EXPECT_EQ(rendered(tools), "<s>f");
  EXPECT_EQ(rendered({{"tools", OrderedJson::array()}}), "<s>");
  EXPECT_EQ(rendered({{"tools", nullptr}}), "<s>plain");
  folder.write("chat_template.jinja", "own");
  EXPECT_EQ(rendered(tools), "own");
  folder.write("additional_chat_templates/tool_use.jinja", "own {{ tools[0].name }}");
  EXPECT_EQ(rendered(tools), "own f");
  EXPECT_EQ(rendered(OrderedJson::object()), "own");
  const ScratchFolder nameless;
  nameless.write("tokenizer_config.json", R"({"chat_template": [{"name": "tool_use", "template": "x"}]})");
  EXPECT_THAT(error_of([&] { ChatTemplate::from_model_folder(nameless.path()); }),
              testing::HasSubstr("expected a chat template named \"default\", found none"));
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

INSTANTIATE_TEST_SUITE_P(Stored, FamilyTemplate,
                         testing::Values("qwen2.5", "qwen3", "mistral-nemo", "phi-3.5", "deepseek-r1", "glm-4.6"));

}  // namespace
}  // namespace harness
