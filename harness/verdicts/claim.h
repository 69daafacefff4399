// A published gain against measured noise: how often chance alone makes as much, and what would confirm it.
#pragma once

#include <cstdint>

#include "harness/stats/undefined.h"

namespace harness {

// As measured on some suite, in the unit of the gain.
struct MeasuredNoise {
  double seed_deviation = 0;             // of one method's value over training seeds
  double paired_deviation = 0;           // of the difference of two methods over common training seeds
  double effect_deviation = kUndefined;  // of the true differences of methods there, about 0; undefined: not known
};

struct ClaimCheck {
  double by_chance = 1;         // that two values of one method, each a mean over the claim's seeds, differ by the gain or more
  double by_chance_common = 1;  // the same with common training seeds
  int64_t seeds = 0;            // that find a true difference of this gain four times in five, paired; 0: more than a thousand
  // The true gain if it is drawn as those measured were, N(0, effect_deviation^2), and seen with the noise of the claim's
  // seeds: mean and 95 %.
  double gain = kUndefined, low = kUndefined, high = kUndefined;
};

// Normal seeds. Needs seeds >= 1 and deviations above 0.
ClaimCheck check_claim(double gain, int64_t seeds, const MeasuredNoise& noise);

}  // namespace harness
