#include "harness/core/config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <sstream>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"

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

std::string type_name(const Config::Value& value) {
  static constexpr const char* kNames[] = {"true/false",          "an integer",          "a number",          "a string",
                                           "a list of integers", "a list of numbers", "a list of strings"};
  return kNames[value.index()];
}

// Doubles that are whole still carry a point, so that reading the text gives a double again.
std::string double_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, result.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

template <typename T, typename Format>
std::string list_text(const std::vector<T>& values, Format&& format) {
  std::string out = "[";
  for (size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : ", ") + format(values[i]);
  return out + "]";
}

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string to_toml(const Config::Value& value) {
  struct Visitor {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return double_text(v); }
    std::string operator()(const std::string& v) const { return quoted(v); }
    std::string operator()(const std::vector<int64_t>& v) const {
      return list_text(v, [](int64_t x) { return std::to_string(x); });
    }
    std::string operator()(const std::vector<double>& v) const { return list_text(v, double_text); }
    std::string operator()(const std::vector<std::string>& v) const { return list_text(v, quoted); }
  };
  return std::visit(Visitor{}, value);
}

std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::numeric_limits<size_t>::max();
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

namespace {

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

Config Config::from_toml_file(const std::string& path) { return from_toml_text(read_file(path), path); }

std::vector<Config> Config::take_tables(const std::string& key) {
  const auto found = tables_.find(key);
  if (found == tables_.end()) return {};
  std::vector<Config> tables = std::move(found->second);
  tables_.erase(found);
  return tables;
}

Config Config::take(const std::string& prefix) {
  Config part;
  part.name_ = name_;
  const std::string dotted = prefix + ".";
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (it->first.starts_with(dotted)) {
      part.entries_[it->first.substr(dotted.size())] = it->second;
      it = entries_.erase(it);
    } else {
      ++it;
    }
  }
  for (auto it = tables_.begin(); it != tables_.end();) {
    if (it->first.starts_with(dotted)) {
      part.tables_[it->first.substr(dotted.size())] = std::move(it->second);
      it = tables_.erase(it);
    } else {
      ++it;
    }
  }
  return part;
}

void Config::overlay(const Config& other) {
  for (const auto& [key, entry] : other.entries_) entries_[key] = entry;
  for (const auto& [key, tables] : other.tables_) tables_[key] = tables;
}

void Config::set(const std::string& assignment, const std::string& origin) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) throw Error("{}: expected KEY=VALUE, found {}", origin, assignment);
  const std::string key = assignment.substr(0, equals);
  const std::string value = assignment.substr(equals + 1);
  Config parsed;
  try {
    parsed = from_toml_text("value = " + value, origin);
  } catch (const Error&) {
    parsed = from_toml_text("value = " + quoted(value), origin);
  }
  const auto found = parsed.entries_.find("value");
  if (found == parsed.entries_.end() || parsed.entries_.size() != 1) {
    throw Error("{}: {}: expected a string, number, true/false or list, found {}", origin, key, value);
  }
  entries_[key] = {found->second.value, origin};
}

void Config::set(const std::string& key, Value value, const std::string& origin) {
  entries_[key] = {std::move(value), origin};
}

const Config::Entry* Config::find(const std::string& key) {
  read_.insert(key);
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void Config::record(const std::string& key, const Value& value, const Entry* entry) {
  effective_[key] = {value, entry == nullptr ? "default" : entry->origin};
}

namespace {

// TOML's [] has no type of its own: it is read as an empty list of strings.
bool is_empty_list(const Config::Value& value) {
  const auto* texts = std::get_if<std::vector<std::string>>(&value);
  return texts != nullptr && texts->empty();
}

[[noreturn]] void wrong(const Config::Entry& entry, const std::string& key, const std::string& expected) {
  throw Error("{}: {}: expected {}, found {} ({})", entry.origin, key, expected, to_toml(entry.value),
              type_name(entry.value));
}

}  // namespace

double Config::number(const std::string& key, double fallback, double low, double high) {
  const Entry* entry = find(key);
  double value = fallback;
  if (entry != nullptr) {
    if (const auto* number = std::get_if<double>(&entry->value)) {
      value = *number;
    } else if (const auto* integer = std::get_if<int64_t>(&entry->value)) {
      value = static_cast<double>(*integer);
    } else {
      wrong(*entry, key, "a number");
    }
    if (!(value >= low && value <= high)) wrong(*entry, key, fmt::format("a number in [{}, {}]", low, high));
  }
  record(key, value, entry);
  return value;
}

int64_t Config::integer(const std::string& key, int64_t fallback, int64_t low, int64_t high) {
  const Entry* entry = find(key);
  int64_t value = fallback;
  if (entry != nullptr) {
    const auto* integer = std::get_if<int64_t>(&entry->value);
    if (integer == nullptr) wrong(*entry, key, "an integer");
    value = *integer;
    if (value < low || value > high) {
      wrong(*entry, key, high == std::numeric_limits<int64_t>::max() ? fmt::format("an integer >= {}", low)
                                                                     : fmt::format("an integer in [{}, {}]", low, high));
    }
  }
  record(key, value, entry);
  return value;
}

bool Config::boolean(const std::string& key, bool fallback) {
  const Entry* entry = find(key);
  bool value = fallback;
  if (entry != nullptr) {
    const auto* boolean = std::get_if<bool>(&entry->value);
    if (boolean == nullptr) wrong(*entry, key, "true or false");
    value = *boolean;
  }
  record(key, value, entry);
  return value;
}

std::string Config::text(const std::string& key, const std::string& fallback, const std::vector<std::string>& choices) {
  const Entry* entry = find(key);
  std::string value = fallback;
  if (entry != nullptr) {
    const auto* text = std::get_if<std::string>(&entry->value);
    if (text == nullptr) wrong(*entry, key, "a string");
    value = *text;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
      wrong(*entry, key, fmt::format("one of {}", list_text(choices, quoted)));
    }
  }
  record(key, value, entry);
  return value;
}

std::string Config::required_text(const std::string& key, const std::vector<std::string>& choices) {
  if (!has(key)) throw Error("{}: expected the key {}, found none", name_, key);
  return text(key, "", choices);
}

std::vector<std::string> Config::texts(const std::string& key, const std::vector<std::string>& fallback) {
  const Entry* entry = find(key);
  std::vector<std::string> value = fallback;
  if (entry != nullptr) {
    if (const auto* texts = std::get_if<std::vector<std::string>>(&entry->value)) {
      value = *texts;
    } else if (const auto* text = std::get_if<std::string>(&entry->value)) {
      value = {*text};
    } else {
      wrong(*entry, key, "a list of strings");
    }
  }
  record(key, value, entry);
  return value;
}

std::vector<double> Config::numbers(const std::string& key, const std::vector<double>& fallback) {
  const Entry* entry = find(key);
  std::vector<double> value = fallback;
  if (entry != nullptr) {
    if (const auto* numbers = std::get_if<std::vector<double>>(&entry->value)) {
      value = *numbers;
    } else if (const auto* integers = std::get_if<std::vector<int64_t>>(&entry->value)) {
      value.assign(integers->begin(), integers->end());
    } else if (is_empty_list(entry->value)) {
      value.clear();
    } else {
      wrong(*entry, key, "a list of numbers");
    }
  }
  record(key, value, entry);
  return value;
}

std::vector<int64_t> Config::integers(const std::string& key, const std::vector<int64_t>& fallback) {
  const Entry* entry = find(key);
  std::vector<int64_t> value = fallback;
  if (entry != nullptr) {
    if (const auto* integers = std::get_if<std::vector<int64_t>>(&entry->value)) {
      value = *integers;
    } else if (const auto* integer = std::get_if<int64_t>(&entry->value)) {
      value = {*integer};
    } else if (is_empty_list(entry->value)) {
      value.clear();
    } else {
      wrong(*entry, key, "a list of integers");
    }
  }
  record(key, value, entry);
  return value;
}

void Config::finish() const {
  std::vector<std::string> known(read_.begin(), read_.end());
  for (const auto& [key, entry] : entries_) {
    if (!read_.contains(key)) {
      throw Error("{}: {}: expected a known key, found one that nothing reads; the nearest is {}", entry.origin, key,
                  nearest_name(key, known));
    }
  }
  for (const auto& [key, tables] : tables_) {
    throw Error("{}: [[{}]]: expected a known list of tables, found one that nothing reads", name_, key);
  }
}

void Config::adopt_effective(const std::string& prefix, const Config& part) {
  for (const auto& [key, entry] : part.effective_) effective_[prefix + "." + key] = entry;
}

std::string Config::effective_toml(bool with_origins) const {
  std::string out;
  for (const auto& [key, entry] : effective_) {
    out += fmt::format("{} = {}", key, to_toml(entry.value));
    if (with_origins) out += "  # " + entry.origin;
    out += '\n';
  }
  return out;
}

std::string Config::identity(const std::vector<std::string>& without_prefixes) const {
  std::string text;
  for (const auto& [key, entry] : effective_) {
    const bool left_out = std::any_of(without_prefixes.begin(), without_prefixes.end(),
                                      [&path = key](const std::string& prefix) { return path.starts_with(prefix); });
    if (!left_out) text += fmt::format("{} = {}\n", key, to_toml(entry.value));
  }
  return sha256_hex(text);
}

}  // namespace harness
