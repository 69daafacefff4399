#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "harness/reward/latex/expression.h"

namespace harness {
namespace {

constexpr long double kPi = std::numbers::pi_v<long double>;

std::optional<Complex> finite(Complex value) {
  if (!std::isfinite(value.real()) || !std::isfinite(value.imag())) return std::nullopt;
  return value;
}

// A real of size 0.4 to 1.9, from trial 3 on 7 times that (so that \lfloor x / 2 \rfloor varies), the same for the same name
// and trial; trials 0 and 3 are all positive.
Complex symbol_value(const std::string& name, int trial) {
  uint64_t state = 0x9E3779B97F4A7C15ULL * static_cast<uint64_t>(trial + 1);
  for (const char c : name) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  state ^= state >> 31;
  state *= 0xBF58476D1CE4E5B9ULL;
  state ^= state >> 29;
  const long double scale = trial >= 3 ? 7.0L : 1.0L;
  const long double size = scale * (0.4L + 1.5L * static_cast<long double>(state >> 12) / 4503599627370496.0L);
  return trial != 0 && trial != 3 && (state & 1) != 0 ? -size : size;
}

// A product or power of what is not 0.
std::optional<Complex> finite_and_not_zero(Complex value) { return value == Complex(0) ? std::nullopt : finite(value); }

bool is_real(const Complex& value) { return std::abs(value.imag()) <= 1e-12L * (1 + std::abs(value.real())); }

std::optional<Complex> probe_power(const Complex& base, const Complex& exponent) {
  if (base == Complex(0)) {
    if (exponent.real() > 0) return Complex(0);
    return std::nullopt;
  }
  if (exponent.imag() == 0) {
    const long double e = exponent.real();
    if (e == std::floor(e) && std::abs(e) <= 64) {
      Complex product = 1;
      for (int i = 0; i < static_cast<int>(std::abs(e)); ++i) product *= base;
      return finite_and_not_zero(e < 0 ? Complex(1) / product : product);
    }
    if (base.imag() == 0 && base.real() > 0) return finite_and_not_zero(std::pow(base.real(), e));
  }
  return finite_and_not_zero(std::pow(base, exponent));
}

long double gamma_plus_one(long double x) { return std::tgamma(x + 1); }

std::optional<Complex> probe_real(const std::string& name, const std::vector<Complex>& at) {
  for (const Complex& value : at) {
    if (!is_real(value)) return std::nullopt;
  }
  const long double x = at[0].real();
  if (name == "floor") return std::floor(x + 1e-15L);
  if (name == "ceil") return std::ceil(x - 1e-15L);
  if (name == "factorial") return finite(gamma_plus_one(x));
  if (name == "sign") return x > 0 ? 1.0L : x < 0 ? -1.0L : 0.0L;
  if (at.size() < 2) return std::nullopt;
  const long double y = at[1].real();
  if (name == "binomial") return finite(gamma_plus_one(x) / gamma_plus_one(y) / gamma_plus_one(x - y));
  long double best = x;
  for (const Complex& value : at) {
    if (name == "max") best = std::max(best, value.real());
    if (name == "min") best = std::min(best, value.real());
  }
  if (name == "max" || name == "min") return best;
  if (name == "gcd" || name == "lcm") {
    if (std::abs(x) > 1e15L || std::abs(y) > 1e15L) return std::nullopt;
    const auto a = static_cast<int64_t>(std::llround(x));
    const auto b = static_cast<int64_t>(std::llround(y));
    if (name == "gcd") return static_cast<long double>(std::gcd(a, b));
    return a == 0 || b == 0 ? 0.0L : static_cast<long double>(a / std::gcd(a, b)) * static_cast<long double>(b);
  }
  return std::nullopt;
}

std::optional<Complex> probe_elementary(const std::string& name, const Complex& z) {
  using Function = Complex (*)(const Complex&);
  struct Entry {
    const char* name;
    Function function;
  };
  static constexpr std::array<Entry, 27> kFunctions = {{
      {"sin", [](const Complex& x) { return std::sin(x); }},
      {"cos", [](const Complex& x) { return std::cos(x); }},
      {"tan", [](const Complex& x) { return std::tan(x); }},
      {"cot", [](const Complex& x) { return Complex(1) / std::tan(x); }},
      {"sec", [](const Complex& x) { return Complex(1) / std::cos(x); }},
      {"csc", [](const Complex& x) { return Complex(1) / std::sin(x); }},
      {"arcsin", [](const Complex& x) { return std::asin(x); }},
      {"arccos", [](const Complex& x) { return std::acos(x); }},
      {"arctan", [](const Complex& x) { return std::atan(x); }},
      {"arccot", [](const Complex& x) { return std::atan(Complex(1) / x); }},
      {"arcsec", [](const Complex& x) { return std::acos(Complex(1) / x); }},
      {"arccsc", [](const Complex& x) { return std::asin(Complex(1) / x); }},
      {"sinh", [](const Complex& x) { return std::sinh(x); }},
      {"cosh", [](const Complex& x) { return std::cosh(x); }},
      {"tanh", [](const Complex& x) { return std::tanh(x); }},
      {"arcsinh", [](const Complex& x) { return std::asinh(x); }},
      {"arccosh", [](const Complex& x) { return std::acosh(x); }},
      {"arctanh", [](const Complex& x) { return std::atanh(x); }},
      {"exp", [](const Complex& x) { return std::exp(x); }},
      {"ln", [](const Complex& x) { return std::log(x); }},
      {"log", [](const Complex& x) { return std::log(x) / std::log(10.0L); }},
      {"lg", [](const Complex& x) { return std::log(x) / std::log(10.0L); }},
      {"sqrt", [](const Complex& x) { return std::sqrt(x); }},
      {"abs", [](const Complex& x) { return Complex(std::abs(x)); }},
      {"Re", [](const Complex& x) { return Complex(x.real()); }},
      {"Im", [](const Complex& x) { return Complex(x.imag()); }},
      {"arg", [](const Complex& x) { return Complex(std::arg(x)); }},
  }};
  for (const Entry& entry : kFunctions) {
    if (name == entry.name) return finite(entry.function(z));
  }
  return std::nullopt;
}

// A function nobody defined: some value that depends on its name and its arguments (to 9 digits).
Complex opaque_value(const std::string& name, const std::vector<Complex>& at, int trial) {
  std::string key = name;
  for (const Complex& value : at) key += fmt::format(" {:.9g} {:.9g}", value.real() + 0.0L, value.imag() + 0.0L);
  return symbol_value(key, trial);
}

std::optional<Complex> probe_function(const Expression& x, int trial, StepBudget& budget) {
  std::vector<Complex> at;
  for (const Expression& part : x.parts) {
    const std::optional<Complex> value = probe_value(part, trial, budget);
    if (!value) return std::nullopt;
    at.push_back(*value);
  }
  budget.spend(5);
  if (at.empty()) return std::nullopt;
  if (x.name.starts_with("call:")) return opaque_value(x.name, at, trial);
  if (x.name == "log_base" && at.size() == 2) {
    const Complex base = std::log(at[1]);
    if (base == Complex(0)) return std::nullopt;
    return finite(std::log(at[0]) / base);
  }
  if (at.size() == 1) {
    const std::optional<Complex> value = probe_elementary(x.name, at[0]);
    if (value) return value;
  }
  return probe_real(x.name, at);
}

}  // namespace

long double to_long_double(const Rational& value) { return value.convert_to<long double>(); }

std::optional<Complex> probe_value(const Expression& x, int trial, StepBudget& budget) {
  budget.spend();
  switch (x.op) {
    case Op::number:
      return x.value == 0 ? Complex(0) : finite_and_not_zero(to_long_double(x.value));
    case Op::symbol:
      if (x.name == "pi") return Complex(kPi);
      if (x.name == "e") return Complex(std::numbers::e_v<long double>);
      if (x.name == "i") return Complex(0, 1);
      if (x.name == "infinity") return std::nullopt;
      return symbol_value(x.name, trial);
    case Op::add:
    case Op::multiply: {
      Complex total = x.is(Op::add) ? 0 : 1;
      bool may_be_zero = x.is(Op::add);
      for (const Expression& part : x.parts) {
        const std::optional<Complex> value = probe_value(part, trial, budget);
        if (!value) return std::nullopt;
        total = x.is(Op::add) ? total + *value : total * *value;
        may_be_zero = may_be_zero || *value == Complex(0);
      }
      return may_be_zero ? finite(total) : finite_and_not_zero(total);
    }
    case Op::power: {
      const std::optional<Complex> base = probe_value(x.parts[0], trial, budget);
      if (!base) return std::nullopt;
      const std::optional<Complex> exponent = probe_value(x.parts[1], trial, budget);
      if (!exponent) return std::nullopt;
      budget.spend(5);
      return probe_power(*base, *exponent);
    }
    case Op::percent: {
      const std::optional<Complex> value = probe_value(x.parts[0], trial, budget);
      if (!value) return std::nullopt;
      return *value / 100.0L;
    }
    case Op::function:
      return probe_function(x, trial, budget);
    default:
      return std::nullopt;
  }
}

}  // namespace harness
