#include "experiments/cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace experiments {

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::one_of(std::vector<std::string> choices) {
  option_->check(CLI::IsMember(std::move(choices)));
  return *this;
}

namespace {

// A number that `holds`; CLI11's own message has the range with hundreds of digits.
template <typename Holds>
CLI::Validator number_that(const std::string& expected, Holds&& holds) {
  return {[expected, holds](std::string& text) {
            double value = 0;
            const bool read = CLI::detail::lexical_cast(text, value);
            return read && holds(value) ? std::string() : fmt::format("expected {}, found {}", expected, text);
          },
          ""};
}

}  // namespace

Option& Option::positive() {
  option_->check(number_that("a number above 0", [](double value) { return value > 0; }));
  return *this;
}

Option& Option::at_least(double low) {
  option_->check(number_that(fmt::format("{} or more", low), [low](double value) { return value >= low; }));
  return *this;
}

Option& Option::between(double low, double high) {
  option_->check(number_that(fmt::format("{} to {}", low, high), [=](double value) { return value >= low && value <= high; }));
  return *this;
}

Option& Option::check(std::function<std::string(const std::string&)> problem) {
  option_->check(CLI::Validator([problem = std::move(problem)](std::string& value) { return problem(value); }, ""));
  return *this;
}

Option& Option::shows_default() {
  option_->capture_default_str();
  return *this;
}

Option& Option::from_environment(const std::string& variable) {
  option_->envname(variable);
  return *this;
}

Option& Option::joined_by(char separator) {
  option_->delimiter(separator);
  return *this;
}

Option& Option::one_each() {
  option_->allow_extra_args(false);
  return *this;
}

Option& Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}

Option& Option::called(const std::string& type) {
  option_->type_name(type);
  return *this;
}

Option& Option::hidden() {
  option_->group("");
  return *this;
}

bool Option::given() const { return option_->count() > 0; }

Verb Verb::verb(const std::string& name, const std::string& help) { return Verb(app_->add_subcommand(name, help), chosen_); }

Verb Verb::group(const std::string& name, const std::string& help) {
  CLI::App* app = app_->add_subcommand(name, help);
  app->require_subcommand(1);
  return Verb(app, chosen_);
}

Option Verb::option(const std::string& name, std::string& value, const std::string& help) {
  return Option(app_->add_option(name, value, help));
}
Option Verb::option(const std::string& name, int& value, const std::string& help) {
  return Option(app_->add_option(name, value, help));
}
Option Verb::option(const std::string& name, int64_t& value, const std::string& help) {
  return Option(app_->add_option(name, value, help));
}
Option Verb::option(const std::string& name, uint64_t& value, const std::string& help) {
  return Option(app_->add_option(name, value, help));
}
Option Verb::option(const std::string& name, double& value, const std::string& help) {
  return Option(app_->add_option(name, value, help));
}
Option Verb::option(const std::string& name, std::vector<std::string>& value, const std::string& help) {
  return Option(app_->add_option(name, value, help));
}
Option Verb::option(const std::string& name, std::vector<int64_t>& value, const std::string& help) {
  return Option(app_->add_option(name, value, help));
}
Option Verb::option(const std::string& name, std::vector<double>& value, const std::string& help) {
  return Option(app_->add_option(name, value, help));
}
Option Verb::flag(const std::string& name, bool& value, const std::string& help) {
  return Option(app_->add_flag(name, value, help));
}

void Verb::does(std::function<int()> work) {
  app_->callback([chosen = chosen_, work = std::move(work)] { *chosen = work; });
}

CommandLine::CommandLine(const std::string& description, const std::string& name, std::function<std::string()> version)
    : app_(std::make_unique<CLI::App>(description, name)) {
  app_->require_subcommand(1);
  app_->set_version_flag("--version", std::move(version));
}

CommandLine::~CommandLine() = default;

Verb CommandLine::root() { return Verb(app_.get(), &chosen_); }

std::function<int()> CommandLine::read(int argc, char** argv, int& status) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    status = app_->exit(error) == 0 ? 0 : 2;
    return {};
  }
  return chosen_;
}

bool CommandLine::has(const std::string& verb) const { return app_->got_subcommand(verb); }

std::vector<std::string> CommandLine::verbs() const {
  std::vector<std::string> names;
  for (const CLI::App* verb : app_->get_subcommands([](const CLI::App*) { return true; })) names.push_back(verb->get_name());
  return names;
}

}  // namespace experiments
