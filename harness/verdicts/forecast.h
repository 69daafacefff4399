// What a rule for seeds will cost and show, by simulation of the very judgement that tables make.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/verdicts/verdicts.h"

namespace harness {

// Of one comparison by itself, with this true difference; shares of simulated experiments.
struct RuleForecast {
  double difference = 0;
  double better = 0, worse = 0, equivalent = 0, undecided = 0;
  double seeds = 0;  // of a row on average, until decided or to the rule's end
};

// Differences over seeds are normal with this deviation, nothing else varies; keyed draws, so that a plan says the same twice.
// `fixed_seeds`: of a fixed rule. Needs a deviation above 0.
std::vector<RuleForecast> forecast_rule(const VerdictRule& rule, double paired_deviation, std::span<const double> differences,
                                        int64_t fixed_seeds = 5, int64_t experiments = 1000);

}  // namespace harness
