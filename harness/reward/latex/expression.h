// Expression: a parsed mathematical answer as a plain tree, and the step budget that bounds the work on it.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <complex>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace harness {

// Exact rationals; unlike GiNaC's numbers they have no shared state, so graders run on any number of threads.
using Rational = boost::multiprecision::cpp_rational;
using Complex = std::complex<long double>;

enum class Op {
  number,    // value; `decimal` if written with a point; name: base subscript ("8"), "clock" (see make_clock) or ""
  symbol,    // name
  add,       // parts
  multiply,  // parts
  power,     // base, exponent
  function,  // name; parts are the arguments; "ratio" of three and more, "builder": element and conditions of a set
  percent,   // one part: x%
  relation,  // name: operators joined by one space; one part more than operators
  set,       // name "{}" (braces) or a bare list: ",", "and", "or"; order does not count
  tuple,     // name: its two brackets, "()", "(]", ...; a tuple or an interval
  unite,     // parts: a union of sets
  matrix,    // parts: rows, each a tuple with name "row"
};

struct Expression {
  Op op = Op::number;
  std::string name;
  Rational value = 0;
  bool decimal = false;
  std::vector<Expression> parts;

  [[nodiscard]] bool is(Op wanted) const { return op == wanted; }
  [[nodiscard]] bool is_list() const { return op == Op::set && name != "{}"; }
  [[nodiscard]] bool is_function(const char* wanted) const { return op == Op::function && name == wanted; }
};

Expression make_number(Rational value, bool decimal = false);
// A time of day, parts: hour, minute, half (0 not said, 1 am, 2 pm). As a ratio its value is hour : minute.
Expression make_clock(int hour, int minute, int half);
Expression make_symbol(std::string name);
Expression make_node(Op op, std::vector<Expression> parts, std::string name = {});
// -x, folded into a number.
Expression negate(Expression x);

// Work left for one answer. Each parsed node, comparison and evaluation takes a step; `spend` throws OutOfSteps at the end.
struct OutOfSteps {};
class StepBudget {
 public:
  explicit StepBudget(int64_t steps) : left_(steps) {}
  void spend(int64_t steps = 1) {
    left_ -= steps;
    if (left_ < 0) throw OutOfSteps{};
  }

 private:
  int64_t left_;
};

bool same_tree(const Expression& a, const Expression& b);
// Whether the tree holds a symbol other than the constants pi, e, i and infinity.
bool has_free_symbol(const Expression& x);
// Whether a number of it is written as a decimal.
bool has_decimal(const Expression& x);

// The exact value; none where it is irrational, symbolic, undefined, or would take more than 4096 bits.
std::optional<Rational> exact_value(const Expression& x, StepBudget& budget);
// The value with each free symbol set to a fixed pseudo-random real that depends on its name and `trial`; none where it is
// undefined, overflows or underflows. \log is base 10, \ln natural.
std::optional<Complex> probe_value(const Expression& x, int trial, StepBudget& budget);
long double to_long_double(const Rational& value);

}  // namespace harness
