#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "harness/core/error.h"
#include "harness/core/utf8.h"
#include "harness/text/jinja/builtins.h"
#include "harness/text/jinja/operators.h"
#include "harness/text/jinja/sequence_filters.h"
#include "harness/text/unicode/properties.h"

namespace harness::jinja {

bool flag(const CallArguments& arguments, size_t place, std::string_view name, bool fallback) {
  const Value* value = arguments.find(place, name);
  return value == nullptr ? fallback : value->is_true();
}

std::string text_argument(const CallArguments& arguments, size_t place, std::string_view name, const std::string& fallback) {
  const Value* value = arguments.find(place, name);
  return value == nullptr ? fallback : value->to_text();
}

namespace {

Value to_json_filter(const Value& input, const CallArguments& arguments) {
  JsonStyle style;
  style.ensure_ascii = flag(arguments, 0, "ensure_ascii", false);
  if (const Value* indent = arguments.find(1, "indent"); indent != nullptr && !indent->is_none()) {
    style.indent = indent->is_string() ? indent->text()
                                       : std::string(static_cast<size_t>(std::clamp<int64_t>(indent->integer(), 0, 1000)), ' ');
    style.item_separator = ",";
  }
  if (const Value* separators = arguments.find(2, "separators"); separators != nullptr && !separators->is_none()) {
    const List pair = iterate(*separators);
    if (pair.size() != 2) throw Error("tojson: expected two separators, found {}", pair.size());
    style.item_separator = pair[0].to_text();
    style.key_separator = pair[1].to_text();
  }
  style.sort_keys = flag(arguments, 3, "sort_keys", false);
  return to_json(input, style);
}

Value title_filter(const std::string& text) {
  std::string out;
  bool begins = true;
  for (const char32_t c : to_code_points(text)) {
    const std::string one = to_utf8(std::u32string(1, c));
    out += begins ? upper_text(one) : lower_text(one);
    begins = is_python_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  }
  return out;
}

Value indent_filter(const Value& input, const CallArguments& arguments) {
  std::string unit = "    ";
  if (const Value* width = arguments.find(0, "width"); width != nullptr) {
    unit = width->is_string() ? width->text()
                              : std::string(static_cast<size_t>(std::clamp<int64_t>(width->integer(), 0, 1000)), ' ');
  }
  const bool first = flag(arguments, 1, "first", false);
  const bool blank = flag(arguments, 2, "blank", false);
  const std::string text = input.to_text() + "\n";
  std::string out;
  size_t number = 0;
  for (size_t begin = 0; begin < text.size(); ++number) {
    const size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    if (number > 0) out += "\n";
    if (number == 0 ? first : (blank || !line.empty())) extend(out, unit);
    extend(out, line);
    begin = end + 1;
  }
  return out;
}

Value int_filter(const Value& input, const CallArguments& arguments) {
  const Value* fallback = arguments.find(0, "default");
  const Value otherwise = fallback == nullptr ? Value(0) : *fallback;
  if (input.is_float())
    return std::isfinite(input.number()) && std::abs(input.number()) < 9e18 ? Value(static_cast<int64_t>(input.number()))
                                                                            : otherwise;
  if (input.is_number()) return input.integer();
  if (!input.is_string()) return otherwise;
  std::string text = strip_text(input.text(), std::nullopt, true, true);
  if (text.starts_with('+')) text.erase(0, 1);
  std::erase(text, '_');
  int64_t value = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return value;
  double number = 0;
  read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole =
      read.ec == std::errc() && read.ptr == text.data() + text.size() && std::isfinite(number) && std::abs(number) < 9e18;
  return whole ? Value(static_cast<int64_t>(number)) : otherwise;
}

Value float_filter(const Value& input, const CallArguments& arguments) {
  const Value* fallback = arguments.find(0, "default");
  if (input.is_number()) return input.number();
  if (input.is_string()) {
    std::string text = strip_text(input.text(), std::nullopt, true, true);
    if (text.starts_with('+')) text.erase(0, 1);
    double number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (!text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size()) return number;
  }
  return fallback == nullptr ? Value(0.0) : *fallback;
}

Value round_filter(const Value& input, const CallArguments& arguments) {
  const Value* precision = arguments.find(0, "precision");
  const std::string method = text_argument(arguments, 1, "method", "common");
  const double scale = std::pow(10.0, precision == nullptr ? 0.0 : precision->number());
  const double value = input.number() * scale;
  if (method == "ceil") return std::ceil(value) / scale;
  if (method == "floor") return std::floor(value) / scale;
  if (method != "common") throw Error("round: expected common, ceil or floor, found {}", method);
  return std::nearbyint(value) / scale;  // to even, as Python
}

Value escape_filter(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Value wordcount_filter(const std::string& text) {
  int64_t words = 0;
  bool inside = false;
  for (const char32_t c : to_code_points(text)) {
    const bool word = !is_python_space(c) && !(c < 0x80 && std::ispunct(static_cast<int>(c)) != 0 && c != '_');
    if (word && !inside) ++words;
    inside = word;
  }
  return words;
}

Value default_filter(const Value& input, const CallArguments& arguments) {
  const Value* fallback = arguments.find(0, "default_value");
  const bool missing = input.is_undefined() || (flag(arguments, 1, "boolean", false) && !input.is_true());
  if (!missing) return input;
  return fallback == nullptr ? Value("") : *fallback;
}

Value replace_filter(const Value& input, const CallArguments& arguments) {
  const Value* count = arguments.find(2, "count");
  return replace_text(input.to_text(), text_argument(arguments, 0, "old", ""), text_argument(arguments, 1, "new", ""),
                      count == nullptr || count->is_none() ? -1 : count->integer());
}

Value abs_filter(const Value& input) {
  if (input.is_float()) return std::abs(input.number());
  return input.integer() < 0 ? negative(input) : Value(input.integer());
}

using Filter = Value (*)(const Value&, const CallArguments&);
struct NamedFilter {
  std::string_view name;
  Filter apply;
};

constexpr std::array kFilters{
    NamedFilter{"abs", [](const Value& in, const CallArguments&) { return abs_filter(in); }},
    NamedFilter{"attr",
                [](const Value& in, const CallArguments& a) { return get_attribute(in, text_argument(a, 0, "name", "")); }},
    NamedFilter{"capitalize", [](const Value& in, const CallArguments&) { return Value(capitalize_text(in.to_text())); }},
    NamedFilter{"count", [](const Value& in, const CallArguments&) { return Value(length_of(in)); }},
    NamedFilter{"d", default_filter},
    NamedFilter{"default", default_filter},
    NamedFilter{"dictsort", dictsort_filter},
    NamedFilter{"e", [](const Value& in, const CallArguments&) { return escape_filter(in.to_text()); }},
    NamedFilter{"escape", [](const Value& in, const CallArguments&) { return escape_filter(in.to_text()); }},
    NamedFilter{"first", [](const Value& in, const CallArguments&) { return edge_filter(in, true); }},
    NamedFilter{"float", float_filter},
    NamedFilter{"format",
                [](const Value& in, const CallArguments& a) { return Value(format_percent(in.to_text(), a.positional)); }},
    NamedFilter{"indent", indent_filter},
    NamedFilter{"int", int_filter},
    NamedFilter{"items", [](const Value& in, const CallArguments&) { return items_filter(in); }},
    NamedFilter{"join", join_filter},
    NamedFilter{"last", [](const Value& in, const CallArguments&) { return edge_filter(in, false); }},
    NamedFilter{"length", [](const Value& in, const CallArguments&) { return Value(length_of(in)); }},
    NamedFilter{"list", [](const Value& in, const CallArguments&) { return Value::list(iterate(in)); }},
    NamedFilter{"lower", [](const Value& in, const CallArguments&) { return Value(lower_text(in.to_text())); }},
    NamedFilter{"map", map_filter},
    NamedFilter{"max", [](const Value& in, const CallArguments& a) { return extreme_filter(in, a, true); }},
    NamedFilter{"min", [](const Value& in, const CallArguments& a) { return extreme_filter(in, a, false); }},
    NamedFilter{"reject", [](const Value& in, const CallArguments& a) { return select_filter(in, a, false, false); }},
    NamedFilter{"rejectattr", [](const Value& in, const CallArguments& a) { return select_filter(in, a, true, false); }},
    NamedFilter{"replace", replace_filter},
    NamedFilter{"reverse", [](const Value& in, const CallArguments&) { return reverse_filter(in); }},
    NamedFilter{"round", round_filter},
    NamedFilter{"safe", [](const Value& in, const CallArguments&) { return Value(in.to_text()); }},
    NamedFilter{"select", [](const Value& in, const CallArguments& a) { return select_filter(in, a, false, true); }},
    NamedFilter{"selectattr", [](const Value& in, const CallArguments& a) { return select_filter(in, a, true, true); }},
    NamedFilter{"sort", sort_filter},
    NamedFilter{"string", [](const Value& in, const CallArguments&) { return Value(in.to_text()); }},
    NamedFilter{"sum", sum_filter},
    NamedFilter{"title", [](const Value& in, const CallArguments&) { return title_filter(in.to_text()); }},
    NamedFilter{"tojson", to_json_filter},
    NamedFilter{"trim",
                [](const Value& in, const CallArguments& a) {
                  const Value* characters = a.find(0, "chars");
                  const bool given = characters != nullptr && !characters->is_none();
                  return Value(
                      strip_text(in.to_text(), given ? std::optional(characters->to_text()) : std::nullopt, true, true));
                }},
    NamedFilter{"unique", unique_filter},
    NamedFilter{"upper", [](const Value& in, const CallArguments&) { return Value(upper_text(in.to_text())); }},
    NamedFilter{"wordcount", [](const Value& in, const CallArguments&) { return wordcount_filter(in.to_text()); }},
};

const NamedFilter* find_filter(const std::string& name) {
  const auto found =
      std::find_if(kFilters.begin(), kFilters.end(), [&](const NamedFilter& filter) { return filter.name == name; });
  return found == kFilters.end() ? nullptr : &*found;
}

}  // namespace

bool is_filter(const std::string& name) { return find_filter(name) != nullptr; }

Value apply_filter(const std::string& name, const Value& input, const CallArguments& arguments) {
  const NamedFilter* filter = find_filter(name);
  if (filter == nullptr) throw Error("the filter \"{}\" is not supported", name);
  arguments.take(input.weight());
  return filter->apply(input, arguments);
}

}  // namespace harness::jinja
