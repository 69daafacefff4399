// Numbers as people write them: thousands, repeating digits, exponents, mixed numbers, times of day.
#pragma once

#include <optional>
#include <string_view>

#include "harness/reward/latex/expression.h"

namespace harness {

struct NumberToken {
  Rational value = 0;
  bool decimal = false;              // written with a point or an exponent
  std::optional<Rational> exponent;  // of ten, where it is beyond 1000: a factor that `value` leaves out
  size_t size = 0;                   // bytes read
};

// The number at the beginning of the text: digits, thousands commas if asked, a point, repeating digits (`0.\overline{3}`), an
// exponent (`1.6e-19`). None if there is no digit.
std::optional<NumberToken> read_number(std::string_view text, bool thousands);

// Whether the commas of a text read best as thousands separators: each between 1 to 3 digits and groups of exactly 3, no space.
bool commas_are_thousands(std::string_view text);

// Digits that begin at `at`.
size_t digits_at(std::string_view text, size_t at);

// The fraction below 1 that makes a mixed number of the whole one before it: ` 1/2`, `\frac{1}{2}`, `\frac12`.
std::optional<NumberToken> mixed_fraction_at(std::string_view text);

struct ClockTime {
  int hour = 0;  // 0 to 24
  int minute = 0;
  int second = -1;  // none
  size_t size = 0;  // bytes read
};

// `6:15`, `18:05:30`: minutes and seconds of two digits below 60.
std::optional<ClockTime> clock_time_at(std::string_view text);

}  // namespace harness
