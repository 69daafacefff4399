#include "harness/reward/latex/expression.h"

#include <algorithm>
#include <utility>

namespace harness {

using boost::multiprecision::cpp_int;

namespace {

constexpr unsigned kMostBits = 4096;
constexpr int kMostFactorial = 500;  // 500! has 3768 bits

unsigned bits_of(const Rational& value) {
  const cpp_int top = boost::multiprecision::abs(numerator(value));
  const cpp_int bottom = denominator(value);
  return static_cast<unsigned>((top == 0 ? 0 : msb(top)) + msb(bottom) + 2);
}

std::optional<Rational> bounded(Rational value) {
  if (bits_of(value) > kMostBits) return std::nullopt;
  return value;
}

std::optional<Rational> exact_power(const Rational& base, const Rational& exponent) {
  if (denominator(exponent) != 1) return std::nullopt;
  if (boost::multiprecision::abs(exponent) > kMostBits) return std::nullopt;
  const int n = numerator(exponent).convert_to<int>();
  if (base == 0) {
    if (n <= 0) return std::nullopt;
    return Rational(0);
  }
  const auto size = static_cast<unsigned>(n < 0 ? -n : n);
  if (static_cast<uint64_t>(bits_of(base)) * size > 2 * kMostBits && base != 1 && base != -1) return std::nullopt;
  const cpp_int top = boost::multiprecision::pow(numerator(base), size);
  const cpp_int bottom = boost::multiprecision::pow(denominator(base), size);
  return bounded(n < 0 ? Rational(bottom, 1) / Rational(top, 1) : Rational(top, bottom));
}

std::optional<Rational> exact_factorial(const Rational& x) {
  if (denominator(x) != 1 || x < 0 || x > kMostFactorial) return std::nullopt;
  cpp_int product = 1;
  for (int i = 2; i <= numerator(x).convert_to<int>(); ++i) product *= i;
  return Rational(product);
}

std::optional<Rational> exact_function(const Expression& x, StepBudget& budget) {
  if (x.parts.empty() || x.parts.size() > 2) return std::nullopt;
  const std::optional<Rational> first = exact_value(x.parts[0], budget);
  if (!first) return std::nullopt;
  if (x.name == "factorial") {
    budget.spend(100);
    return exact_factorial(*first);
  }
  if (x.name == "abs") return boost::multiprecision::abs(*first);
  if (x.name == "floor" || x.name == "ceil") {
    cpp_int quotient = numerator(*first) / denominator(*first);
    const Rational rest = *first - quotient;
    if (x.name == "floor" && rest < 0) --quotient;
    if (x.name == "ceil" && rest > 0) ++quotient;
    return Rational(quotient);
  }
  if (x.name == "binomial" && x.parts.size() == 2) {
    const std::optional<Rational> second = exact_value(x.parts[1], budget);
    if (!second || denominator(*first) != 1 || denominator(*second) != 1 || *second < 0 || *second > kMostFactorial ||
        *first < *second || *first > 100000) {
      return std::nullopt;
    }
    budget.spend(100);
    cpp_int product = 1;
    const int k = numerator(*second).convert_to<int>();
    for (int i = 1; i <= k; ++i) product = product * (numerator(*first) - k + i) / i;
    return bounded(Rational(product));
  }
  return std::nullopt;
}

}  // namespace

Expression make_number(Rational value, bool decimal) {
  Expression x;
  x.value = std::move(value);
  x.decimal = decimal;
  return x;
}

Expression make_clock(int hour, int minute, int half) {
  Expression x = make_number(minute == 0 || half != 0 ? Rational(60 * hour + minute, 60) : Rational(hour, minute));
  x.name = "clock";
  for (const int part : {hour, minute, half}) x.parts.push_back(make_number(part));
  return x;
}

Expression make_symbol(std::string name) {
  Expression x;
  x.op = Op::symbol;
  x.name = std::move(name);
  return x;
}

Expression make_node(Op op, std::vector<Expression> parts, std::string name) {
  Expression x;
  x.op = op;
  x.name = std::move(name);
  x.parts = std::move(parts);
  return x;
}

Expression negate(Expression x) {
  if (x.is(Op::number)) {
    x.value = -x.value;
    return x;
  }
  if (x.is(Op::percent)) {
    x.parts[0] = negate(std::move(x.parts[0]));
    return x;
  }
  std::vector<Expression> parts;
  parts.push_back(make_number(-1));
  parts.push_back(std::move(x));
  return make_node(Op::multiply, std::move(parts));
}

bool same_tree(const Expression& a, const Expression& b) {
  return a.op == b.op && a.name == b.name && a.value == b.value && a.decimal == b.decimal &&
         std::equal(a.parts.begin(), a.parts.end(), b.parts.begin(), b.parts.end(), same_tree);
}

bool has_free_symbol(const Expression& x) {
  if (x.is(Op::symbol)) return x.name != "pi" && x.name != "e" && x.name != "i" && x.name != "infinity";
  for (const Expression& part : x.parts) {
    if (has_free_symbol(part)) return true;
  }
  return false;
}

bool has_decimal(const Expression& x) {
  if (x.is(Op::number)) return x.decimal;
  for (const Expression& part : x.parts) {
    if (has_decimal(part)) return true;
  }
  return false;
}

std::optional<Rational> exact_value(const Expression& x, StepBudget& budget) {
  budget.spend();
  switch (x.op) {
    case Op::number:
      return x.value;
    case Op::percent: {
      const std::optional<Rational> part = exact_value(x.parts[0], budget);
      if (!part) return std::nullopt;
      return *part / 100;
    }
    case Op::add:
    case Op::multiply: {
      Rational total = x.is(Op::add) ? 0 : 1;
      for (const Expression& part : x.parts) {
        const std::optional<Rational> value = exact_value(part, budget);
        if (!value) return std::nullopt;
        if (x.is(Op::add)) {
          total += *value;
        } else {
          total *= *value;
        }
        if (bits_of(total) > kMostBits) return std::nullopt;
      }
      return total;
    }
    case Op::power: {
      const std::optional<Rational> base = exact_value(x.parts[0], budget);
      if (!base) return std::nullopt;
      const std::optional<Rational> exponent = exact_value(x.parts[1], budget);
      if (!exponent) return std::nullopt;
      budget.spend(20);
      return exact_power(*base, *exponent);
    }
    case Op::function:
      return exact_function(x, budget);
    default:
      return std::nullopt;
  }
}

}  // namespace harness
