// Config as TOML text: values, entries, their hash.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "harness/core/config.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"

namespace harness {

namespace {

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

std::string to_toml(const Config::Entries& entries, bool with_origins) {
  std::string out;
  for (const auto& [key, entry] : entries) {
    out += fmt::format("{} = {}", key, to_toml(entry.value));
    if (with_origins) out += "  # " + entry.origin;
    out += '\n';
  }
  return out;
}

std::string entries_hash(const Config::Entries& entries, const std::vector<std::string>& without) {
  std::string text;
  for (const auto& [key, entry] : entries) {
    const bool left_out = std::find(without.begin(), without.end(), key) != without.end();
    if (!left_out) text += fmt::format("{} = {}\n", key, to_toml(entry.value));
  }
  return sha256_hex(text);
}

}  // namespace harness
