// Config from TOML: tables and their places as flat keys.
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>

#include "harness/core/config.h"
#include "harness/core/error.h"
#include "harness/core/files.h"

namespace harness {

namespace {

std::string place_of(const std::string& name, const toml::node& node) {
  return node.source().begin.line == 0 ? name : fmt::format("{}: line {}", name, node.source().begin.line);
}

Config::Value array_value(const toml::array& array, const std::string& place, const std::string& key) {
  if (array.empty()) return std::vector<std::string>{};
  if (array.is_homogeneous(toml::node_type::string)) {
    std::vector<std::string> texts;
    for (const auto& node : array) texts.push_back(**node.as_string());
    return texts;
  }
  if (array.is_homogeneous(toml::node_type::integer)) {
    std::vector<int64_t> integers;
    for (const auto& node : array) integers.push_back(**node.as_integer());
    return integers;
  }
  std::vector<double> numbers;
  for (const auto& node : array) {
    if (!node.is_number()) throw Error("{}: {}: expected an array of numbers or of strings, found a mixture", place, key);
    numbers.push_back(*node.value<double>());
  }
  return numbers;
}

struct Flattener {
  const std::string& name;
  std::map<std::string, Config::Entry>& entries;

  // Tables of arrays of tables are handed to `take_table`.
  template <typename TakeTables>
  void add(const toml::table& table, const std::string& prefix, TakeTables&& take_tables) {
    for (const auto& [key_node, node] : table) {
      const std::string key = prefix.empty() ? std::string(key_node.str()) : prefix + "." + std::string(key_node.str());
      const std::string place = place_of(name, node);
      if (const auto* sub = node.as_table()) {
        add(*sub, key, take_tables);
      } else if (const auto* array = node.as_array()) {
        if (!array->empty() && array->is_homogeneous(toml::node_type::table)) {
          take_tables(key, *array);
        } else {
          entries[key] = {array_value(*array, place, key), place};
        }
      } else if (const auto* text = node.as_string()) {
        entries[key] = {**text, place};
      } else if (const auto* integer = node.as_integer()) {
        entries[key] = {**integer, place};
      } else if (const auto* number = node.as_floating_point()) {
        entries[key] = {**number, place};
      } else if (const auto* boolean = node.as_boolean()) {
        entries[key] = {**boolean, place};
      } else {
        throw Error("{}: {}: expected a string, number, true/false or list, found a date", place, key);
      }
    }
  }
};

// Each part of a dotted key is a table inside the one before: a key of a hundred thousand parts would end the stack.
constexpr int kMostKeyParts = 200;

void check_keys(std::string_view text, const std::string& name) {
  int64_t line = 1;
  int dots = 0;
  char quote = '\0';
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') {
      ++line;
      dots = 0;
      quote = '\0';
    } else if (quote != '\0') {
      if (c == '\\' && quote == '"' && at + 1 < text.size() && text[at + 1] != '\n') ++at;
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      at = std::min(text.find('\n', at), text.size()) - 1;
    } else if (std::string_view("=,[]{}").find(c) != std::string_view::npos) {
      dots = 0;
    } else if (c == '.' && ++dots >= kMostKeyParts) {
      throw Error("{}: line {}: expected a key of at most {} parts, found more", name, line, kMostKeyParts);
    }
  }
}

}  // namespace

Config Config::from_toml_text(std::string_view text, const std::string& name) {
  Config config;
  config.name_ = name;
  check_keys(text, name);
  try {
    const toml::table table = toml::parse(text);
    const auto add_table = [&](const auto& self, Config& target, const toml::table& source) -> void {
      Flattener{target.name_, target.entries_}.add(source, "", [&](const std::string& key, const toml::array& array) {
        for (const auto& node : array) {
          Config part;
          part.name_ = target.name_;
          self(self, part, *node.as_table());
          target.tables_[key].push_back(std::move(part));
        }
      });
    };
    add_table(add_table, config, table);
  } catch (const toml::parse_error& error) {
    throw Error("{}: line {}: expected TOML, found: {}", name, error.source().begin.line, error.description());
  }
  return config;
}

namespace {

// `within`: the files that include this one.
Config read_with_includes(const std::string& path, std::vector<std::string> within) {
  const Config own = Config::from_toml_text(read_file(path), path);
  const Config::Entry* include = own.find("include");
  if (include == nullptr) return own;
  const auto* name = std::get_if<std::string>(&include->value);
  if (name == nullptr) throw Error("{}: include: expected the name of a TOML file, found another value", include->origin);
  const std::string other = (std::filesystem::path(path).parent_path() / *name).lexically_normal().string();
  within.push_back(std::filesystem::path(path).lexically_normal().string());
  if (std::find(within.begin(), within.end(), other) != within.end()) {
    throw Error("{}: include: expected another file, found {}, which includes this one", include->origin, *name);
  }
  Config whole = own;  // for its name: messages mean this file
  whole.overlay(with_context(include->origin + ": include", [&] { return read_with_includes(other, within); }));
  whole.overlay(own);
  whole.erase("include");
  return whole;
}

}  // namespace

Config Config::from_toml_file(const std::string& path) { return read_with_includes(path, {}); }

}  // namespace harness
