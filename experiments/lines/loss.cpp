#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>

#include "experiments/lines/lines.h"
#include "experiments/lines/loss_line.h"
#include "harness/core/error.h"

namespace experiments {

namespace {

// `method` is a TOML file (its base, method.* and loss.* count) or names joined by commas.
harness::Config user_config(const LossOptions& options) {
  harness::Config config;
  if (options.method.ends_with(".toml")) {
    const harness::Config file = harness::Config::from_toml_file(options.method);
    for (const auto& [key, entry] : file.entries()) {
      if (key == "base" || key.starts_with("method.") || key.starts_with("loss.")) config.set(key, entry.value, entry.origin);
    }
  } else {
    std::vector<std::string> names;
    std::istringstream list(options.method);
    for (std::string name; std::getline(list, name, ',');) names.push_back(name);
    config.set("method.name", names, "--method");
  }
  if (!options.base.empty()) config.set("base", options.base, "--base");
  for (const std::string& assignment : options.settings) config.set(assignment);
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

// The key by which a method of the list says what makes a group's responses alike; "" where none does.
std::string class_key(const std::vector<std::string>& names) {
  for (const auto& [name, key] : {std::pair("uniqueness", "method.strategy"), std::pair("darling", "method.partition"),
                                  std::pair("cue_grpo", "method.partition")}) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return key;
  }
  return "";
}

// A class is a cluster of fingerprints; where no key says so and the first line has only answers, it is an answer.
bool has_only_answers(const std::string& input) {
  std::istringstream lines(input);
  std::string first;
  while (first.find_first_not_of(" \t\r") == std::string::npos && std::getline(lines, first)) continue;
  const harness::Json line = harness::Json::parse(first, nullptr, false);
  return has_field(line, "answers") && !has_field(line, "fingerprints");
}

}  // namespace

int loss_lines(const LossOptions& options, const harness::MethodCatalog& catalog) {
  harness::Config config = catalog.with_base(user_config(options));
  const std::vector<std::string> names = harness::ConfigReader(config).texts("method.name", {}, "");
  const std::string compares = class_key(names);
  std::string input;  // read ahead where the first line decides
  if (!compares.empty() && !config.has(compares)) {
    input.assign(std::istreambuf_iterator<char>(std::cin), {});
    if (has_only_answers(input)) config.set(compares, std::string("answer"), "the lines");
  }
  std::istringstream read_ahead(input);
  (void)config.take("filter");    // all groups of a line are used
  (void)config.take("overlong");  // the line's rewards have it already
  harness::ConfigReader keys(config);
  harness::MethodStack stack = catalog.make_stack(keys);
  const int64_t max_response_tokens = keys.integer("loss.max_response_tokens", 0, 0, "of the run; 0: of the line");
  const harness::LossSettings settings = harness::read_loss_settings(keys, max_response_tokens);
  keys.finish();

  int64_t update = 0;
  std::istream& lines = input.empty() ? static_cast<std::istream&>(std::cin) : read_ahead;
  return harness::answer_lines(lines, std::cout, [&](const harness::Json& json) {
    const bool fill = stack.needs().fingerprints && compares.empty();
    LossLine line = read_loss_line(fill ? with_fingerprints(json) : json, stack.needs(), settings.kl_coef > 0);
    line.tokens.update = update++;
    line.step.step = update;
    return answer_loss_line(line, stack, settings);
  });
}

}  // namespace experiments
