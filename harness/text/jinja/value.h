// Jinja values: Python's None, bool, int, float, str, list, tuple, dict, undefined names and callable objects.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "harness/core/json.h"

namespace harness::jinja {

class Value;
class Object;
using List = std::vector<Value>;

// What a template may build: far above any prompt, below what hurts a machine.
inline constexpr size_t kLongestText = size_t{16} << 20;  // bytes of one text
inline constexpr size_t kMostItems = 1'000'000;           // of one list
inline constexpr size_t kHeaviest = 4'000'000;            // weight (see Value::weight) of one list or mapping
inline constexpr int kDeepestValue = 200;                 // lists and mappings inside one another

// What a rendering may still do, in units of Value::weight: everything a template builds or reads through is taken off.
class Budget {
 public:
  // Throws Error where less is left.
  void take(size_t units);

 private:
  size_t left_ = 64'000'000;
};

struct Undefined {
  std::string name;  // as error messages show it
};
struct None {};
// `markup`: MarkupSafe's Markup, a text whose HTML is escaped; what joins it is escaped first.
struct Text {
  std::shared_ptr<const std::string> characters;
  bool markup = false;
};

// kGenerator: what map, select and their like give, to be visited and nothing else. kView: keys(), values() and items().
enum class SequenceKind { kList, kTuple, kGenerator, kView };
struct Sequence {
  std::shared_ptr<List> items;
  SequenceKind kind = SequenceKind::kList;
  int depth = 1;
  size_t weight = 1;
};

// Keys in the order in which they came.
class Dict {
 public:
  // Null: no such key.
  [[nodiscard]] const Value* find(const Value& key) const;
  // A key that is there keeps its place. Throws Error where the mapping becomes too deep or too heavy.
  void set(const Value& key, Value value);
  [[nodiscard]] const std::vector<std::pair<Value, Value>>& entries() const { return entries_; }
  [[nodiscard]] int depth() const { return depth_; }
  [[nodiscard]] size_t weight() const { return weight_; }
  void clear();

 private:
  std::vector<std::pair<Value, Value>> entries_;
  int depth_ = 1;
  size_t weight_ = 1;
};

struct CallArguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
  Budget* budget = nullptr;  // of the rendering; null outside one
  // By place or name; null: not given.
  [[nodiscard]] const Value* find(size_t place, std::string_view name) const;
  void take(size_t units) const {
    if (budget != nullptr) budget->take(units);
  }
};

class Value {
 public:
  using Data =
      std::variant<Undefined, None, bool, int64_t, double, Text, Sequence, std::shared_ptr<Dict>, std::shared_ptr<Object>>;

  Value() : data_(None{}) {}
  template <std::same_as<bool> Bool>  // nothing else may turn into a boolean on its way here
  Value(Bool value) : data_(value) {}
  Value(int64_t value) : data_(value) {}
  Value(int value) : data_(static_cast<int64_t>(value)) {}
  Value(size_t value) : data_(static_cast<int64_t>(value)) {}
  Value(double value) : data_(value) {}
  Value(std::string text) : Value(std::move(text), false) {}
  Value(std::string text, bool markup) : data_(Text{std::make_shared<const std::string>(std::move(text)), markup}) {}
  Value(std::string_view text) : Value(std::string(text)) {}
  Value(const char* text) : Value(std::string(text)) {}
  template <std::derived_from<Object> Kind>
  Value(std::shared_ptr<Kind> object) : data_(std::shared_ptr<Object>(std::move(object))) {}
  static Value undefined(std::string name) { return Value(Data(Undefined{std::move(name)})); }
  // These throw Error for what becomes too deep or too heavy.
  static Value list(List items) { return sequence(std::move(items), SequenceKind::kList); }
  static Value tuple(List items) { return sequence(std::move(items), SequenceKind::kTuple); }
  static Value generator(List items) { return sequence(std::move(items), SequenceKind::kGenerator); }
  static Value view(List items) { return sequence(std::move(items), SequenceKind::kView); }
  static Value dict(Dict dict) { return Value(Data(std::make_shared<Dict>(std::move(dict)))); }
  // Invalid bytes become U+FFFD.
  static Value from_json(const OrderedJson& json, int level = 0);

  [[nodiscard]] bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  [[nodiscard]] bool is_none() const { return std::holds_alternative<None>(data_); }
  [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(data_); }
  [[nodiscard]] bool is_integer() const { return std::holds_alternative<int64_t>(data_); }
  [[nodiscard]] bool is_float() const { return std::holds_alternative<double>(data_); }
  // bool, int or float, as Python counts them.
  [[nodiscard]] bool is_number() const { return is_bool() || is_integer() || is_float(); }
  [[nodiscard]] bool is_string() const { return std::holds_alternative<Text>(data_); }
  [[nodiscard]] bool is_markup() const { return is_string() && std::get<Text>(data_).markup; }
  [[nodiscard]] bool is_sequence() const { return std::holds_alternative<Sequence>(data_); }
  [[nodiscard]] bool is_tuple() const { return is_sequence() && sequence_kind() == SequenceKind::kTuple; }
  [[nodiscard]] bool is_generator() const { return is_sequence() && sequence_kind() == SequenceKind::kGenerator; }
  // A list or a tuple: has places, and JSON text.
  [[nodiscard]] bool is_list_or_tuple() const {
    return is_sequence() && (sequence_kind() == SequenceKind::kList || sequence_kind() == SequenceKind::kTuple);
  }
  [[nodiscard]] bool is_dict() const { return std::holds_alternative<std::shared_ptr<Dict>>(data_); }
  [[nodiscard]] bool is_object() const { return std::holds_alternative<std::shared_ptr<Object>>(data_); }

  // The value must be of that kind.
  [[nodiscard]] const std::string& text() const { return *std::get<Text>(data_).characters; }
  [[nodiscard]] SequenceKind sequence_kind() const { return std::get<Sequence>(data_).kind; }
  [[nodiscard]] const List& items() const { return *std::get<Sequence>(data_).items; }
  [[nodiscard]] const Dict& entries() const { return *std::get<std::shared_ptr<Dict>>(data_); }
  [[nodiscard]] Object& object() const { return *std::get<std::shared_ptr<Object>>(data_); }
  [[nodiscard]] const std::string& undefined_name() const { return std::get<Undefined>(data_).name; }
  // bool and int as an integer, bool, int and float as a double. Throw Error for other kinds.
  [[nodiscard]] int64_t integer() const;
  [[nodiscard]] double number() const;

  // Lists and mappings inside one another, and how many values there are in all, those that stand in several places counted in
  // each; sixteen bytes of a text count as one.
  [[nodiscard]] int depth() const;
  [[nodiscard]] size_t weight() const;

  // Python's bool(); undefined is false.
  [[nodiscard]] bool is_true() const;
  // "an integer", "undefined", ...: for errors.
  [[nodiscard]] std::string type_name() const;
  // Python's str() and repr(). `level`: how deep inside others. Throws Error beyond kDeepestValue (namespaces may form a
  // circle).
  [[nodiscard]] std::string to_text(int level = 0) const;
  [[nodiscard]] std::string repr(int level = 0) const;

 private:
  explicit Value(Data data) : data_(std::move(data)) {}
  static Value sequence(List items, SequenceKind kind);
  Data data_;
};

// What has attributes or can be called: macros, functions, namespaces, the loop variable.
class Object {
 public:
  virtual ~Object() = default;
  [[nodiscard]] virtual std::optional<Value> attribute(const std::string& /*name*/) { return std::nullopt; }
  // Throws Error where the object cannot be called.
  virtual Value call(const CallArguments& arguments);
  [[nodiscard]] virtual bool is_callable() const { return false; }
  [[nodiscard]] virtual std::string to_text(int level) const = 0;
  [[nodiscard]] virtual int depth() const { return 0; }
  [[nodiscard]] virtual size_t weight() const { return 1; }
  // Lets go of the values it holds, which may hold it.
  virtual void clear() {}
};

class Function : public Object {
 public:
  using Body = std::function<Value(const CallArguments&)>;
  Function(std::string name, Body body) : name_(std::move(name)), body_(std::move(body)) {}
  // A method of `self`, which the function holds.
  Function(std::string name, const Value& self, Body body)
      : name_(std::move(name)), body_(std::move(body)), depth_(self.depth() + 1), weight_(self.weight()) {}
  Value call(const CallArguments& arguments) override { return body_(arguments); }
  [[nodiscard]] bool is_callable() const override { return true; }
  [[nodiscard]] std::string to_text(int /*level*/) const override { return "<function " + name_ + ">"; }
  [[nodiscard]] int depth() const override { return depth_; }
  [[nodiscard]] size_t weight() const override { return weight_; }

 private:
  std::string name_;
  Body body_;
  int depth_ = 0;
  size_t weight_ = 1;
};

class Namespace : public Object {
 public:
  [[nodiscard]] std::optional<Value> attribute(const std::string& name) override;
  // Throws Error for a name that begins with an underscore.
  void set(const std::string& name, Value value);
  [[nodiscard]] std::string to_text(int level) const override { return "<Namespace " + Value::dict(values_).repr(level) + ">"; }
  void clear() override { values_.clear(); }

 private:
  Dict values_;
};

// Throws Error with the name of an undefined value.
void require_defined(const Value& value);
// Python's == and <. `less` throws Error where Python has no order.
bool equal(const Value& a, const Value& b);
bool less(const Value& a, const Value& b);
// Python's `in`. Throws Error for a right side that contains nothing.
bool contains(const Value& collection, const Value& item);
// The items a loop visits: keys of a dict, characters of a string. Throws Error for what cannot be visited.
List iterate(const Value& value);
// len(). Throws Error for what has none.
int64_t length_of(const Value& value);
// Python's repr of a float: the shortest digits that read back.
std::string python_float(double value);

struct JsonStyle {
  bool ensure_ascii = false;
  std::optional<std::string> indent;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool sort_keys = false;
};
// Python's json.dumps. Throws Error for what is no JSON.
std::string to_json(const Value& value, const JsonStyle& style);

}  // namespace harness::jinja
