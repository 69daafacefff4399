#include "harness/core/config.h"

#include "harness/core/error.h"

namespace harness {

namespace {

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

std::vector<Config> Config::take_tables(const std::string& key) {
  const auto found = tables_.find(key);
  if (found == tables_.end()) return {};
  std::vector<Config> tables = std::move(found->second);
  tables_.erase(found);
  return tables;
}

Config Config::take(const std::string& prefix) {
  const std::string dotted = prefix + ".";
  Config part(name_, take_below(entries_, dotted));
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
  const Entry* found = parsed.find("value");
  if (found == nullptr || parsed.entries_.size() != 1) {
    throw Error("{}: {}: expected a string, number, true/false or list, found {}", origin, key, value);
  }
  entries_[key] = {found->value, origin};
}

void Config::set(const std::string& key, Value value, const std::string& origin) { entries_[key] = {std::move(value), origin}; }

const Config::Entry* Config::find(const std::string& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace harness
