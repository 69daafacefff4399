#include <algorithm>
#include <array>

#include "harness/core/error.h"
#include "harness/core/utf8.h"
#include "harness/text/jinja/builtins.h"
#include "harness/text/jinja/number_filters.h"
#include "harness/text/jinja/sequence_filters.h"
#include "harness/text/unicode/letter_case.h"
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

// A text made of `input`: Markup where that is.
Value like(const Value& input, std::string text) { return {std::move(text), input.is_markup()}; }

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

// Words begin behind white space and - ( { [ <.
Value title_filter(const std::string& text) {
  std::string out, word;
  const auto close = [&] {
    const size_t first = word.empty() ? 0 : static_cast<size_t>(code_point_at(word, 0).length);
    extend(out, upper_text(word.substr(0, first)) + lower_text(word.substr(first)));
    word.clear();
  };
  for (const char32_t c : to_code_points(text)) {
    append_utf8(word, c);
    if (is_python_space(c) || std::u32string_view(U"-({[<").find(c) != std::u32string_view::npos) close();
  }
  close();
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
  require_defined(input);
  if (!input.is_string()) throw Error("indent: expected a string, found {}", input.type_name());
  std::string out;
  size_t number = 0;
  for (const Value& line : split_lines(input.text() + "\n", false)) {
    if (number > 0) out += "\n";
    if (number == 0 ? first : (blank || !line.text().empty())) extend(out, unit);
    extend(out, line.text());
    ++number;
  }
  return {std::move(out), input.is_markup()};
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

using Filter = Value (*)(const Value&, const CallArguments&);
struct NamedFilter {
  std::string_view name;
  Filter apply;
};

constexpr std::array kFilters{
    NamedFilter{"abs", abs_filter},
    NamedFilter{"attr",
                [](const Value& in, const CallArguments& a) { return get_attribute(in, text_argument(a, 0, "name", "")); }},
    NamedFilter{"capitalize", [](const Value& in, const CallArguments&) { return like(in, capitalize_text(in.to_text())); }},
    NamedFilter{"count", [](const Value& in, const CallArguments&) { return Value(length_of(in)); }},
    NamedFilter{"d", default_filter},
    NamedFilter{"default", default_filter},
    NamedFilter{"dictsort", dictsort_filter},
    NamedFilter{"e", [](const Value& in, const CallArguments&) { return escaped(in); }},
    NamedFilter{"escape", [](const Value& in, const CallArguments&) { return escaped(in); }},
    NamedFilter{"first", [](const Value& in, const CallArguments&) { return edge_filter(in, true); }},
    NamedFilter{"float", float_filter},
    NamedFilter{"forceescape", [](const Value& in, const CallArguments&) { return Value(escape_text(in.to_text()), true); }},
    NamedFilter{"format",
                [](const Value& in, const CallArguments& a) {
                  return format_percent(in.is_string() ? in : Value(in.to_text()), Value::tuple(a.positional));
                }},
    NamedFilter{"indent", indent_filter},
    NamedFilter{"int", int_filter},
    NamedFilter{"items", [](const Value& in, const CallArguments&) { return items_filter(in); }},
    NamedFilter{"join", join_filter},
    NamedFilter{"last", [](const Value& in, const CallArguments&) { return edge_filter(in, false); }},
    NamedFilter{"length", [](const Value& in, const CallArguments&) { return Value(length_of(in)); }},
    NamedFilter{"list", [](const Value& in, const CallArguments&) { return Value::list(iterate(in)); }},
    NamedFilter{"lower", [](const Value& in, const CallArguments&) { return like(in, lower_text(in.to_text())); }},
    NamedFilter{"map", map_filter},
    NamedFilter{"max", [](const Value& in, const CallArguments& a) { return extreme_filter(in, a, true); }},
    NamedFilter{"min", [](const Value& in, const CallArguments& a) { return extreme_filter(in, a, false); }},
    NamedFilter{"reject", [](const Value& in, const CallArguments& a) { return select_filter(in, a, false, false); }},
    NamedFilter{"rejectattr", [](const Value& in, const CallArguments& a) { return select_filter(in, a, true, false); }},
    NamedFilter{"replace", replace_filter},
    NamedFilter{"reverse", [](const Value& in, const CallArguments&) { return reverse_filter(in); }},
    NamedFilter{"round", round_filter},
    NamedFilter{"safe", [](const Value& in, const CallArguments&) { return Value(in.to_text(), true); }},
    NamedFilter{"select", [](const Value& in, const CallArguments& a) { return select_filter(in, a, false, true); }},
    NamedFilter{"selectattr", [](const Value& in, const CallArguments& a) { return select_filter(in, a, true, true); }},
    NamedFilter{"sort", sort_filter},
    NamedFilter{"string", [](const Value& in, const CallArguments&) { return like(in, in.to_text()); }},
    NamedFilter{"sum", sum_filter},
    NamedFilter{"title", [](const Value& in, const CallArguments&) { return title_filter(in.to_text()); }},
    NamedFilter{"tojson", to_json_filter},
    NamedFilter{"trim",
                [](const Value& in, const CallArguments& a) {
                  const Value* characters = a.find(0, "chars");
                  const bool given = characters != nullptr && !characters->is_none();
                  return like(
                      in, strip_text(in.to_text(), given ? std::optional(characters->to_text()) : std::nullopt, true, true));
                }},
    NamedFilter{"unique", unique_filter},
    NamedFilter{"upper", [](const Value& in, const CallArguments&) { return like(in, upper_text(in.to_text())); }},
    NamedFilter{"wordcount", [](const Value& in, const CallArguments&) { return wordcount_filter(in.to_text()); }},
};

const NamedFilter* find_filter(const std::string& name) {
  const auto found =
      std::find_if(kFilters.begin(), kFilters.end(), [&](const NamedFilter& filter) { return filter.name == name; });
  return found == kFilters.end() ? nullptr : &*found;
}

}  // namespace

std::string escape_text(const std::string& text) {
  static constexpr std::array<std::pair<char, std::string_view>, 5> kEntities{
      {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&#34;"}, {'\'', "&#39;"}}};
  std::string out;
  for (const char c : text) {
    const auto entity = std::find_if(kEntities.begin(), kEntities.end(), [&](const auto& pair) { return pair.first == c; });
    extend(out, entity == kEntities.end() ? std::string_view(&c, 1) : entity->second);
  }
  return out;
}

Value escaped(const Value& value) { return value.is_markup() ? value : Value(escape_text(value.to_text()), true); }

bool is_filter(const std::string& name) { return find_filter(name) != nullptr; }

Value apply_filter(const std::string& name, const Value& input, const CallArguments& arguments) {
  const NamedFilter* filter = find_filter(name);
  if (filter == nullptr) throw Error("the filter \"{}\" is not supported", name);
  arguments.take(input.weight());
  return filter->apply(input, arguments);
}

}  // namespace harness::jinja
