#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "harness/reward/math/math_equality.h"

namespace harness {
namespace {

constexpr int kTrials = 6;
constexpr long double kRelative = 1e-11L;
constexpr long double kPlaces = 1e6L;  // decimals count to 6 places
constexpr long double kSmall = 1e-2L;

bool close(const Complex& a, const Complex& b, long double relative) {
  return std::abs(a - b) <= relative * std::max({std::abs(a), std::abs(b), 1e-30L});
}

// Decimals: equal after rounding to 6 places; small ones by their relative difference, about six digits.
bool close_as_decimals(long double a, long double b) {
  const long double size = std::max(std::abs(a), std::abs(b));
  if (size < kSmall) return std::abs(a - b) <= 1e-5L * size;
  if (size > 1e12L) return std::abs(a - b) <= 1e-15L * size;
  return std::abs(a - b) <= 1e-12L * size || std::nearbyint(a * kPlaces) == std::nearbyint(b * kPlaces);
}

Equality to_equality(bool equal) { return equal ? Equality::equal : Equality::different; }

}  // namespace

int infinity_sign(const Expression& x) {
  if (x.is(Op::symbol)) return x.name == "infinity" ? 1 : 0;
  if (!x.is(Op::multiply) || x.parts.size() != 2 || !x.parts[0].is(Op::number) || !x.parts[1].is(Op::symbol)) return 0;
  return x.parts[1].name != "infinity" ? 0 : x.parts[0].value < 0 ? -1 : 1;
}

namespace {

bool is_clock(const Expression& x) { return x.is(Op::number) && x.name == "clock"; }

// The same time; where one leaves its half open, by the hour as written.
bool same_time(const Expression& a, const Expression& b) {
  const auto half_known = [](const Expression& x) {
    return x.parts[2].value != 0 || x.parts[0].value > 12 || x.parts[0].value == 0;
  };
  const auto hour_of_day = [](const Expression& x) {
    const int hour = x.parts[0].value.convert_to<int>();
    if (x.parts[2].value == 0) return hour % 24;
    return hour % 12 + (x.parts[2].value == 2 ? 12 : 0);
  };
  if (a.parts[1].value != b.parts[1].value) return false;
  if (half_known(a) && half_known(b)) return hour_of_day(a) == hour_of_day(b);
  return a.parts[0].value == b.parts[0].value;
}

// What may stand for so many percent without the sign: a whole number, or one above 1.
bool could_be_percentage(const Expression& x, StepBudget& budget) {
  const std::optional<Rational> value = exact_value(x, budget);
  return value && (denominator(*value) == 1 || boost::multiprecision::abs(*value) > 1);
}

// Sums, products, powers and factorials of rational numbers: exact but for their size.
bool is_rational(const Expression& x, StepBudget& budget) {
  budget.spend();
  const bool rational_form = x.is(Op::number) || x.is(Op::percent) || x.is(Op::add) || x.is(Op::multiply) || x.is(Op::power) ||
                             x.is_function("factorial") || x.is_function("binomial") || x.is_function("abs");
  if (!rational_form) return false;
  if (x.is(Op::power)) {
    const std::optional<Rational> exponent = exact_value(x.parts[1], budget);
    if (exponent && denominator(*exponent) != 1) return false;
  }
  if (x.is(Op::number)) return true;
  return std::all_of(x.parts.begin(), x.parts.end(), [&](const Expression& part) { return is_rational(part, budget); });
}

std::optional<long double> real_value(const Expression& x, StepBudget& budget) {
  const std::optional<Complex> value = probe_value(x, 0, budget);
  if (!value || std::abs(value->imag()) > 1e-9L) return std::nullopt;
  return value->real();
}

Equality compare_constants(const Expression& gold, const Expression& found, const EqualityRule& rule, StepBudget& budget) {
  if (rule.tolerance >= 0) {
    const std::optional<long double> a = real_value(gold, budget);
    const std::optional<long double> b = real_value(found, budget);
    // The slack is for a difference that is the tolerance itself, written as a decimal.
    if (a && b && std::abs(*a - *b) <= rule.tolerance * (1 + 1e-9L)) return Equality::equal;
  }
  const bool decimal = has_decimal(gold) || has_decimal(found);
  const std::optional<Rational> exact_gold = exact_value(gold, budget);
  const std::optional<Rational> exact_found = exact_value(found, budget);
  if (exact_gold && exact_found) {
    if (*exact_gold == *exact_found) return Equality::equal;
    // A whole number is not met by a decimal that only comes near.
    if (!decimal || denominator(*exact_gold) == 1 || denominator(*exact_found) == 1) return Equality::different;
  }
  if (same_tree(gold, found)) return Equality::equal;
  const std::optional<Complex> a = probe_value(gold, 0, budget);
  const std::optional<Complex> b = probe_value(found, 0, budget);
  if (!a || !b) return Equality::unknown;
  // A difference that cancels exactly may leave rounding noise around 0.
  const bool zero = (exact_gold && *exact_gold == 0) || (exact_found && *exact_found == 0);
  if (zero && std::abs(*a - *b) < 1e-15L) return Equality::equal;
  if (!(exact_gold && exact_found) && is_rational(gold, budget) && is_rational(found, budget)) {
    return close(*a, *b, kRelative) ? Equality::unknown : Equality::different;  // too large to be held exactly
  }
  if (decimal) {
    const long double noise = 1e-12L * std::max(std::abs(*a), std::abs(*b));
    const auto same = [&](long double x, long double y) { return std::abs(x - y) <= noise || close_as_decimals(x, y); };
    return to_equality(same(a->real(), b->real()) && same(a->imag(), b->imag()));
  }
  return to_equality(close(*a, *b, kRelative));
}

// At pseudo-random points.
Equality compare_with_symbols(const Expression& gold, const Expression& found, StepBudget& budget) {
  std::vector<std::pair<Complex, Complex>> values;
  long double size = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const std::optional<Complex> a = probe_value(gold, trial, budget);
    const std::optional<Complex> b = probe_value(found, trial, budget);
    if (!a || !b) continue;
    values.emplace_back(*a, *b);
    size = std::max({size, std::abs(*a), std::abs(*b)});
  }
  if (values.empty()) return Equality::unknown;
  const bool zero = (gold.is(Op::number) && gold.value == 0) || (found.is(Op::number) && found.value == 0);
  const long double noise = 1e-14L * (zero ? 1 : std::min(size, 1.0L));
  return to_equality(std::all_of(values.begin(), values.end(), [&](const auto& value) {
    return close(value.first, value.second, kRelative) || std::abs(value.first - value.second) <= noise;
  }));
}

}  // namespace

Equality compare_scalars(const Expression& gold, const Expression& found, const EqualityRule& rule, StepBudget& budget) {
  budget.spend();
  if (infinity_sign(gold) != 0 || infinity_sign(found) != 0) {
    return to_equality(infinity_sign(gold) == infinity_sign(found));
  }
  if (has_free_symbol(gold) || has_free_symbol(found)) {
    if (gold.is(Op::symbol) && found.is(Op::symbol)) return to_equality(gold.name == found.name);
    return compare_with_symbols(gold, found, budget);
  }
  if (gold.is(Op::percent) != found.is(Op::percent)) {
    const Expression& a = gold.is(Op::percent) ? gold.parts[0] : gold;
    const Expression& b = found.is(Op::percent) ? found.parts[0] : found;
    if (could_be_percentage(a, budget) && could_be_percentage(b, budget) &&
        compare_constants(a, b, rule, budget) == Equality::equal) {
      return Equality::equal;
    }
  }
  if (is_clock(gold) && is_clock(found)) return to_equality(same_time(gold, found));
  if (gold.is(Op::number) && found.is(Op::number) && !gold.name.empty() && !found.name.empty() && gold.name != found.name) {
    return Equality::different;  // digits in two bases
  }
  return compare_constants(gold, found, rule, budget);
}

Equality compare_up_to_factor(const Expression& a, const Expression& b, bool positive, StepBudget& budget) {
  std::optional<Complex> ratio;
  for (int trial = 0; trial < kTrials; ++trial) {
    const std::optional<Complex> x = probe_value(a, trial, budget);
    const std::optional<Complex> y = probe_value(b, trial, budget);
    if (!x || !y) continue;
    if (std::abs(*y) < 1e-12L || std::abs(*x) < 1e-12L) {
      if (std::abs(*x) >= 1e-12L || std::abs(*y) >= 1e-12L) return Equality::different;
      continue;
    }
    const Complex now = *x / *y;
    if (!ratio) {
      if (positive && now.real() <= 0) return Equality::different;
      ratio = now;
    } else if (!close(*ratio, now, 1e-9L)) {
      return Equality::different;
    }
  }
  return ratio ? Equality::equal : Equality::unknown;
}

}  // namespace harness
