// Power: what difference a planned experiment can show at all.
#pragma once

#include <cstdint>

namespace harness {

// What is assumed of a paired comparison of two methods on one set. Rates and deviations are shares, not percent.
struct PowerPlan {
  int64_t seeds = 5;
  int64_t problems = 100;
  int64_t samples = 128;           // a problem
  double pass_rate = 0.5;          // mean pass@1
  double problem_deviation = 0.3;  // of the problems' success rates
  double seed_deviation = 0.01;    // of a method's mean over training seeds
  double effect_deviation = 0.05;  // of the difference of the two methods' success rates over problems
  double level = 0.95;             // of the interval
  double power = 0.8;
  int64_t comparisons = 1;  // Holm: the first of that many must pass at (1 - level) / comparisons
};

struct PowerResult {
  double standard_error = 0;  // of the paired difference of pass@1
  double degrees = 0;         // Satterthwaite, as the table's interval will have
  double detectable = 0;      // smallest difference found with the wanted power
};

// Var = 2 s^2 / S + e^2 / P + 2 v / (S P n), v = the mean Bernoulli variance p(1-p) - d^2 of a sample about its problem's rate;
// one seed leaves out the seeds' part, as the table does. Detectable: the non-centrality of the t test that gives the power.
// Needs seeds >= 1, problems >= 2, samples >= 1, comparisons >= 1.
PowerResult plan_power(const PowerPlan& plan);

}  // namespace harness
