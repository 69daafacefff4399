#include <algorithm>
#include <array>

#include "harness/core/error.h"
#include "harness/text/jinja/builtins.h"
#include "harness/text/unicode/letter_case.h"

namespace harness::jinja {

namespace {

const Value& other(const CallArguments& arguments) {
  if (arguments.positional.empty()) throw Error("expected a value to compare with, found none");
  return arguments.positional.front();
}

int64_t remainder(const Value& value, int64_t divisor) {
  if (divisor == 0) throw Error("division by zero");
  if (divisor == -1) return 0;  // the one quotient that may not fit
  const int64_t rest = value.integer() % divisor;
  return rest != 0 && (rest < 0) != (divisor < 0) ? rest + divisor : rest;
}

bool is_iterable(const Value& value) {
  return value.is_sequence() || value.is_dict() || value.is_string() || value.is_undefined();
}

bool is_same(const Value& a, const Value& b) {
  if (a.is_bool() != b.is_bool() || a.is_float() != b.is_float()) return false;
  return equal(a, b);
}

using Test = bool (*)(const Value&, const CallArguments&);
struct NamedTest {
  std::string_view name;
  Test holds;
};

constexpr Test kEqual = [](const Value& in, const CallArguments& a) { return equal(in, other(a)); };
constexpr Test kNotEqual = [](const Value& in, const CallArguments& a) { return !equal(in, other(a)); };
constexpr Test kLess = [](const Value& in, const CallArguments& a) { return less(in, other(a)); };
constexpr Test kGreater = [](const Value& in, const CallArguments& a) { return less(other(a), in); };
constexpr Test kAtMost = [](const Value& in, const CallArguments& a) { return less(in, other(a)) || equal(in, other(a)); };
constexpr Test kAtLeast = [](const Value& in, const CallArguments& a) { return less(other(a), in) || equal(in, other(a)); };

constexpr std::array kTests{
    NamedTest{"boolean", [](const Value& in, const CallArguments&) { return in.is_bool(); }},
    NamedTest{"callable", [](const Value& in, const CallArguments&) { return in.is_object() && in.object().is_callable(); }},
    NamedTest{"defined", [](const Value& in, const CallArguments&) { return !in.is_undefined(); }},
    NamedTest{"divisibleby", [](const Value& in, const CallArguments& a) { return remainder(in, other(a).integer()) == 0; }},
    NamedTest{"eq", kEqual},
    NamedTest{"equalto", kEqual},
    NamedTest{"escaped", [](const Value& in, const CallArguments&) { return in.is_markup(); }},
    NamedTest{"even", [](const Value& in, const CallArguments&) { return remainder(in, 2) == 0; }},
    NamedTest{"false", [](const Value& in, const CallArguments&) { return in.is_bool() && !in.is_true(); }},
    NamedTest{"float", [](const Value& in, const CallArguments&) { return in.is_float(); }},
    NamedTest{"ge", kAtLeast},
    NamedTest{"greaterthan", kGreater},
    NamedTest{"gt", kGreater},
    NamedTest{"in", [](const Value& in, const CallArguments& a) { return contains(other(a), in); }},
    NamedTest{"integer", [](const Value& in, const CallArguments&) { return in.is_integer(); }},
    NamedTest{"iterable", [](const Value& in, const CallArguments&) { return is_iterable(in); }},
    NamedTest{"le", kAtMost},
    NamedTest{"lessthan", kLess},
    NamedTest{"lower",
              [](const Value& in, const CallArguments&) {
                return in.to_text() == lower_text(in.to_text()) && in.to_text() != upper_text(in.to_text());
              }},
    NamedTest{"lt", kLess},
    NamedTest{"mapping", [](const Value& in, const CallArguments&) { return in.is_dict(); }},
    NamedTest{"ne", kNotEqual},
    NamedTest{"none", [](const Value& in, const CallArguments&) { return in.is_none(); }},
    NamedTest{"number", [](const Value& in, const CallArguments&) { return in.is_number(); }},
    NamedTest{"odd", [](const Value& in, const CallArguments&) { return remainder(in, 2) == 1; }},
    NamedTest{"sameas", [](const Value& in, const CallArguments& a) { return is_same(in, other(a)); }},
    NamedTest{"sequence", [](const Value& in,
                             const CallArguments&) { return is_iterable(in) && (!in.is_sequence() || in.is_list_or_tuple()); }},
    NamedTest{"string", [](const Value& in, const CallArguments&) { return in.is_string(); }},
    NamedTest{"true", [](const Value& in, const CallArguments&) { return in.is_bool() && in.is_true(); }},
    NamedTest{"undefined", [](const Value& in, const CallArguments&) { return in.is_undefined(); }},
    NamedTest{"upper",
              [](const Value& in, const CallArguments&) {
                return in.to_text() == upper_text(in.to_text()) && in.to_text() != lower_text(in.to_text());
              }},
};

const NamedTest* find_test(const std::string& name) {
  const auto found = std::find_if(kTests.begin(), kTests.end(), [&](const NamedTest& test) { return test.name == name; });
  return found == kTests.end() ? nullptr : &*found;
}

}  // namespace

bool is_test(const std::string& name) { return find_test(name) != nullptr; }

bool apply_test(const std::string& name, const Value& input, const CallArguments& arguments) {
  const NamedTest* test = find_test(name);
  if (test == nullptr) throw Error("the test \"{}\" is not supported", name);
  arguments.take(input.weight());
  for (const Value& value : arguments.positional) arguments.take(value.weight());
  return test->holds(input, arguments);
}

}  // namespace harness::jinja
