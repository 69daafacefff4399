// ConfigReader: the typed reading of a Config. Each key is stated once, where it is read: default, range and meaning.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/core/config.h"

namespace harness {

// A key as the program reads it, for `medsbench keys`.
struct KeySpec {
  std::string name, type, fallback, range, meaning;
};

// Reads a config that outlives it. What was read, with its default, is the effective config (`effective`), so no default is
// hidden, and `finish` refuses what nobody read. The getters throw Error "PLACE: KEY: expected ..., found ..." for a wrong type
// or a value out of range; bounds are inclusive.
class ConfigReader {
 public:
  explicit ConfigReader(const Config& config) : config_(config) {}
  explicit ConfigReader(const Config&&) = delete;

  double number(const std::string& key, double fallback, double low, double high, const std::string& meaning);
  // At least `low`.
  double number(const std::string& key, double fallback, double low, const std::string& meaning) {
    return number(key, fallback, low, std::numeric_limits<double>::infinity(), meaning);
  }
  int64_t integer(const std::string& key, int64_t fallback, int64_t low, int64_t high, const std::string& meaning);
  int64_t integer(const std::string& key, int64_t fallback, int64_t low, const std::string& meaning) {
    return integer(key, fallback, low, std::numeric_limits<int64_t>::max(), meaning);
  }
  bool boolean(const std::string& key, bool fallback, const std::string& meaning);
  std::string text(const std::string& key, const std::string& fallback, const std::string& meaning) {
    return text(key, fallback, {}, meaning);
  }
  std::string text(const std::string& key, const std::string& fallback, const std::vector<std::string>& choices,
                   const std::string& meaning);
  // Without a default: Error "expected the key KEY, found none".
  std::string required_text(const std::string& key, const std::string& meaning) { return required_text(key, {}, meaning); }
  std::string required_text(const std::string& key, const std::vector<std::string>& choices, const std::string& meaning);
  // One text or number stands for a list of one.
  std::vector<std::string> texts(const std::string& key, const std::vector<std::string>& fallback, const std::string& meaning);
  std::vector<double> numbers(const std::string& key, const std::vector<double>& fallback, const std::string& meaning);
  std::vector<int64_t> integers(const std::string& key, const std::vector<int64_t>& fallback, const std::string& meaning);

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] bool has(const std::string& key) const { return config_.has(key); }
  // Every key read so far, with its value and origin ("default" where nothing set it).
  [[nodiscard]] const Config::Entries& effective() const { return effective_; }
  // The same keys as they are stated, in the order of their first reading.
  [[nodiscard]] const std::vector<KeySpec>& keys() const { return keys_; }
  // Throws Error for the first key that was not read: "PLACE: KEY: unknown key; the nearest is NEAREST".
  void finish() const;

 private:
  const Config::Entry* declare(KeySpec spec);
  void record(const std::string& key, const Config::Value& value, const Config::Entry* entry);

  const Config& config_;
  std::vector<KeySpec> keys_;
  Config::Entries effective_;
};

// As ConfigReader::finish, for a config of which each reader reads a part. `elsewhere`: keys that stand at another place of the
// file, which a mistaken key may be meant to be.
void finish_all(const Config& config, std::span<const ConfigReader* const> readers,
                const std::vector<std::string>& elsewhere = {});

// Reads the keys of one method: `method.NAME.KEY` before `method.KEY`, in a reader that outlives it.
class MethodKeys {
 public:
  MethodKeys(ConfigReader& reader, std::string method) : reader_(reader), method_(std::move(method)) {}
  double number(const std::string& key, double fallback, double low, double high, const std::string& meaning) {
    return reader_.number(place(key), fallback, low, high, meaning);
  }
  int64_t integer(const std::string& key, int64_t fallback, int64_t low, int64_t high, const std::string& meaning) {
    return reader_.integer(place(key), fallback, low, high, meaning);
  }
  bool boolean(const std::string& key, bool fallback, const std::string& meaning) {
    return reader_.boolean(place(key), fallback, meaning);
  }
  std::string text(const std::string& key, const std::string& fallback, const std::vector<std::string>& choices,
                   const std::string& meaning) {
    return reader_.text(place(key), fallback, choices, meaning);
  }
  [[nodiscard]] bool has(const std::string& key) const { return reader_.has(place(key)); }
  // Of the whole config, for keys that are not the method's own.
  [[nodiscard]] ConfigReader& reader() const { return reader_; }

 private:
  [[nodiscard]] std::string place(const std::string& key) const;
  ConfigReader& reader_;
  std::string method_;
};

}  // namespace harness
