#include "harness/text/jinja/operators.h"

#include <cmath>

#include "harness/core/error.h"
#include "harness/text/jinja/builtins.h"

namespace harness::jinja {

namespace {

// The sandbox of Jinja allows so many.
constexpr int64_t kLongestRange = 100'000;

[[noreturn]] void refuse(const std::string& name, const Value& left, const Value& right) {
  require_defined(left);
  require_defined(right);
  throw Error("unsupported operands for {}: {} and {}", name, left.type_name(), right.type_name());
}

[[noreturn]] void refuse_large(const std::string& name) {
  throw Error("{}: expected a result of at most 64 bits, found more", name);
}

Value integer_power(int64_t base, int64_t exponent) {
  if (exponent < 0) return std::pow(static_cast<double>(base), static_cast<double>(exponent));
  int64_t result = 1;
  for (int64_t i = 0; i < exponent; ++i) {
    if (base == 0 || base == 1) return exponent == 0 ? 1 : base;
    if (base == -1) return exponent % 2 == 0 ? 1 : -1;
    if (__builtin_mul_overflow(result, base, &result)) refuse_large("**");
  }
  return result;
}

Value integers(const std::string& name, int64_t a, int64_t b) {
  int64_t result = 0;
  if (name == "+") {
    if (__builtin_add_overflow(a, b, &result)) refuse_large(name);
    return result;
  }
  if (name == "-") {
    if (__builtin_sub_overflow(a, b, &result)) refuse_large(name);
    return result;
  }
  if (name == "*") {
    if (__builtin_mul_overflow(a, b, &result)) refuse_large(name);
    return result;
  }
  if (name == "**") return integer_power(a, b);
  if (b == 0) throw Error("division by zero");
  if (name == "/") return static_cast<double>(a) / static_cast<double>(b);
  if (b == -1) {  // the one quotient that may not fit
    if (name == "%") return 0;
    if (__builtin_sub_overflow(int64_t{0}, a, &result)) refuse_large(name);
    return result;
  }
  const int64_t quotient = a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);  // towards minus infinity
  return name == "//" ? quotient : a - quotient * b;
}

Value doubles(const std::string& name, double a, double b) {
  if (name == "+") return a + b;
  if (name == "-") return a - b;
  if (name == "*") return a * b;
  if (name == "**") return std::pow(a, b);
  if (b == 0) throw Error("division by zero");
  if (name == "/") return a / b;
  if (name == "//") return std::floor(a / b);
  const double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

Value repeated(const Value& value, int64_t times) {
  times = std::max<int64_t>(times, 0);
  const auto size = value.is_string() ? value.text().size() : value.items().size();
  if (size > 0 && static_cast<size_t>(times) > kLongestText / size)
    throw Error("*: expected at most {} bytes, found more", kLongestText);
  if (value.is_string()) {
    std::string text;
    for (int64_t i = 0; i < times && size > 0; ++i) text += value.text();
    return {std::move(text), value.is_markup()};
  }
  if (size * static_cast<size_t>(times) > kMostItems) throw Error("*: expected at most {} items, found more", kMostItems);
  List items;
  for (int64_t i = 0; i < times && size > 0; ++i) items.insert(items.end(), value.items().begin(), value.items().end());
  return value.is_tuple() ? Value::tuple(std::move(items)) : Value::list(std::move(items));
}

Value sum(const Value& left, const Value& right) {
  if (left.is_string() && right.is_string()) {
    const bool markup = left.is_markup() || right.is_markup();
    std::string text = markup ? escaped(left).text() : left.text();
    extend(text, markup ? escaped(right).text() : right.text());
    return {std::move(text), markup};
  }
  if (left.is_list_or_tuple() && right.is_list_or_tuple() && left.is_tuple() == right.is_tuple()) {
    if (left.items().size() + right.items().size() > kMostItems)
      throw Error("+: expected at most {} items, found more", kMostItems);
    List items = left.items();
    items.insert(items.end(), right.items().begin(), right.items().end());
    return left.is_tuple() ? Value::tuple(std::move(items)) : Value::list(std::move(items));
  }
  refuse("+", left, right);
}

}  // namespace

Value binary(const std::string& name, const Value& left, const Value& right) {
  if (name == "~") {
    std::string text = left.to_text();
    extend(text, right.to_text());
    return text;
  }
  if (left.is_number() && right.is_number()) {
    if (left.is_float() || right.is_float()) return doubles(name, left.number(), right.number());
    return integers(name, left.integer(), right.integer());
  }
  if (name == "+") return sum(left, right);
  if (name == "*") {
    const bool repeats = (left.is_string() || left.is_list_or_tuple()) && (right.is_integer() || right.is_bool());
    if (repeats) return repeated(left, right.integer());
    if ((right.is_string() || right.is_list_or_tuple()) && (left.is_integer() || left.is_bool()))
      return repeated(right, left.integer());
  }
  if (name == "%" && left.is_string()) return format_percent(left, right);
  refuse(name, left, right);
}

bool compare(const std::string& name, const Value& left, const Value& right) {
  if (name == "==") return equal(left, right);
  if (name == "!=") return !equal(left, right);
  if (name == "in") return contains(right, left);
  if (name == "not in") return !contains(right, left);
  if (left.is_undefined() || right.is_undefined()) refuse(name, left, right);
  if (name == "<") return less(left, right);
  if (name == ">") return less(right, left);
  if (name == "<=") return less(left, right) || equal(left, right);
  return less(right, left) || equal(left, right);
}

Value negative(const Value& value) {
  if (value.is_float()) return -value.number();
  return integers("-", 0, value.integer());
}

Value positive(const Value& value) {
  if (value.is_float()) return value;
  return value.integer();
}

Value make_range(const CallArguments& arguments) {
  const List& given = arguments.positional;
  if (given.empty() || given.size() > 3) throw Error("range: expected one to three integers, found {}", given.size());
  const int64_t begin = given.size() > 1 ? given[0].integer() : 0;
  const int64_t end = given.size() > 1 ? given[1].integer() : given[0].integer();
  const int64_t step = given.size() > 2 ? given[2].integer() : 1;
  if (step == 0) throw Error("range: expected a step other than 0, found 0");
  List items;
  for (int64_t i = begin; step > 0 ? i < end : i > end;) {
    if (static_cast<int64_t>(items.size()) == kLongestRange)
      throw Error("range: expected at most {} items, found more", kLongestRange);
    items.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return Value::list(std::move(items));
}

}  // namespace harness::jinja
