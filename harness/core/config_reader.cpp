#include "harness/core/config_reader.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "harness/core/error.h"
#include "harness/core/key_words.h"

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

std::string range_text(double low, double high) {
  if (std::isinf(low) && std::isinf(high)) return "any";
  if (std::isinf(high)) return fmt::format(">= {}", low);
  return fmt::format("[{}, {}]", low, high);
}

std::string range_text(int64_t low, int64_t high) {
  const bool no_low = low == std::numeric_limits<int64_t>::min();
  const bool no_high = high == std::numeric_limits<int64_t>::max();
  if (no_low && no_high) return "any";
  return no_high ? fmt::format(">= {}", low) : fmt::format("[{}, {}]", low, high);
}

}  // namespace

const Config::Entry* ConfigReader::declare(KeySpec spec) {
  const std::string key = spec.name;
  if (!effective_.contains(key)) keys_.push_back(std::move(spec));
  return config_.find(key);
}

void ConfigReader::record(const std::string& key, const Config::Value& value, const Config::Entry* entry) {
  effective_[key] = {value, entry == nullptr ? "default" : entry->origin};
}

double ConfigReader::number(const std::string& key, double fallback, double low, double high, const std::string& meaning) {
  const Config::Entry* entry = declare({key, "number", fmt::format("{}", fallback), range_text(low, high), meaning});
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

int64_t ConfigReader::integer(const std::string& key, int64_t fallback, int64_t low, int64_t high, const std::string& meaning) {
  const Config::Entry* entry = declare({key, "integer", fmt::format("{}", fallback), range_text(low, high), meaning});
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

bool ConfigReader::boolean(const std::string& key, bool fallback, const std::string& meaning) {
  const Config::Entry* entry = declare({key, "true/false", fallback ? "true" : "false", "", meaning});
  bool value = fallback;
  if (entry != nullptr) {
    const auto* boolean = std::get_if<bool>(&entry->value);
    if (boolean == nullptr) wrong(*entry, key, "true or false");
    value = *boolean;
  }
  record(key, value, entry);
  return value;
}

std::string ConfigReader::text(const std::string& key, const std::string& fallback, const std::vector<std::string>& choices,
                               const std::string& meaning) {
  const Config::Entry* entry = declare({key, "text", fallback, fmt::format("{}", fmt::join(choices, " | ")), meaning});
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

std::string ConfigReader::required_text(const std::string& key, const std::vector<std::string>& choices,
                                        const std::string& meaning) {
  if (!has(key)) throw Error("{}: expected the key {}, found none", config_.name(), key);
  return text(key, "", choices, meaning);
}

std::vector<std::string> ConfigReader::texts(const std::string& key, const std::vector<std::string>& fallback,
                                             const std::string& meaning) {
  const Config::Entry* entry = declare({key, "texts", to_toml(fallback), "", meaning});
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

std::vector<double> ConfigReader::numbers(const std::string& key, const std::vector<double>& fallback,
                                          const std::string& meaning) {
  const Config::Entry* entry = declare({key, "numbers", to_toml(fallback), "", meaning});
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

std::vector<int64_t> ConfigReader::integers(const std::string& key, const std::vector<int64_t>& fallback,
                                            const std::string& meaning) {
  const Config::Entry* entry = declare({key, "integers", to_toml(fallback), "", meaning});
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

void ConfigReader::finish() const {
  const ConfigReader* const self = this;
  finish_all(config_, {&self, 1});
}

void finish_all(const Config& config, std::span<const ConfigReader* const> readers, const std::vector<std::string>& elsewhere) {
  std::vector<std::string> known;
  for (const ConfigReader* reader : readers) {
    for (const KeySpec& key : reader->keys()) known.push_back(key.name);
  }
  const size_t read = known.size();
  known.insert(known.end(), elsewhere.begin(), elsewhere.end());
  for (const auto& [key, entry] : config.entries()) {
    const auto end = known.begin() + static_cast<ptrdiff_t>(read);
    if (std::find(known.begin(), end, key) == end) {
      throw Error("{}: {}: unknown key{}", entry.origin, key, nearest_key_text(key, known));
    }
  }
  for (const auto& [key, tables] : config.tables()) {
    throw Error("{}: [[{}]]: expected a known list of tables, found one that nothing reads", config.name(), key);
  }
}

std::string MethodKeys::place(const std::string& key) const {
  const std::string own = fmt::format("method.{}.{}", method_, key);
  return reader_.has(own) ? own : "method." + key;
}

}  // namespace harness
