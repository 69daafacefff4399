// Methods of Python's str, dict and list that a sandboxed template may call.
#include <algorithm>
#include <map>

#include "harness/core/error.h"
#include "harness/core/utf8.h"
#include "harness/text/jinja/builtins.h"
#include "harness/text/unicode/letter_case.h"
#include "harness/text/unicode/properties.h"

namespace harness::jinja {

namespace {

using Method = std::function<Value(const Value& self, const CallArguments& arguments)>;

const std::string& text_at(const CallArguments& arguments, size_t place) {
  if (place >= arguments.positional.size() || !arguments.positional[place].is_string()) {
    throw Error("expected a string as argument {}, found {}", place + 1,
                place < arguments.positional.size() ? arguments.positional[place].type_name() : "none");
  }
  return arguments.positional[place].text();
}

std::optional<std::string> optional_text(const CallArguments& arguments, std::string_view name) {
  const Value* value = arguments.find(0, name);
  if (value == nullptr || value->is_none()) return std::nullopt;
  if (!value->is_string()) throw Error("expected a string, found {}", value->type_name());
  return value->text();
}

// The part of the text that [begin, end) of the optional arguments 2 and 3 selects, and where it begins in bytes.
std::string window(const std::string& text, const CallArguments& arguments) {
  if (arguments.positional.size() < 2) return text;
  const Value end = arguments.positional.size() > 2 ? arguments.positional[2] : Value();
  return get_slice(Value(text), arguments.positional[1], end, Value()).text();
}

int64_t characters_in(std::string_view bytes) {
  return std::count_if(bytes.begin(), bytes.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
}

// startswith and endswith: a string or a tuple of them.
Value has_affix(const Value& self, const CallArguments& arguments, bool prefix) {
  const std::string text = window(self.text(), arguments);
  const auto fits = [&](const Value& affix) {
    if (!affix.is_string()) throw Error("expected a string or a tuple of strings, found {}", affix.type_name());
    return prefix ? text.starts_with(affix.text()) : text.ends_with(affix.text());
  };
  if (arguments.positional.empty()) throw Error("expected a string, found none");
  const Value& affixes = arguments.positional.front();
  if (!affixes.is_tuple()) return fits(affixes);
  return std::any_of(affixes.items().begin(), affixes.items().end(), fits);
}

List split_at_spaces(const std::string& text, int64_t most, bool from_right) {
  const std::u32string points = to_code_points(text);
  std::vector<std::pair<size_t, size_t>> words;
  for (size_t i = 0; i < points.size();) {
    if (is_python_space(points[i])) {
      ++i;
      continue;
    }
    const size_t begin = i;
    while (i < points.size() && !is_python_space(points[i])) ++i;
    words.emplace_back(begin, i);
  }
  if (words.size() > kMostItems) throw Error("split: expected at most {} parts, found more", kMostItems);
  // More cuts than allowed: the rest of the text stays one piece, spaces at its far end included.
  if (most >= 0 && words.size() > static_cast<size_t>(most)) {
    const auto keep = static_cast<size_t>(most);
    if (from_right) {
      words.erase(words.begin(), words.end() - static_cast<ptrdiff_t>(keep + 1));
      words.front().first = 0;
    } else {
      words.resize(keep + 1);
      words.back().second = points.size();
    }
  }
  List parts;
  for (const auto& [begin, end] : words) parts.emplace_back(to_utf8(std::u32string_view(points).substr(begin, end - begin)));
  return parts;
}

List split_at(const std::string& text, const std::string& separator, int64_t most, bool from_right) {
  if (separator.empty()) throw Error("split: expected a separator, found an empty one");
  std::vector<size_t> cuts;
  for (size_t at = text.find(separator); at != std::string::npos; at = text.find(separator, at + separator.size()))
    cuts.push_back(at);
  if (from_right) {
    cuts.clear();
    size_t end = text.size();
    while (end >= separator.size()) {
      const size_t at = text.rfind(separator, end - separator.size());
      if (at == std::string::npos) break;
      cuts.push_back(at);
      end = at;
    }
    std::reverse(cuts.begin(), cuts.end());
  }
  if (most >= 0 && cuts.size() > static_cast<size_t>(most)) {
    if (from_right) {
      cuts.erase(cuts.begin(), cuts.end() - static_cast<ptrdiff_t>(most));
    } else {
      cuts.resize(static_cast<size_t>(most));
    }
  }
  if (cuts.size() >= kMostItems) throw Error("split: expected at most {} parts, found more", kMostItems);
  List parts;
  size_t begin = 0;
  for (const size_t cut : cuts) {
    parts.emplace_back(text.substr(begin, cut - begin));
    begin = cut + separator.size();
  }
  parts.emplace_back(text.substr(begin));
  return parts;
}

Value split(const Value& self, const CallArguments& arguments, bool from_right) {
  const auto separator = optional_text(arguments, "sep");
  const Value* most = arguments.find(1, "maxsplit");
  const int64_t count = most == nullptr ? -1 : most->integer();
  return Value::list(separator ? split_at(self.text(), *separator, count, from_right)
                               : split_at_spaces(self.text(), count, from_right));
}

Value find(const Value& self, const CallArguments& arguments, bool from_right, bool must) {
  const std::string& needle = text_at(arguments, 0);
  if (arguments.positional.size() > 1) throw Error("find: expected no bounds, found some");
  const size_t at = from_right ? self.text().rfind(needle) : self.text().find(needle);
  if (at == std::string::npos) {
    if (must) throw Error("index: expected \"{}\" in the text, found none", needle);
    return -1;
  }
  return characters_in(std::string_view(self.text()).substr(0, at));
}

Value count(const Value& self, const CallArguments& arguments) {
  const std::string& needle = text_at(arguments, 0);
  if (needle.empty()) return characters_in(self.text()) + 1;
  int64_t times = 0;
  for (size_t at = self.text().find(needle); at != std::string::npos; at = self.text().find(needle, at + needle.size()))
    ++times;
  return times;
}

Value partition(const Value& self, const CallArguments& arguments, bool from_right) {
  const std::string& separator = text_at(arguments, 0);
  if (separator.empty()) throw Error("partition: expected a separator, found an empty one");
  const size_t at = from_right ? self.text().rfind(separator) : self.text().find(separator);
  if (at == std::string::npos) {
    return from_right ? Value::tuple({Value(""), Value(""), self}) : Value::tuple({self, Value(""), Value("")});
  }
  return Value::tuple({self.text().substr(0, at), separator, self.text().substr(at + separator.size())});
}

// Markup's methods give Markup, in lists and tuples too.
Value as_markup(const Value& value) {
  if (value.is_string()) return {value.text(), true};
  if (!value.is_list_or_tuple()) return value;
  List items;
  for (const Value& item : value.items()) items.push_back(as_markup(item));
  return value.is_tuple() ? Value::tuple(std::move(items)) : Value::list(std::move(items));
}

Value join(const Value& self, const CallArguments& arguments) {
  if (arguments.positional.empty()) throw Error("join: expected a sequence, found none");
  std::string text;
  bool first = true;
  for (const Value& item : iterate(arguments.positional.front())) {
    if (!self.is_markup() && !item.is_string()) throw Error("join: expected strings, found {}", item.type_name());
    if (!first) extend(text, self.text());
    first = false;
    extend(text, self.is_markup() ? escaped(item).text() : item.text());
  }
  return text;
}

Value all_are(const Value& self, const std::function<bool(char32_t)>& fits) {
  const std::u32string points = to_code_points(self.text());
  return !points.empty() && std::all_of(points.begin(), points.end(), fits);
}

Value strip(const Value& self, const CallArguments& arguments, bool left, bool right) {
  return strip_text(self.text(), optional_text(arguments, "chars"), left, right);
}

const Method* text_method(const std::string& name) {
  static const std::map<std::string, Method> kMethods{
      {"capitalize", [](const Value& s, const CallArguments&) { return Value(capitalize_text(s.text())); }},
      {"count", count},
      {"endswith", [](const Value& s, const CallArguments& a) { return has_affix(s, a, false); }},
      {"find", [](const Value& s, const CallArguments& a) { return find(s, a, false, false); }},
      {"format", [](const Value& s, const CallArguments& a) { return format_braces(s, a); }},
      {"index", [](const Value& s, const CallArguments& a) { return find(s, a, false, true); }},
      {"isdigit",
       [](const Value& s, const CallArguments&) { return all_are(s, [](char32_t c) { return c >= '0' && c <= '9'; }); }},
      {"islower", [](const Value& s, const CallArguments&) { return Value(apply_test("lower", s, {})); }},
      {"isspace", [](const Value& s, const CallArguments&) { return all_are(s, is_python_space); }},
      {"isupper", [](const Value& s, const CallArguments&) { return Value(apply_test("upper", s, {})); }},
      {"join", join},
      {"lower", [](const Value& s, const CallArguments&) { return Value(lower_text(s.text())); }},
      {"lstrip", [](const Value& s, const CallArguments& a) { return strip(s, a, true, false); }},
      {"partition", [](const Value& s, const CallArguments& a) { return partition(s, a, false); }},
      {"removeprefix",
       [](const Value& s, const CallArguments& a) {
         const std::string& affix = text_at(a, 0);
         return s.text().starts_with(affix) ? Value(s.text().substr(affix.size())) : s;
       }},
      {"removesuffix",
       [](const Value& s, const CallArguments& a) {
         const std::string& affix = text_at(a, 0);
         return s.text().ends_with(affix) ? Value(s.text().substr(0, s.text().size() - affix.size())) : s;
       }},
      {"replace",
       [](const Value& s, const CallArguments& a) {
         const bool escapes = s.is_markup() && a.positional.size() > 1;
         const std::string to = escapes ? escaped(a.positional[1]).text() : text_at(a, 1);
         const Value* times = a.find(2, "count");
         return Value(replace_text(s.text(), text_at(a, 0), to, times == nullptr ? -1 : times->integer()));
       }},
      {"rfind", [](const Value& s, const CallArguments& a) { return find(s, a, true, false); }},
      {"rpartition", [](const Value& s, const CallArguments& a) { return partition(s, a, true); }},
      {"rsplit", [](const Value& s, const CallArguments& a) { return split(s, a, true); }},
      {"rstrip", [](const Value& s, const CallArguments& a) { return strip(s, a, false, true); }},
      {"split", [](const Value& s, const CallArguments& a) { return split(s, a, false); }},
      {"splitlines", [](const Value& s,
                        const CallArguments& a) { return Value::list(split_lines(s.text(), flag(a, 0, "keepends", false))); }},
      {"startswith", [](const Value& s, const CallArguments& a) { return has_affix(s, a, true); }},
      {"strip", [](const Value& s, const CallArguments& a) { return strip(s, a, true, true); }},
      {"title", [](const Value& s, const CallArguments&) { return Value(title_text(s.text())); }},
      {"upper", [](const Value& s, const CallArguments&) { return Value(upper_text(s.text())); }},
  };
  const auto found = kMethods.find(name);
  return found == kMethods.end() ? nullptr : &found->second;
}

Value dict_items(const Value& self, bool keys, bool values) {
  List items;
  for (const auto& [key, value] : self.entries().entries()) {
    items.push_back(keys && values ? Value::tuple({key, value}) : keys ? key : value);
  }
  return Value::view(std::move(items));
}

const Method* dict_method(const std::string& name) {
  static const std::map<std::string, Method> kMethods{
      {"copy", [](const Value& s, const CallArguments&) { return s; }},
      {"get",
       [](const Value& s, const CallArguments& a) {
         if (a.positional.empty()) throw Error("get: expected a key, found none");
         const Value* found = s.entries().find(a.positional.front());
         if (found != nullptr) return *found;
         return a.positional.size() > 1 ? a.positional[1] : Value();
       }},
      {"items", [](const Value& s, const CallArguments&) { return dict_items(s, true, true); }},
      {"keys", [](const Value& s, const CallArguments&) { return dict_items(s, true, false); }},
      {"values", [](const Value& s, const CallArguments&) { return dict_items(s, false, true); }},
  };
  const auto found = kMethods.find(name);
  return found == kMethods.end() ? nullptr : &found->second;
}

const Method* list_method(const std::string& name) {
  static const std::map<std::string, Method> kMethods{
      {"copy", [](const Value& s, const CallArguments&) { return s; }},
      {"count",
       [](const Value& s, const CallArguments& a) {
         if (a.positional.empty()) throw Error("count: expected a value, found none");
         return Value(static_cast<int64_t>(std::count_if(
             s.items().begin(), s.items().end(), [&](const Value& item) { return equal(item, a.positional.front()); })));
       }},
      {"index",
       [](const Value& s, const CallArguments& a) {
         for (size_t i = 0; !a.positional.empty() && i < s.items().size(); ++i) {
           if (equal(s.items()[i], a.positional.front())) return Value(i);
         }
         throw Error("index: expected a value of the list, found none");
       }},
  };
  const auto found = kMethods.find(name);
  return found == kMethods.end() ? nullptr : &found->second;
}

}  // namespace

List split_lines(const std::string& text, bool keep_ends) {
  List lines;
  const std::u32string points = to_code_points(text);
  for (size_t begin = 0; begin < points.size();) {
    size_t end = begin;
    const auto is_end = [](char32_t c) {
      return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
    };
    while (end < points.size() && !is_end(points[end])) ++end;
    size_t next = std::min(end + 1, points.size());
    if (end + 1 < points.size() && points[end] == '\r' && points[end + 1] == '\n') next = end + 2;
    if (lines.size() == kMostItems) throw Error("expected at most {} lines, found more", kMostItems);
    lines.emplace_back(to_utf8(std::u32string_view(points).substr(begin, (keep_ends ? next : end) - begin)));
    begin = next;
  }
  return lines;
}

std::optional<Value> method_of(const Value& value, const std::string& name) {
  const Method* method = value.is_string()          ? text_method(name)
                         : value.is_dict()          ? dict_method(name)
                         : value.is_list_or_tuple() ? list_method(name)
                                                    : nullptr;
  if (method == nullptr) return std::nullopt;
  return Value(std::make_shared<Function>(name, value, [value, method](const CallArguments& a) {
    a.take(value.weight());
    for (const Value& argument : a.positional) a.take(argument.weight());
    return value.is_markup() ? as_markup((*method)(value, a)) : (*method)(value, a);
  }));
}

}  // namespace harness::jinja
