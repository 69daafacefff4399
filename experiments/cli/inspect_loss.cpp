#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>

#include "baselines/all_methods.h"
#include "experiments/cli/every_method.h"
#include "experiments/cli/loss_line.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"

namespace experiments {

namespace {

struct LossArguments {
  std::string method, base;
  std::vector<std::string> settings;
};

// `method` is a TOML file (its base, method.* and loss.* count) or names joined by commas.
harness::Config user_config(const LossArguments& arguments) {
  harness::Config config;
  if (arguments.method.ends_with(".toml")) {
    const harness::Config file = harness::Config::from_toml_file(arguments.method);
    for (const auto& [key, entry] : file.entries()) {
      if (key == "base" || key.starts_with("method.") || key.starts_with("loss.")) config.set(key, entry.value, entry.origin);
    }
  } else {
    std::vector<std::string> names;
    std::istringstream list(arguments.method);
    for (std::string name; std::getline(list, name, ',');) names.push_back(name);
    config.set("method.name", names, "--method");
  }
  if (!arguments.base.empty()) config.set("base", arguments.base, "--base");
  for (const std::string& assignment : arguments.settings) config.set(assignment);
  return config;
}

bool has_field(const harness::Json& line, const std::string& key) {
  return line.is_object() && line.contains(key) && !line.at(key).is_null();
}

// "fingerprints" is optional: without it no response has one. Not so for a method that compares the responses of one line.
harness::Json with_fingerprints(harness::Json line) {
  if (has_field(line, "mask") && line.at("mask").is_array() && !has_field(line, "fingerprints")) {
    line["fingerprints"] = std::vector<harness::Json>(line.at("mask").size());
  }
  return line;
}

bool names_method(harness::Config config, const std::string& name) {
  const std::vector<std::string> names = config.texts("method.name", {});
  return std::find(names.begin(), names.end(), name) != names.end();
}

// A strategy of `uniqueness` is a cluster of fingerprints; where no key says so and the first line has only answers, it is
// one of them.
bool has_only_answers(const std::string& input) {
  std::istringstream lines(input);
  std::string first;
  while (first.find_first_not_of(" \t\r") == std::string::npos && std::getline(lines, first)) continue;
  const harness::Json line = harness::Json::parse(first, nullptr, false);
  return has_field(line, "answers") && !has_field(line, "fingerprints");
}

int inspect_loss(const LossArguments& arguments) {
  const std::vector<harness::MethodEntry> entries = every_method();
  harness::Config config = baselines::with_base(user_config(arguments), entries);
  const bool compares = names_method(config, "uniqueness");
  std::string input;  // read ahead where the first line decides
  if (compares && !config.has("method.strategy")) {
    input.assign(std::istreambuf_iterator<char>(std::cin), {});
    if (has_only_answers(input)) config.set("method.strategy", std::string("answer"), "the lines");
  }
  std::istringstream read_ahead(input);
  (void)config.text("base", "dapo");
  (void)config.take("filter");    // all groups of a line are used
  (void)config.take("overlong");  // the line's rewards have it already
  harness::MethodStack stack = baselines::make_stack(config, entries);
  const int64_t max_response_tokens = config.integer("loss.max_response_tokens", 0, 0);
  const harness::LossSettings settings = harness::read_loss_settings(config, max_response_tokens);
  config.finish();

  int64_t update = 0;
  std::istream& lines = input.empty() ? static_cast<std::istream&>(std::cin) : read_ahead;
  return harness::answer_lines(lines, std::cout, [&](const harness::Json& json) {
    const bool fill = stack.needs().fingerprints && !compares;
    LossLine line = read_loss_line(fill ? with_fingerprints(json) : json, stack.needs(), settings.kl_coef > 0);
    line.tokens.update = update++;
    line.step.step = update;
    return answer_loss_line(line, stack, settings);
  });
}

}  // namespace

void add_inspect_loss(CLI::App& inspect, Chosen& chosen) {
  CLI::App* verb = inspect.add_subcommand("loss", "advantages, loss and gradients of a mini-batch under a method");
  auto arguments = std::make_shared<LossArguments>();
  verb->add_option("--method", arguments->method, "names joined by commas, or a TOML file")->required();
  verb->add_option("--base", arguments->base, "grpo or dapo; default: what the method's source stands on")
      ->check(CLI::IsMember({"grpo", "dapo"}));
  verb->add_option("--set", arguments->settings, "KEY=VALUE, for any key of method.* and loss.*")->allow_extra_args(false);
  verb->callback([arguments, &chosen] { chosen = [arguments] { return inspect_loss(*arguments); }; });
}

}  // namespace experiments
