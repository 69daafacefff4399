#include "harness/core/config.h"

#include <algorithm>
#include <numeric>

#include "harness/core/error.h"

namespace harness {

namespace {

std::string type_name(const Config::Value& value) {
  static constexpr const char* kNames[] = {"true/false",         "an integer",        "a number",         "a string",
                                           "a list of integers", "a list of numbers", "a list of strings"};
  return kNames[value.index()];
}

// TOML's [] has no type of its own: it is read as an empty list of strings.
bool is_empty_list(const Config::Value& value) {
  const auto* texts = std::get_if<std::vector<std::string>>(&value);
  return texts != nullptr && texts->empty();
}

[[noreturn]] void wrong(const Config::Entry& entry, const std::string& key, const std::string& expected) {
  throw Error("{}: {}: expected {}, found {} ({})", entry.origin, key, expected, to_toml(entry.value), type_name(entry.value));
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

// The entries whose keys begin with `dotted`, without it, taken out of the map.
template <typename Entries>
Entries take_below(Entries& entries, const std::string& dotted) {
  Entries taken;
  for (auto it = entries.begin(); it != entries.end();) {
    if (it->first.starts_with(dotted)) {
      taken[it->first.substr(dotted.size())] = std::move(it->second);
      it = entries.erase(it);
    } else {
      ++it;
    }
  }
  return taken;
}

}  // namespace

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
  part.entries_ = take_below(entries_, dotted);
  part.tables_ = take_below(tables_, dotted);
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
    parsed = from_toml_text("value = " + to_toml(value), origin);
  }
  const auto found = parsed.entries_.find("value");
  if (found == parsed.entries_.end() || parsed.entries_.size() != 1) {
    throw Error("{}: {}: expected a string, number, true/false or list, found {}", origin, key, value);
  }
  entries_[key] = {found->second.value, origin};
}

void Config::set(const std::string& key, Value value, const std::string& origin) { entries_[key] = {std::move(value), origin}; }

const Config::Entry* Config::find(const std::string& key) {
  read_.insert(key);
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void Config::record(const std::string& key, const Value& value, const Entry* entry) {
  effective_[key] = {value, entry == nullptr ? "default" : entry->origin};
}

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
      wrong(*entry, key,
            high == std::numeric_limits<int64_t>::max() ? fmt::format("an integer >= {}", low)
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
      wrong(*entry, key, fmt::format("one of {}", to_toml(choices)));
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

}  // namespace harness
