#include <fmt/format.h>

#include <iostream>
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

int inspect_loss(const LossArguments& arguments) {
  const std::vector<harness::MethodEntry> entries = every_method();
  harness::Config config = baselines::with_base(user_config(arguments), entries);
  (void)config.text("base", "dapo");
  (void)config.take("filter");    // all groups of a line are used
  (void)config.take("overlong");  // the line's rewards have it already
  harness::MethodStack stack = baselines::make_stack(config, entries);
  const int64_t max_response_tokens = config.integer("loss.max_response_tokens", 0, 0);
  const harness::LossSettings settings = harness::read_loss_settings(config, max_response_tokens);
  config.finish();

  int64_t update = 0;
  return harness::answer_lines(std::cin, std::cout, [&](const harness::Json& json) {
    LossLine line = read_loss_line(json, stack.needs(), settings.kl_coef > 0);
    line.step.step = update + 1;
    return answer_loss_line(line, stack, settings, update++);
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
