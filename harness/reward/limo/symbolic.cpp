#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "harness/core/text_edit.h"
#include "harness/reward/limo/equality.h"
#include "harness/reward/limo/sympy_latex.h"
#include "harness/reward/math/math_equality.h"

namespace harness {
namespace {

// A tuple, list or set in the notation of Python, which is what the checker falls back to: "(1,2)", "[1,2]", "{1,2}".
struct Collection {
  char bracket = '(';
  std::vector<std::string> parts;
};

bool is_python_element(const std::string& text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && std::string_view("+-*/(). _").find(c) == std::string_view::npos) {
      return false;
    }
  }
  // No product without its sign: "2x" is no Python.
  for (size_t i = 1; i < text.size(); ++i) {
    const bool after_digit = std::isdigit(static_cast<unsigned char>(text[i - 1])) != 0;
    if (after_digit && (std::isalpha(static_cast<unsigned char>(text[i])) != 0 || text[i] == '(')) return false;
  }
  return true;
}

std::optional<Collection> read_collection(const std::string& text) {
  if (text.size() < 2) return std::nullopt;
  Collection result;
  result.bracket = text[0];
  const char close = text[0] == '(' ? ')' : text[0] == '[' ? ']' : text[0] == '{' ? '}' : '\0';
  if (close == '\0' || text.back() != close || !contains(text, ",")) return std::nullopt;
  for (const std::string& part : split_text(text.substr(1, text.size() - 2), ",")) {
    result.parts.push_back(trim(part));
    if (!is_python_element(result.parts.back())) return std::nullopt;
  }
  return result;
}

bool elements_equal(const std::string& a, const std::string& b, StepBudget& budget) {
  if (a == b) return true;
  const std::optional<Expression> x = parse_sympy_latex(a, budget);
  const std::optional<Expression> y = parse_sympy_latex(b, budget);
  if (!x || !y || has_decimal(*x) != has_decimal(*y)) return false;
  const std::optional<Rational> p = exact_value(*x, budget);
  const std::optional<Rational> q = exact_value(*y, budget);
  return p && q && *p == *q;
}

bool collections_equal(const Collection& a, const Collection& b, StepBudget& budget) {
  if (a.bracket != b.bracket) return false;
  const auto contains_element = [&](const std::vector<std::string>& parts, const std::string& wanted) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](const std::string& part) { return elements_equal(part, wanted, budget); });
  };
  if (a.bracket == '{') {
    return std::all_of(a.parts.begin(), a.parts.end(),
                       [&](const std::string& part) { return contains_element(b.parts, part); }) &&
           std::all_of(b.parts.begin(), b.parts.end(),
                       [&](const std::string& part) { return contains_element(a.parts, part); });
  }
  if (a.parts.size() != b.parts.size()) return false;
  for (size_t i = 0; i < a.parts.size(); ++i) {
    if (!elements_equal(a.parts[i], b.parts[i], budget)) return false;
  }
  return true;
}

Expression difference(const Expression& relation) {
  std::vector<Expression> parts;
  parts.push_back(relation.parts[0]);
  parts.push_back(negate(relation.parts[1]));
  return make_node(Op::add, std::move(parts));
}

bool within_tolerance(long double a, long double b) {
  if (std::isinf(a) || std::isinf(b)) return a == b;
  return std::abs(a - b) <= std::max(1e-9L * std::max(std::abs(a), std::abs(b)), 1e-4L);
}

// The value of a real constant beyond what probe_value holds, infinite or 0; NaN where it has none.
long double extreme_value(const Expression& x, StepBudget& budget) {
  budget.spend();
  std::vector<long double> at;
  for (const Expression& part : x.parts) at.push_back(extreme_value(part, budget));
  if (x.is(Op::number)) return to_long_double(x.value);
  if (x.is(Op::add)) return std::accumulate(at.begin(), at.end(), 0.0L);
  if (x.is(Op::multiply)) return std::accumulate(at.begin(), at.end(), 1.0L, std::multiplies<>());
  if (x.is(Op::power) && std::abs(at[1]) < 1e18L && (at[0] != 0 || at[1] > 0)) return std::pow(at[0], at[1]);
  return x.is_function("factorial") ? std::tgamma(at[0] + 1) : NAN;
}

// Python's float() of a constant: infinite beyond the range of doubles. None where it is not real or not defined.
std::optional<long double> float_of(const Expression& x, StepBudget& budget) {
  const std::optional<Complex> value = probe_value(x, 0, budget);
  if (value && std::abs(value->imag()) >= 1e-15L) return std::nullopt;
  const long double real = value ? value->real() : extreme_value(x, budget);
  if (std::isnan(real)) return std::nullopt;
  return std::abs(real) > std::numeric_limits<double>::max() ? std::copysign(HUGE_VALL, real) : real;
}

bool expressions_equal(const Expression& a, const Expression& b, StepBudget& budget) {
  if (same_tree(a, b)) return true;
  if (!has_free_symbol(a) && !has_free_symbol(b)) {
    const std::optional<long double> x = float_of(a, budget);
    const std::optional<long double> y = float_of(b, budget);
    if (x && y) return within_tolerance(*x, *y);
    const std::optional<Complex> p = probe_value(a, 0, budget);
    const std::optional<Complex> q = probe_value(b, 0, budget);
    if (p && q) return std::abs(*p - *q) <= 1e-11L * std::max(std::abs(*p), std::abs(*q));
  }
  return compare_scalars(a, b, EqualityRule{}, budget) == Equality::equal;
}

// What Python makes of a text in quotes, which is no LaTeX: the text. None for anything else.
std::optional<std::string> python_string(const std::string& text) {
  if (text.size() < 3 || (text[0] != '\'' && text[0] != '"') || text.back() != text[0]) return std::nullopt;
  const std::string inner = text.substr(1, text.size() - 2);
  if (inner.find_first_of(std::string{text[0], '\\'}) != std::string::npos) return std::nullopt;
  return inner;
}

// Whether a string of Python equals what the other text says: it prints as the same name, or says the same number.
bool string_equal(const std::string& text, const Expression& other, StepBudget& budget) {
  if (other.is(Op::symbol)) return other.name == "$" + text;
  if (text.find_first_not_of("0123456789.+-*/() ") != std::string::npos || has_free_symbol(other)) return false;
  const std::optional<Expression> said = parse_sympy_latex(text, budget);
  const std::optional<long double> x = said ? float_of(*said, budget) : std::nullopt;
  const std::optional<long double> y = float_of(other, budget);
  return x && y && within_tolerance(*x, *y);
}

}  // namespace

bool limo_symbolic_equal(const std::string& found, const std::string& gold, StepBudget& budget) {
  const auto parse = [&](const std::string& text) {
    const std::string single = replace_all(text, "\\\\", "\\");
    std::optional<Expression> x = parse_sympy_latex(single, budget);
    if (!x && single != text) x = parse_sympy_latex(text, budget);
    if (!x) x = parse_sympy_latex(single, budget, LeadingZeros::read);  // as the second library does
    return x;
  };
  const std::optional<Expression> a = parse(found);
  const std::optional<Expression> b = parse(gold);
  if (a && b) {
    if (a->is(Op::relation) && b->is(Op::relation)) {
      // |lhs - rhs| on both sides, whatever the sign between them.
      const Expression x = difference(*a);
      const Expression y = difference(*b);
      return expressions_equal(x, y, budget) || expressions_equal(x, negate(y), budget);
    }
    if (a->is(Op::relation) || b->is(Op::relation)) return false;
    return expressions_equal(*a, *b, budget);
  }
  const std::optional<std::string> found_string = python_string(found);
  const std::optional<std::string> gold_string = python_string(gold);
  if (found_string && gold_string) return *found_string == *gold_string;
  if (found_string && b) return string_equal(*found_string, *b, budget);
  if (gold_string && a) return string_equal(*gold_string, *a, budget);
  if (a || b) return false;
  const std::optional<Collection> x = read_collection(found);
  const std::optional<Collection> y = read_collection(gold);
  if (x && y) return collections_equal(*x, *y, budget);
  return found == gold;
}

}  // namespace harness
