#include "harness/text/jinja/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "harness/core/error.h"
#include "harness/core/utf8.h"
#include "harness/text/jinja/builtins.h"
#include "harness/text/unicode/properties.h"

namespace harness::jinja {

const Value* Dict::find(const Value& key) const {
  for (const auto& [k, v] : entries_) {
    if (equal(k, key)) return &v;
  }
  return nullptr;
}

void Budget::take(size_t units) {
  if (units > left_) throw Error("expected a template that builds less, found one that goes on and on");
  left_ -= units;
}

namespace {

void check_size(int depth, size_t weight) {
  if (depth > kDeepestValue) throw Error("expected at most {} lists or mappings inside one another, found more", kDeepestValue);
  if (weight > kHeaviest) throw Error("expected lists and mappings of at most {} values, found more", kHeaviest);
}

}  // namespace

Value Value::sequence(List items, SequenceKind kind) {
  int depth = 0;
  size_t weight = 1;
  for (const Value& item : items) {
    depth = std::max(depth, item.depth());
    weight += item.weight();
  }
  check_size(depth + 1, weight);
  return Value(Data(Sequence{std::make_shared<List>(std::move(items)), kind, depth + 1, weight}));
}

int Value::depth() const {
  if (is_sequence()) return std::get<Sequence>(data_).depth;
  if (is_dict()) return entries().depth();
  return is_object() ? object().depth() : 0;
}

size_t Value::weight() const {
  if (is_string()) return 1 + text().size() / 16;
  if (is_sequence()) return std::get<Sequence>(data_).weight;
  if (is_dict()) return entries().weight();
  return is_object() ? object().weight() : 1;
}

void Dict::set(const Value& key, Value value) {
  const int depth = std::max({depth_, key.depth() + 1, value.depth() + 1});
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) { return equal(entry.first, key); });
  const size_t before = found == entries_.end() ? 0 : found->second.weight();
  const size_t weight = weight_ + value.weight() + (found == entries_.end() ? key.weight() : 0) - before;
  check_size(depth, weight);
  depth_ = depth;
  weight_ = weight;
  if (found == entries_.end()) {
    entries_.emplace_back(key, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

void Dict::clear() { *this = Dict(); }

const Value* CallArguments::find(size_t place, std::string_view name) const {
  if (place < positional.size()) return &positional[place];
  for (const auto& [key, value] : named) {
    if (key == name) return &value;
  }
  return nullptr;
}

Value Object::call(const CallArguments& /*arguments*/) { throw Error("{} is not callable", to_text(0)); }

std::optional<Value> Namespace::attribute(const std::string& name) {
  const Value* found = values_.find(name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

void Namespace::set(const std::string& name, Value value) {
  if (name.starts_with('_')) throw Error("namespace: expected names without a leading underscore, found \"{}\"", name);
  values_.set(name, std::move(value));
}

Value Value::from_json(const OrderedJson& json, int level) {
  check_size(level, 0);
  switch (json.type()) {
    case OrderedJson::value_t::boolean:
      return json.get<bool>();
    case OrderedJson::value_t::number_integer:
      return json.get<int64_t>();
    case OrderedJson::value_t::number_unsigned: {
      const auto value = json.get<uint64_t>();
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return static_cast<double>(value);
      return static_cast<int64_t>(value);
    }
    case OrderedJson::value_t::number_float:
      return json.get<double>();
    case OrderedJson::value_t::string:
      return to_valid_utf8(json.get_ref<const std::string&>());
    case OrderedJson::value_t::array: {
      List items;
      for (const auto& item : json) items.push_back(from_json(item, level + 1));
      return list(std::move(items));
    }
    case OrderedJson::value_t::object: {
      Dict entries;
      for (const auto& [key, value] : json.items()) entries.set(to_valid_utf8(key), from_json(value, level + 1));
      return dict(std::move(entries));
    }
    default:
      return {};
  }
}

void require_defined(const Value& value) {
  if (value.is_undefined()) throw Error("{} is undefined", value.undefined_name());
}

int64_t Value::integer() const {
  if (is_bool()) return std::get<bool>(data_) ? 1 : 0;
  if (is_integer()) return std::get<int64_t>(data_);
  require_defined(*this);
  throw Error("expected an integer, found {}", type_name());
}

double Value::number() const {
  if (is_float()) return std::get<double>(data_);
  if (is_bool() || is_integer()) return static_cast<double>(integer());
  require_defined(*this);
  throw Error("expected a number, found {}", type_name());
}

bool Value::is_true() const {
  if (is_bool()) return std::get<bool>(data_);
  if (is_integer()) return std::get<int64_t>(data_) != 0;
  if (is_float()) return std::get<double>(data_) != 0;
  if (is_string()) return !text().empty();
  if (is_sequence()) return is_generator() || !items().empty();
  if (is_dict()) return !entries().entries().empty();
  return is_object();
}

std::string Value::type_name() const {
  if (is_undefined()) return "undefined";
  if (is_none()) return "none";
  if (is_bool()) return "a boolean";
  if (is_integer()) return "an integer";
  if (is_float()) return "a float";
  if (is_string()) return "a string";
  if (is_tuple()) return "a tuple";
  if (is_generator()) return "a generator";
  if (is_sequence()) return sequence_kind() == SequenceKind::kView ? "a view of a mapping" : "a list";
  if (is_dict()) return "a mapping";
  return "an object";
}

std::string Value::to_text(int level) const {
  if (is_string()) return text();
  if (is_undefined()) return "";
  return repr(level);
}

namespace {

std::string repr_text(const std::string& text) {
  const bool double_quotes = text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char32_t quote = double_quotes ? '"' : '\'';
  std::string out(1, static_cast<char>(quote));
  for (const char32_t c : to_code_points(text)) {
    if (c == quote || c == '\\') {
      out += '\\';
      append_utf8(out, c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD) {
      out += fmt::format("\\x{:02x}", static_cast<uint32_t>(c));
    } else if (is_unprintable(c)) {
      out +=
          c < 0x10000 ? fmt::format("\\u{:04x}", static_cast<uint32_t>(c)) : fmt::format("\\U{:08x}", static_cast<uint32_t>(c));
    } else {
      append_utf8(out, c);
    }
  }
  out += static_cast<char>(quote);
  return out;
}

std::string joined(const List& items, int level) {
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) extend(out, (i > 0 ? ", " : "") + items[i].repr(level));
  return out;
}

}  // namespace

std::string Value::repr(int level) const {
  check_size(++level, 0);
  if (is_undefined()) return "Undefined";
  if (is_none()) return "None";
  if (is_bool()) return is_true() ? "True" : "False";
  if (is_integer()) return fmt::format("{}", integer());
  if (is_float()) return python_float(number());
  if (is_markup()) return "Markup(" + repr_text(text()) + ")";
  if (is_string()) return repr_text(text());
  if (is_tuple()) return "(" + joined(items(), level) + (items().size() == 1 ? ",)" : ")");
  if (is_generator()) return "<generator object>";
  if (is_sequence()) return "[" + joined(items(), level) + "]";
  if (is_dict()) {
    std::string out = "{";
    for (const auto& [key, value] : entries().entries()) {
      extend(out, (out.size() > 1 ? ", " : "") + key.repr(level) + ": " + value.repr(level));
    }
    return out + "}";
  }
  return object().to_text(level);
}

bool equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (a.is_float() || b.is_float()) return a.number() == b.number();
    return a.integer() == b.integer();
  }
  if (a.is_string() && b.is_string()) return a.text() == b.text();
  if (a.is_none() || b.is_none()) return a.is_none() && b.is_none();
  if (a.is_undefined() || b.is_undefined()) return a.is_undefined() && b.is_undefined();
  if (a.is_sequence() && b.is_sequence()) {
    return a.sequence_kind() == b.sequence_kind() &&
           std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(), equal);
  }
  if (a.is_dict() && b.is_dict()) {
    if (a.entries().entries().size() != b.entries().entries().size()) return false;
    return std::all_of(a.entries().entries().begin(), a.entries().entries().end(), [&](const auto& entry) {
      const Value* other = b.entries().find(entry.first);
      return other != nullptr && equal(entry.second, *other);
    });
  }
  return a.is_object() && b.is_object() && &a.object() == &b.object();
}

bool less(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (a.is_float() || b.is_float()) return a.number() < b.number();
    return a.integer() < b.integer();
  }
  if (a.is_string() && b.is_string()) return a.text() < b.text();
  if (a.is_list_or_tuple() && b.is_list_or_tuple() && a.is_tuple() == b.is_tuple()) {
    const List& x = a.items();
    const List& y = b.items();
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      if (!equal(x[i], y[i])) return less(x[i], y[i]);
    }
    return x.size() < y.size();
  }
  require_defined(a);
  require_defined(b);
  throw Error("'<' is not supported between {} and {}", a.type_name(), b.type_name());
}

bool contains(const Value& collection, const Value& item) {
  if (collection.is_string()) {
    if (!item.is_string()) throw Error("'in' a string: expected a string on the left, found {}", item.type_name());
    return collection.text().find(item.text()) != std::string::npos;
  }
  if (collection.is_dict()) return collection.entries().find(item) != nullptr;
  const List items = iterate(collection);
  return std::any_of(items.begin(), items.end(), [&](const Value& other) { return equal(item, other); });
}

List iterate(const Value& value) {
  if (value.is_sequence()) return value.items();
  List items;
  if (value.is_undefined()) return items;
  if (value.is_string()) {
    if (value.text().size() > kMostItems)
      throw Error("expected a text of at most {} bytes to go through, found more", kMostItems);
    for (const char32_t c : to_code_points(value.text())) items.emplace_back(to_utf8(std::u32string(1, c)));
    return items;
  }
  if (value.is_dict()) {
    for (const auto& [key, item] : value.entries().entries()) items.push_back(key);
    return items;
  }
  throw Error("{} is not iterable", value.type_name());
}

int64_t length_of(const Value& value) {
  if (value.is_sequence() && !value.is_generator()) return static_cast<int64_t>(value.items().size());
  if (value.is_dict()) return static_cast<int64_t>(value.entries().entries().size());
  if (value.is_undefined()) return 0;
  if (value.is_string()) {
    return std::count_if(value.text().begin(), value.text().end(),
                         [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
  }
  throw Error("{} has no length", value.type_name());
}

}  // namespace harness::jinja
