#include <cmath>

#include "harness/reward/math/math_equality.h"

namespace harness {
namespace {

constexpr int kTrials = 6;
constexpr long double kRelative = 1e-11L;
constexpr long double kPlaces = 1e6L;  // decimals count to 6 places
constexpr long double kTiny = 1e-5L;

bool close(const Complex& a, const Complex& b, long double relative) {
  return std::abs(a - b) <= relative * std::max({std::abs(a), std::abs(b), 1e-30L});
}

// Decimals: equal after rounding to 6 places; tiny ones by their relative difference.
bool close_as_decimals(long double a, long double b) {
  const long double size = std::max(std::abs(a), std::abs(b));
  if (size < kTiny) return std::abs(a - b) <= 1e-6L * size;
  if (size > 1e12L) return std::abs(a - b) <= 1e-15L * size;
  return std::abs(a - b) <= 1e-12L * size || std::nearbyint(a * kPlaces) == std::nearbyint(b * kPlaces);
}

Equality to_equality(bool equal) { return equal ? Equality::equal : Equality::different; }

}  // namespace

bool is_infinite(const Expression& x) {
  if (x.is(Op::symbol)) return x.name == "infinity";
  return x.is(Op::multiply) && x.parts.size() == 2 && x.parts[0].is(Op::number) && x.parts[1].is(Op::symbol) &&
         x.parts[1].name == "infinity";
}

namespace {

int infinity_sign(const Expression& x) {
  return x.is(Op::multiply) && x.parts[0].is(Op::number) && x.parts[0].value < 0 ? -1 : 1;
}

// 50% beside 50: whole numbers only, as people write them.
const Expression* without_percent(const Expression& x) {
  const Expression& inner = x.is(Op::percent) ? x.parts[0] : x;
  if (!inner.is(Op::number) || inner.decimal || denominator(inner.value) != 1) return nullptr;
  return &inner;
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
  const std::optional<Complex> a = probe_value(gold, 0, budget);
  const std::optional<Complex> b = probe_value(found, 0, budget);
  if (!a || !b) return Equality::unknown;
  if (decimal && std::abs(a->imag()) < 1e-12L && std::abs(b->imag()) < 1e-12L) {
    return to_equality(close_as_decimals(a->real(), b->real()));
  }
  if (decimal) {
    return to_equality(close_as_decimals(a->real(), b->real()) && close_as_decimals(a->imag(), b->imag()));
  }
  // A difference that cancels exactly may leave rounding noise around 0.
  return to_equality(close(*a, *b, kRelative) || (std::abs(*a) < 1e-15L && std::abs(*b) < 1e-15L));
}

}  // namespace

Equality compare_scalars(const Expression& gold, const Expression& found, const EqualityRule& rule, StepBudget& budget) {
  budget.spend();
  if (is_infinite(gold) || is_infinite(found)) {
    return to_equality(is_infinite(gold) && is_infinite(found) && infinity_sign(gold) == infinity_sign(found));
  }
  if (gold.is(Op::percent) != found.is(Op::percent)) {
    const Expression* a = without_percent(gold);
    const Expression* b = without_percent(found);
    if (a != nullptr && b != nullptr && a->value == b->value) return Equality::equal;
  }
  if (gold.is(Op::number) && found.is(Op::number) && !gold.name.empty() && !found.name.empty() && gold.name != found.name) {
    return Equality::different;  // digits in two bases
  }
  const bool free_gold = has_free_symbol(gold);
  const bool free_found = has_free_symbol(found);
  if (!free_gold && !free_found) return compare_constants(gold, found, rule, budget);
  if (gold.is(Op::symbol) && found.is(Op::symbol)) return to_equality(gold.name == found.name);
  int compared = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const std::optional<Complex> a = probe_value(gold, trial, budget);
    const std::optional<Complex> b = probe_value(found, trial, budget);
    if (!a || !b) continue;
    ++compared;
    if (!close(*a, *b, kRelative) && std::abs(*a - *b) > 1e-14L) return Equality::different;
  }
  if (compared > 0) return Equality::equal;
  return Equality::unknown;
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
