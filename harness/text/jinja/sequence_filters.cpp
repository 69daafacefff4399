#include "harness/text/jinja/sequence_filters.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <functional>
#include <span>

#include "harness/core/error.h"
#include "harness/text/jinja/builtins.h"
#include "harness/text/jinja/operators.h"
#include "harness/text/unicode/letter_case.h"

namespace harness::jinja {

namespace {

// "a.b.0": attributes and indices, one after the other; `fallback` stands in wherever one is missing.
Value path_of(const Value& item, const Value& path, const Value* fallback = nullptr) {
  const auto or_fallback = [&](Value value) { return value.is_undefined() && fallback != nullptr ? *fallback : value; };
  if (path.is_integer()) return or_fallback(get_item(item, path));
  Value value = item;
  const std::string text = path.to_text();
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('.', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const bool digits =
        !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
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

// The item, or what `attribute` names of it.
Value item_or(const Value& item, const Value* attribute) {
  return attribute == nullptr || attribute->is_none() ? item : path_of(item, *attribute);
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

// Tuples of key and value.
List pairs_of(const Dict& dict) {
  List pairs;
  for (const auto& [key, value] : dict.entries()) pairs.push_back(Value::tuple({key, value}));
  return pairs;
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

}  // namespace

Value join_filter(const Value& input, const CallArguments& arguments) {
  const std::string separator = text_argument(arguments, 0, "d", "");
  const Value* attribute = arguments.find(1, "attribute");
  std::string text;
  bool first = true;
  for (const Value& item : iterate(input)) {
    if (!first) extend(text, separator);
    first = false;
    extend(text, item_or(item, attribute).to_text());
  }
  return text;
}

Value sort_filter(const Value& input, const CallArguments& arguments) {
  take_sorting(input, arguments);
  const bool case_sensitive = flag(arguments, 1, "case_sensitive", false);
  const Value* attribute = arguments.find(2, "attribute");
  // "a,b": by a, then by b.
  std::vector<Value> attributes;
  if (attribute != nullptr && attribute->is_string()) {
    const std::string names = attribute->text() + ",";
    for (size_t begin = 0; begin < names.size();) {
      const size_t end = names.find(',', begin);
      attributes.emplace_back(names.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  const auto key = [&](const Value& item) {
    if (attributes.empty()) return Value::list({sort_key(item_or(item, attribute), case_sensitive)});
    List keys;
    for (const Value& name : attributes) keys.push_back(sort_key(path_of(item, name), case_sensitive));
    return Value::list(std::move(keys));
  };
  return Value::list(sorted(iterate(input), flag(arguments, 0, "reverse", false),
                            [&](const Value& a, const Value& b) { return less(key(a), key(b)); }));
}

Value dictsort_filter(const Value& input, const CallArguments& arguments) {
  if (!input.is_dict()) throw Error("dictsort: expected a mapping, found {}", input.type_name());
  take_sorting(input, arguments);
  const bool case_sensitive = flag(arguments, 0, "case_sensitive", false);
  const size_t by = text_argument(arguments, 1, "by", "key") == "value" ? 1 : 0;
  return Value::list(
      sorted(pairs_of(input.entries()), flag(arguments, 2, "reverse", false), [&](const Value& a, const Value& b) {
        return less(sort_key(a.items()[by], case_sensitive), sort_key(b.items()[by], case_sensitive));
      }));
}

Value unique_filter(const Value& input, const CallArguments& arguments) {
  const bool case_sensitive = flag(arguments, 0, "case_sensitive", false);
  const Value* attribute = arguments.find(1, "attribute");
  List kept;
  Dict seen;
  for (const Value& item : iterate(input)) {
    const Value key = sort_key(item_or(item, attribute), case_sensitive);
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
    const Value term = item_or(item, attribute);
    require_defined(term);
    if (!total.is_number() || !term.is_number())
      throw Error("sum: expected numbers, found {}", (total.is_number() ? term : total).type_name());
    total = binary("+", total, term);
  }
  return total;
}

Value extreme_filter(const Value& input, const CallArguments& arguments, bool largest) {
  const bool case_sensitive = flag(arguments, 0, "case_sensitive", false);
  const Value* attribute = arguments.find(1, "attribute");
  const auto key = [&](const Value& item) { return sort_key(item_or(item, attribute), case_sensitive); };
  const List items = iterate(input);
  if (items.empty()) return Value::undefined("an item of an empty sequence");
  Value best = items.front();
  for (const Value& item : std::span(items).subspan(1)) {
    if (largest ? less(key(best), key(item)) : less(key(item), key(best))) best = item;
  }
  return best;
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
  return Value::generator(pairs_of(input.entries()));
}

Value edge_filter(const Value& input, bool first) {
  if (!first && input.is_string() && !input.text().empty()) return get_item(input, Value(-1));
  const List items = iterate(input);
  if (items.empty())
    return Value::undefined(first ? "the first item of an empty sequence" : "the last item of an empty sequence");
  return first ? items.front() : items.back();
}

Value reverse_filter(const Value& input) {
  if (input.is_string()) return get_slice(input, Value(), Value(), -1);
  List items = iterate(input);
  std::reverse(items.begin(), items.end());
  return Value::generator(std::move(items));
}

}  // namespace harness::jinja
