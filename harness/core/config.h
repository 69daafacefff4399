// Config: a TOML document as a flat list of keys, each value with the place it comes from; layers are laid one over the other.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace harness {

// A flat view of a TOML document: dotted key -> value and origin. Layers are laid over one another (named base < file < row <
// command line), the later wins. Reading it, with types, defaults and ranges, is ConfigReader's part.
class Config {
 public:
  using Value =
      std::variant<bool, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;
  struct Entry {
    Value value;
    std::string origin;  // "quickstart.toml: line 17", "--set", "default", "base dapo"
  };
  using Entries = std::map<std::string, Entry>;

  Config() = default;
  Config(std::string name, Entries entries) : name_(std::move(name)), entries_(std::move(entries)) {}
  // Tables become dotted keys; arrays must hold numbers or strings. Arrays of tables are left to `take_tables`. Throws Error
  // "NAME: line N: ..." for what is no TOML or holds other values.
  static Config from_toml_text(std::string_view text, const std::string& name);
  // A key `include = "FILE"` (beside this file) lays this file over that one; its arrays of tables, such as [[rows]], take the
  // place of those of that name there.
  static Config from_toml_file(const std::string& path);

  // The entries of an array of tables such as [[rows]], in order, taken out of this config.
  [[nodiscard]] std::vector<Config> take_tables(const std::string& key);
  // The sub-tree under `prefix.` with the prefix removed, taken out of this config.
  [[nodiscard]] Config take(const std::string& prefix);

  // Lays `other` over this one.
  void overlay(const Config& other);
  // "key=value" as on the command line: value is TOML where it parses, else a bare string. Throws Error for anything else.
  void set(const std::string& assignment, const std::string& origin = "--set");
  void set(const std::string& key, Value value, const std::string& origin);
  void erase(const std::string& key) { entries_.erase(key); }

  [[nodiscard]] bool has(const std::string& key) const { return entries_.contains(key); }
  // Null where there is none.
  [[nodiscard]] const Entry* find(const std::string& key) const;
  [[nodiscard]] const Entries& entries() const { return entries_; }
  // The arrays of tables that nobody took, by key.
  [[nodiscard]] const std::map<std::string, std::vector<Config>>& tables() const { return tables_; }
  // What messages call it: its file.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_ = "config";
  Entries entries_;
  std::map<std::string, std::vector<Config>> tables_;
};

// A value as TOML text, doubles in the shortest form that reads back.
std::string to_toml(const Config::Value& value);
// Entries as TOML text, keys sorted, one `key = value` line each; `with_origins` adds `  # origin`.
std::string to_toml(const Config::Entries& entries, bool with_origins = false);
// SHA-256 of the entries' keys and values but those of the keys given.
std::string entries_hash(const Config::Entries& entries, const std::vector<std::string>& without);

}  // namespace harness
