// kUndefined: the value of a statistic that the data do not define (no pair, no seed, no wrong answer); tables print a dash.
#pragma once

#include <limits>

namespace harness {

inline constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

}  // namespace harness
