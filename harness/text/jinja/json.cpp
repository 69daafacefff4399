// Python's text of numbers and json.dumps.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "harness/core/error.h"
#include "harness/core/utf8.h"
#include "harness/text/jinja/value.h"

namespace harness::jinja {

std::string python_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string text(buffer, end);  // d.ddde+XX
  const size_t mark = text.find('e');
  const int exponent = std::stoi(text.substr(mark + 1));
  std::string sign;
  std::string digits;
  for (const char c : text.substr(0, mark)) {
    if (c == '-') sign = "-";
    if (c >= '0' && c <= '9') digits += c;
  }
  // As Python's repr: an exponent below 1e-4 and from 1e16 on.
  if (exponent < -4 || exponent >= 16) {
    const std::string fraction = digits.size() > 1 ? "." + digits.substr(1) : "";
    return fmt::format("{}{}{}e{}{:02d}", sign, digits[0], fraction, exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0) return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

namespace {

void write_text(const std::string& text, bool ensure_ascii, std::string& out) {
  out += '"';
  for (const char32_t c : to_code_points(text)) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (c < 0x20 || (ensure_ascii && c > 0x7E && c < 0x10000)) {
          out += fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
        } else if (ensure_ascii && c >= 0x10000) {
          const auto rest = static_cast<uint32_t>(c) - 0x10000;
          out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
        } else {
          append_utf8(out, c);
        }
    }
  }
  out += '"';
}

std::string json_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return python_float(value);
}

std::string key_text(const Value& key) {
  if (key.is_string()) return key.text();
  if (key.is_none()) return "null";
  if (key.is_bool()) return key.is_true() ? "true" : "false";
  if (key.is_integer()) return fmt::format("{}", key.integer());
  if (key.is_float()) return json_number(key.number());
  throw Error("tojson: expected keys that are strings or numbers, found {}", key.type_name());
}

class JsonWriter {
 public:
  explicit JsonWriter(const JsonStyle& style) : style_(style) {}

  void write(const Value& value, int depth) {
    if (out_.size() > kLongestText) throw Error("tojson: expected a text of at most {} bytes, found more", kLongestText);
    if (depth > kDeepestValue) throw Error("tojson: expected at most {} levels, found more", kDeepestValue);
    if (value.is_none()) {
      out_ += "null";
    } else if (value.is_bool()) {
      out_ += value.is_true() ? "true" : "false";
    } else if (value.is_integer()) {
      out_ += fmt::format("{}", value.integer());
    } else if (value.is_float()) {
      out_ += json_number(value.number());
    } else if (value.is_string()) {
      write_text(value.text(), style_.ensure_ascii, out_);
    } else if (value.is_list_or_tuple()) {
      write_items(value.items(), depth);
    } else if (value.is_dict()) {
      write_entries(value.entries().entries(), depth);
    } else {
      throw Error("tojson: expected a value that JSON has, found {}", value.type_name());
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void new_line(int depth) {
    if (!style_.indent) return;
    out_ += '\n';
    for (int i = 0; i < depth; ++i) out_ += *style_.indent;
  }
  void write_items(const List& items, int depth) {
    out_ += '[';
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      new_line(depth + 1);
      write(items[i], depth + 1);
    }
    if (!items.empty()) new_line(depth);
    out_ += ']';
  }
  void write_entries(std::vector<std::pair<Value, Value>> entries, int depth) {
    if (style_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return less(a.first, b.first); });
    }
    out_ += '{';
    bool first = true;
    for (const auto& [key, value] : entries) {
      if (!first) out_ += style_.item_separator;
      first = false;
      new_line(depth + 1);
      write_text(key_text(key), style_.ensure_ascii, out_);
      out_ += style_.key_separator;
      write(value, depth + 1);
    }
    if (!entries.empty()) new_line(depth);
    out_ += '}';
  }

  const JsonStyle& style_;
  std::string out_;
};

}  // namespace

std::string to_json(const Value& value, const JsonStyle& style) {
  JsonWriter writer(style);
  writer.write(value, 0);
  return writer.take();
}

}  // namespace harness::jinja
