#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "harness/core/error.h"
#include "harness/text/jinja_builtins.h"
#include "harness/text/jinja_operators.h"
#include "harness/text/utf8.h"

namespace harness::jinja {

namespace {

bool flag(const CallArguments& arguments, size_t place, std::string_view name, bool fallback) {
  const Value* value = arguments.find(place, name);
  return value == nullptr ? fallback : value->is_true();
}

std::string text_argument(const CallArguments& arguments, size_t place, std::string_view name, const std::string& fallback) {
  const Value* value = arguments.find(place, name);
  return value == nullptr ? fallback : value->to_text();
}

// "a.b.0": attributes and indices, one after the other; `fallback` stands in wherever one is missing.
Value path_of(const Value& item, const Value& path, const Value* fallback = nullptr) {
  const auto or_fallback = [&](Value value) { return value.is_undefined() && fallback != nullptr ? *fallback : value; };
  if (path.is_integer()) return or_fallback(get_item(item, path));
  Value value = item;
  const std::string text = path.to_text();
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('.', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const bool digits = !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    int64_t place = 0;
    if (digits && std::from_chars(part.data(), part.data() + part.size(), place).ec != std::errc()) {
      throw Error("expected an index of at most 64 bits, found {}", part);
    }
    value = or_fallback(get_item(value, digits ? Value(place) : Value(part)));
    begin = end + 1;
  }
  return value;
}

// Ordering of sort, unique, min, max, dictsort: strings without case unless asked.
Value sort_key(const Value& value, bool case_sensitive) {
  return value.is_string() && !case_sensitive ? Value(lower_text(value.text())) : value;
}

Value to_json_filter(const Value& input, const CallArguments& arguments) {
  JsonStyle style;
  style.ensure_ascii = flag(arguments, 0, "ensure_ascii", false);
  if (const Value* indent = arguments.find(1, "indent"); indent != nullptr && !indent->is_none()) {
    style.indent = indent->is_string() ? indent->text() : std::string(static_cast<size_t>(std::clamp<int64_t>(indent->integer(), 0, 1000)), ' ');
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

Value join_filter(const Value& input, const CallArguments& arguments) {
  const std::string separator = text_argument(arguments, 0, "d", "");
  const Value* attribute = arguments.find(1, "attribute");
  std::string text;
  bool first = true;
  for (const Value& item : iterate(input)) {
    if (!first) extend(text, separator);
    first = false;
    extend(text, (attribute == nullptr || attribute->is_none() ? item : path_of(item, *attribute)).to_text());
  }
  return text;
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
    unit = width->is_string() ? width->text() : std::string(static_cast<size_t>(std::clamp<int64_t>(width->integer(), 0, 1000)), ' ');
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
  if (input.is_float()) return std::isfinite(input.number()) && std::abs(input.number()) < 9e18 ? Value(static_cast<int64_t>(input.number())) : otherwise;
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
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size() && std::isfinite(number) && std::abs(number) < 9e18;
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

List sorted(List items, bool reverse, const std::function<bool(const Value&, const Value&)>& before) {
  if (reverse) {
    std::stable_sort(items.begin(), items.end(), [&](const Value& a, const Value& b) { return before(b, a); });
  } else {
    std::stable_sort(items.begin(), items.end(), before);
  }
  return items;
}

// Each item is read through about so many times.
void take_sorting(const Value& input, const CallArguments& arguments) {
  arguments.take(input.weight() * static_cast<size_t>(std::bit_width(input.weight())));
}

Value sort_filter(const Value& input, const CallArguments& arguments) {
  take_sorting(input, arguments);
  const bool case_sensitive = flag(arguments, 1, "case_sensitive", false);
  const Value* attribute = arguments.find(2, "attribute");
  const auto key = [&](const Value& item) {
    return sort_key(attribute == nullptr || attribute->is_none() ? item : path_of(item, *attribute), case_sensitive);
  };
  return Value::list(sorted(iterate(input), flag(arguments, 0, "reverse", false),
                            [&](const Value& a, const Value& b) { return less(key(a), key(b)); }));
}

Value dictsort_filter(const Value& input, const CallArguments& arguments) {
  if (!input.is_dict()) throw Error("dictsort: expected a mapping, found {}", input.type_name());
  take_sorting(input, arguments);
  const bool case_sensitive = flag(arguments, 0, "case_sensitive", false);
  const size_t by = text_argument(arguments, 1, "by", "key") == "value" ? 1 : 0;
  List pairs;
  for (const auto& [key, value] : input.entries().entries()) pairs.push_back(Value::tuple({key, value}));
  return Value::list(sorted(std::move(pairs), flag(arguments, 2, "reverse", false), [&](const Value& a, const Value& b) {
    return less(sort_key(a.items()[by], case_sensitive), sort_key(b.items()[by], case_sensitive));
  }));
}

Value unique_filter(const Value& input, const CallArguments& arguments) {
  const bool case_sensitive = flag(arguments, 0, "case_sensitive", false);
  const Value* attribute = arguments.find(1, "attribute");
  List kept;
  Dict seen;
  for (const Value& item : iterate(input)) {
    const Value key = sort_key(attribute == nullptr || attribute->is_none() ? item : path_of(item, *attribute), case_sensitive);
    arguments.take(seen.entries().size());
    if (seen.find(key) != nullptr) continue;
    seen.set(key, true);
    kept.push_back(item);
  }
  return Value::generator(std::move(kept));
}

Value sum_filter(const Value& input, const CallArguments& arguments) {
  const Value* attribute = arguments.find(0, "attribute");
  const Value* start = arguments.find(1, "start");
  Value total = start == nullptr ? Value(0) : *start;
  for (const Value& item : iterate(input)) {
    const Value term = attribute == nullptr || attribute->is_none() ? item : path_of(item, *attribute);
    if (!total.is_number() || !term.is_number()) throw Error("sum: expected numbers, found {}", (total.is_number() ? term : total).type_name());
    total = binary("+", total, term);
  }
  return total;
}

Value extreme_filter(const Value& input, const CallArguments& arguments, bool largest) {
  const bool case_sensitive = flag(arguments, 0, "case_sensitive", false);
  const Value* attribute = arguments.find(1, "attribute");
  const auto key = [&](const Value& item) {
    return sort_key(attribute == nullptr || attribute->is_none() ? item : path_of(item, *attribute), case_sensitive);
  };
  const List items = iterate(input);
  if (items.empty()) return Value::undefined("an item of an empty sequence");
  Value best = items.front();
  for (const Value& item : items) {
    if (largest ? less(key(best), key(item)) : less(key(item), key(best))) best = item;
  }
  return best;
}

// map and select give nothing for none, as for whatever counts as false.
List iterate_if_any(const Value& input) { return input.is_true() ? iterate(input) : List{}; }

CallArguments rest_of(const CallArguments& arguments, size_t from) {
  CallArguments rest;
  if (arguments.positional.size() > from) {
    rest.positional.assign(arguments.positional.begin() + static_cast<ptrdiff_t>(from), arguments.positional.end());
  }
  rest.named = arguments.named;
  rest.budget = arguments.budget;
  return rest;
}

Value map_filter(const Value& input, const CallArguments& arguments) {
  List mapped;
  const Value* attribute = arguments.positional.empty() ? arguments.find(0, "attribute") : nullptr;
  if (attribute != nullptr) {
    const Value* fallback = arguments.find(99, "default");
    for (const Value& item : iterate_if_any(input)) mapped.push_back(path_of(item, *attribute, fallback));
    return Value::generator(std::move(mapped));
  }
  if (arguments.positional.empty()) throw Error("map: expected a filter's name or attribute=, found none");
  const std::string name = arguments.positional.front().to_text();
  if (!is_filter(name)) throw Error("the filter \"{}\" is not supported", name);
  const CallArguments rest = rest_of(arguments, 1);
  for (const Value& item : iterate_if_any(input)) mapped.push_back(apply_filter(name, item, rest));
  return Value::generator(std::move(mapped));
}

// select, reject, selectattr, rejectattr.
Value select_filter(const Value& input, const CallArguments& arguments, bool by_attribute, bool wanted) {
  const size_t places = by_attribute ? 1 : 0;
  if (by_attribute && arguments.positional.empty()) throw Error("selectattr: expected an attribute, found none");
  std::optional<std::string> test;
  if (arguments.positional.size() > places) test = arguments.positional[places].to_text();
  if (test && !is_test(*test)) throw Error("the test \"{}\" is not supported", *test);
  const CallArguments rest = rest_of(arguments, places + 1);
  List kept;
  for (const Value& item : iterate_if_any(input)) {
    const Value value = by_attribute ? path_of(item, arguments.positional.front()) : item;
    if ((test ? apply_test(*test, value, rest) : value.is_true()) == wanted) kept.push_back(item);
  }
  return Value::generator(std::move(kept));
}

Value items_filter(const Value& input) {
  if (input.is_undefined()) return Value::generator({});
  if (!input.is_dict()) throw Error("items: expected a mapping, found {}", input.type_name());
  List pairs;
  for (const auto& [key, value] : input.entries().entries()) pairs.push_back(Value::tuple({key, value}));
  return Value::generator(std::move(pairs));
}

Value edge_filter(const Value& input, bool first) {
  const List items = iterate(input);
  if (items.empty()) return Value::undefined(first ? "the first item of an empty sequence" : "the last item of an empty sequence");
  return first ? items.front() : items.back();
}

Value reverse_filter(const Value& input) {
  List items = iterate(input);
  std::reverse(items.begin(), items.end());
  if (!input.is_string()) return Value::generator(std::move(items));
  std::string text;
  for (const Value& item : items) text += item.text();
  return text;
}

Value escape_filter(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
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
    NamedFilter{"attr", [](const Value& in, const CallArguments& a) { return get_attribute(in, text_argument(a, 0, "name", "")); }},
    NamedFilter{"capitalize", [](const Value& in, const CallArguments&) { return Value(capitalize_text(in.to_text())); }},
    NamedFilter{"count", [](const Value& in, const CallArguments&) { return Value(length_of(in)); }},
    NamedFilter{"d", default_filter},
    NamedFilter{"default", default_filter},
    NamedFilter{"dictsort", dictsort_filter},
    NamedFilter{"e", [](const Value& in, const CallArguments&) { return escape_filter(in.to_text()); }},
    NamedFilter{"escape", [](const Value& in, const CallArguments&) { return escape_filter(in.to_text()); }},
    NamedFilter{"first", [](const Value& in, const CallArguments&) { return edge_filter(in, true); }},
    NamedFilter{"float", float_filter},
    NamedFilter{"format", [](const Value& in, const CallArguments& a) { return Value(format_percent(in.to_text(), a.positional)); }},
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
                  return Value(strip_text(in.to_text(), given ? std::optional(characters->to_text()) : std::nullopt, true, true));
                }},
    NamedFilter{"unique", unique_filter},
    NamedFilter{"upper", [](const Value& in, const CallArguments&) { return Value(upper_text(in.to_text())); }},
    NamedFilter{"wordcount", [](const Value& in, const CallArguments&) { return wordcount_filter(in.to_text()); }},
};

const NamedFilter* find_filter(const std::string& name) {
  const auto found = std::find_if(kFilters.begin(), kFilters.end(), [&](const NamedFilter& filter) { return filter.name == name; });
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
