// Attributes, items and slices of values, and the string functions that filters and methods share.
#include <algorithm>
#include <cmath>

#include "harness/core/error.h"
#include "harness/core/utf8.h"
#include "harness/text/jinja/builtins.h"
#include "harness/text/unicode/properties.h"

namespace harness::jinja {

namespace {

Value nothing(const Value& value, const std::string& key) {
  return Value::undefined(fmt::format("'{}' of {}", key, value.type_name()));
}

std::optional<Value> own_attribute(const Value& value, const std::string& name) {
  if (name.starts_with('_')) return std::nullopt;  // the sandbox hides them
  if (value.is_object()) return value.object().attribute(name);
  return method_of(value, name);
}

std::optional<Value> own_item(const Value& value, const Value& key) {
  if (value.is_dict()) {
    const Value* found = value.entries().find(key);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  if ((value.is_list_or_tuple() || value.is_string()) && (key.is_integer() || key.is_bool())) {
    const int64_t count = length_of(value);
    const int64_t at = key.integer() < 0 ? key.integer() + count : key.integer();
    if (at < 0 || at >= count) return std::nullopt;
    if (value.is_sequence()) return value.items()[static_cast<size_t>(at)];
    return Value(to_utf8(std::u32string(1, to_code_points(value.text())[static_cast<size_t>(at)])), value.is_markup());
  }
  return std::nullopt;
}

}  // namespace

Value get_attribute(const Value& value, const std::string& name) {
  require_defined(value);
  if (auto found = own_attribute(value, name)) return *found;
  if (auto found = own_item(value, Value(name))) return *found;
  return nothing(value, name);
}

Value get_item(const Value& value, const Value& key) {
  require_defined(value);
  if (auto found = own_item(value, key)) return *found;
  if (key.is_string()) {
    if (auto found = own_attribute(value, key.text())) return *found;
  }
  return nothing(value, key.to_text());
}

Value get_slice(const Value& value, const Value& begin, const Value& end, const Value& step) {
  require_defined(value);
  if (!value.is_list_or_tuple() && !value.is_string())
    throw Error("expected a string or a list to slice, found {}", value.type_name());
  const int64_t stride = step.is_none() ? 1 : step.integer();
  if (stride == 0) throw Error("slice: expected a step other than 0, found 0");
  const std::u32string points = value.is_string() ? to_code_points(value.text()) : std::u32string();
  const auto count = static_cast<int64_t>(value.is_string() ? points.size() : value.items().size());
  const auto bound = [&](const Value& given, int64_t fallback) {
    if (given.is_none()) return fallback;
    const int64_t at = given.integer() < 0 ? given.integer() + count : given.integer();
    return stride > 0 ? std::clamp<int64_t>(at, 0, count) : std::clamp<int64_t>(at, -1, count - 1);
  };
  const int64_t first = bound(begin, stride > 0 ? 0 : count - 1);
  const int64_t last = bound(end, stride > 0 ? count : -1);
  std::vector<size_t> places;
  for (int64_t i = first; stride > 0 ? i < last : i > last;) {
    places.push_back(static_cast<size_t>(i));
    if (__builtin_add_overflow(i, stride, &i)) break;
  }
  if (value.is_string()) {
    std::string text;
    for (const size_t place : places) append_utf8(text, points[place]);
    return {std::move(text), value.is_markup()};
  }
  List chosen;
  for (const size_t place : places) chosen.push_back(value.items()[place]);
  return value.is_tuple() ? Value::tuple(std::move(chosen)) : Value::list(std::move(chosen));
}

void extend(std::string& text, std::string_view more) {
  if (text.size() + more.size() > kLongestText)
    throw Error("expected texts of at most {} bytes, found a longer one", kLongestText);
  text += more;
}

std::string strip_text(const std::string& text, const std::optional<std::string>& characters, bool left, bool right) {
  const std::u32string points = to_code_points(text);
  const std::u32string set = characters ? to_code_points(*characters) : std::u32string();
  const auto goes = [&](char32_t c) { return characters ? set.find(c) != std::u32string::npos : is_python_space(c); };
  size_t begin = 0;
  size_t end = points.size();
  while (left && begin < end && goes(points[begin])) ++begin;
  while (right && end > begin && goes(points[end - 1])) --end;
  return to_utf8(std::u32string_view(points).substr(begin, end - begin));
}

std::string replace_text(const std::string& text, const std::string& from, const std::string& to, int64_t count) {
  std::string out;
  const auto check = [&] {
    if (out.size() > kLongestText) throw Error("replace: expected a text of at most {} bytes, found more", kLongestText);
  };
  if (from.empty()) {  // before every character and at the end
    for (const char32_t c : to_code_points(text)) {
      if (count != 0) out += to;
      if (count > 0) --count;
      append_utf8(out, c);
      check();
    }
    return count != 0 ? out + to : out;
  }
  size_t last = 0;
  for (size_t at = text.find(from); at != std::string::npos && count != 0; at = text.find(from, last)) {
    out.append(text, last, at - last);
    out += to;
    check();
    last = at + from.size();
    if (count > 0) --count;
  }
  return out.append(text, last);
}

namespace {

// %d: a float without its fraction.
std::string whole_text(const Value& value) {
  if (!value.is_float()) return fmt::format("{}", value.integer());
  const double number = std::trunc(value.number()) + 0.0;  // no -0
  if (!std::isfinite(number)) throw Error("%d: expected a finite number, found {}", value.repr());
  return fmt::format("{:.0f}", number);
}

}  // namespace

Value format_percent(const Value& markup_or_text, const Value& given) {
  const std::string& pattern = markup_or_text.text();
  const bool markup = markup_or_text.is_markup();
  const List values = given.is_tuple() ? given.items() : List{given};
  std::string out;
  size_t used = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      out += pattern[i];
      continue;
    }
    const size_t begin = i++;
    size_t decimals = std::string::npos;
    if (i < pattern.size() && pattern[i] == '.') {
      decimals = 0;
      for (++i; i < pattern.size() && pattern[i] >= '0' && pattern[i] <= '9'; ++i)
        decimals = std::min<size_t>(decimals * 10 + static_cast<size_t>(pattern[i] - '0'), 100);
    }
    const char kind = i < pattern.size() ? pattern[i] : '\0';
    if (kind == '%') {
      out += '%';
      continue;
    }
    if (std::string_view("srdifx").find(kind) == std::string_view::npos || kind == '\0') {
      throw Error("the conversion \"{}\" is not supported", pattern.substr(begin, i - begin + 1));
    }
    if (used == values.size()) throw Error("expected more values for the format \"{}\"", pattern);
    const Value& value = values[used++];
    switch (kind) {
      case 's':
        extend(out, markup ? escaped(value).text() : value.to_text());
        break;
      case 'r':
        extend(out, markup ? escape_text(value.repr()) : value.repr());
        break;
      case 'f':
        out += fmt::format("{:.{}f}", value.number(), decimals == std::string::npos ? 6 : decimals);
        break;
      case 'x':
        out += fmt::format("{:x}", value.integer());
        break;
      default:
        out += whole_text(value);
    }
  }
  const bool may_be_left = given.is_dict() || (given.is_sequence() && !given.is_tuple());
  if (used != values.size() && !may_be_left)
    throw Error("expected {} values for the format \"{}\", found {}", used, pattern, values.size());
  return {std::move(out), markup};
}

Value format_braces(const Value& markup_or_text, const CallArguments& arguments) {
  const std::string& pattern = markup_or_text.text();
  const bool markup = markup_or_text.is_markup();
  std::string out;
  size_t automatic = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if ((c == '{' || c == '}') && i + 1 < pattern.size() && pattern[i + 1] == c) {
      out += c;
      ++i;
      continue;
    }
    if (c == '}') throw Error("format: expected a field, found a single \"}}\"");
    if (c != '{') {
      out += c;
      continue;
    }
    const size_t end = pattern.find('}', i);
    if (end == std::string::npos) throw Error("format: expected \"}}\", found none");
    const std::string field = pattern.substr(i + 1, end - i - 1);
    i = end;
    if (field.find_first_of(":!.[") != std::string::npos) throw Error("format: the field \"{{{}}}\" is not supported", field);
    const bool digits = std::all_of(field.begin(), field.end(), [](unsigned char d) { return std::isdigit(d) != 0; });
    const Value* value = nullptr;
    if (digits) {
      const size_t place = field.empty() ? automatic++ : static_cast<size_t>(std::stoul(field.substr(0, 6)));
      value = place < arguments.positional.size() ? &arguments.positional[place] : nullptr;
    } else {
      value = arguments.find(arguments.positional.size(), field);
    }
    if (value == nullptr) throw Error("format: expected a value for \"{{{}}}\", found none", field);
    extend(out, markup ? escaped(*value).text() : value->to_text());
  }
  return {std::move(out), markup};
}

}  // namespace harness::jinja
