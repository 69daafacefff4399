// Config: layered, typed reading of TOML. Each key read is declared with its default; a key that nothing reads is an error.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace harness {

// A flat view of a TOML document: dotted key -> value, each value with the place it comes from. Layers are laid one over the
// other (defaults in code < named base < file < row < command line), the later wins. Readers call the typed getters; what they
// read, with its default, is the effective config (`effective`), so no default is hidden, and `finish` refuses what nobody
// read.
class Config {
 public:
  using Value =
      std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;
  struct Entry {
    Value value;
    std::string origin;  // "quickstart.toml: line 17", "--set", "default", "base dapo"
  };

  Config() = default;
  // Tables become dotted keys; arrays must hold numbers or strings. Arrays of tables are left to `tables`.
  static Config from_toml_text(std::string_view text, const std::string& name);
  static Config from_toml_file(const std::string& path);

  // The entries of an array of tables such as [[rows]], in order, taken out of this config.
  [[nodiscard]] std::vector<Config> take_tables(const std::string& key);
  // The sub-tree under `prefix.` with the prefix removed, taken out of this config.
  [[nodiscard]] Config take(const std::string& prefix);

  // Lays `other` over this one.
  void overlay(const Config& other);
  // "key=value" as on the command line: value is TOML where it parses, else a bare string.
  void set(const std::string& assignment, const std::string& origin = "--set");
  void set(const std::string& key, Value value, const std::string& origin);
  void erase(const std::string& key) { entries_.erase(key); }

  [[nodiscard]] bool has(const std::string& key) const { return entries_.contains(key); }
  [[nodiscard]] const std::map<std::string, Entry>& entries() const { return entries_; }

  // Typed getters. They throw Error "PLACE: KEY: expected ..., found ..." for a wrong type or a value out of range, and mark
  // the key as read. Bounds are inclusive.
  double number(const std::string& key, double fallback, double low = -std::numeric_limits<double>::infinity(),
                double high = std::numeric_limits<double>::infinity());
  int64_t integer(const std::string& key, int64_t fallback, int64_t low = std::numeric_limits<int64_t>::min(),
                  int64_t high = std::numeric_limits<int64_t>::max());
  bool boolean(const std::string& key, bool fallback);
  // `choices` empty: any text.
  std::string text(const std::string& key, const std::string& fallback, const std::vector<std::string>& choices = {});
  std::vector<std::string> texts(const std::string& key, const std::vector<std::string>& fallback);
  std::vector<double> numbers(const std::string& key, const std::vector<double>& fallback);
  std::vector<int64_t> integers(const std::string& key, const std::vector<int64_t>& fallback);
  // As `text`, for a key without a default: Error "expected the key KEY, found none".
  std::string required_text(const std::string& key, const std::vector<std::string>& choices = {});

  // Throws Error for the first key nobody read: "PLACE: KEY: no such key; the nearest is NEAREST".
  void finish() const;
  // Every key read so far, with its value and origin ("default" where nothing set it).
  [[nodiscard]] const std::map<std::string, Entry>& effective() const { return effective_; }
  // Takes over what another config (a part taken out and read) found effective, under `prefix.`.
  void adopt_effective(const std::string& prefix, const Config& part);
  // The effective config as TOML text, keys sorted, one `key = value` line each; `with_origins` adds `  # origin`.
  [[nodiscard]] std::string effective_toml(bool with_origins = false) const;
  // SHA-256 of the effective keys that change results: all but those under the prefixes given.
  [[nodiscard]] std::string identity(const std::vector<std::string>& without_prefixes) const;

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  const Entry* find(const std::string& key);
  void record(const std::string& key, const Value& value, const Entry* entry);

  std::string name_ = "config";
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::vector<Config>> tables_;
  std::map<std::string, Entry> effective_;
  std::set<std::string> read_;
};

// A value as TOML text, doubles in the shortest form that reads back.
std::string to_toml(const Config::Value& value);
// The candidate with the smallest edit distance to `word`; empty if there are none.
std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace harness
