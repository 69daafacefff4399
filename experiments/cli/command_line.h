// The command line: verbs with their options. CLI11 stands behind it, in one source.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace experiments {

// A command line that can be read and makes no sense: exit status 2.
class WrongUsage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One option or argument of a verb. Its variable lives as long as the command line.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option& required();
  Option& one_of(std::vector<std::string> choices);
  Option& positive();
  Option& at_least(double low);
  Option& between(double low, double high);
  // `problem` says what is wrong with a value; "": nothing.
  Option& check(std::function<std::string(const std::string&)> problem);
  // --help shows the value that the variable has now.
  Option& shows_default();
  Option& from_environment(const std::string& variable);
  // A list: values joined by this character; one value for each naming of the option.
  Option& joined_by(char separator);
  Option& one_each();
  Option& excludes(const Option& other);
  Option& called(const std::string& type);  // in --help, in place of TEXT
  Option& hidden();
  [[nodiscard]] bool given() const;

 private:
  CLI::Option* option_;
};

class Verb {
 public:
  explicit Verb(CLI::App* app, std::function<int()>* chosen) : app_(app), chosen_(chosen) {}
  // A verb below this one; a verb that has some is none by itself.
  Verb verb(const std::string& name, const std::string& help);
  // This verb; those below it that are added through what is returned stand under that title in --help.
  [[nodiscard]] Verb section(const std::string& title) const;
  Verb group(const std::string& name, const std::string& help);
  // "--name" or, for a positional argument, "name".
  Option option(const std::string& name, std::string& value, const std::string& help = "");
  Option option(const std::string& name, int& value, const std::string& help = "");
  Option option(const std::string& name, int64_t& value, const std::string& help = "");
  Option option(const std::string& name, uint64_t& value, const std::string& help = "");
  Option option(const std::string& name, double& value, const std::string& help = "");
  Option option(const std::string& name, std::vector<std::string>& value, const std::string& help = "");
  Option option(const std::string& name, std::vector<int64_t>& value, const std::string& help = "");
  Option option(const std::string& name, std::vector<double>& value, const std::string& help = "");
  Option flag(const std::string& name, bool& value, const std::string& help = "");
  // What the verb does; returns the exit status. Called after the whole command line has been read.
  void does(std::function<int()> work);

 private:
  CLI::App* app_;
  std::function<int()>* chosen_;
  std::string section_;
};

class CommandLine {
 public:
  // `version` is asked for its text when --version is given; `footer` ends --help.
  CommandLine(const std::string& description, const std::string& name, std::function<std::string()> version,
              const std::string& footer);
  ~CommandLine();
  [[nodiscard]] Verb root();
  // Reads it; returns what is to be done, or nothing with `status` set where --help, --version or a mistake ended it (the
  // message is printed).
  std::function<int()> read(int argc, char** argv, int& status);
  // Whether the verb was named.
  [[nodiscard]] bool has(const std::string& verb) const;
  [[nodiscard]] std::vector<std::string> verbs() const;

 private:
  std::unique_ptr<CLI::App> app_;
  std::function<int()> chosen_;
};

}  // namespace experiments
