// Components: what the variance of a table's mean comes from: seeds, problems, seed x problem, samples; what to buy next.
#pragma once

#include <cstdint>
#include <span>

#include "harness/stats/compare.h"
#include "harness/stats/undefined.h"

namespace harness {

// A part of the variance of a mean. Estimated without bias, so one that is small may come out below 0.
struct VariancePart {
  double variance = kUndefined;
  double share = kUndefined;        // of the four parts together
  double share_error = kUndefined;  // standard error of the share, rough where seeds are few
};

struct VarianceParts {
  VariancePart seed, problem, interaction, samples;
  double paired_samples = 0;  // of `samples` what more seeds would halve: all but that of a base evaluated once
  int64_t seeds = 0, problems = 0;
};

// The crossed model of compare.h taken apart, y_sp = m + a_s + b_p + i_sp + noise of n samples. With the terms A / n,
// B_g / (G^2 P_g) and R = sum_g E_g / (G^2 P_g n) of crossed_squares:
//   seed A / n - R, problem sum_g B_g / (G^2 P_g) - R, interaction R - samples;
// they add up to the variance of the mean before it is held to its larger terms. `samples`: variance of this mean that its
// finite samples make (sampling_variance), of responses drawn for each seed; `fixed_samples`: that of an untrained base which
// stands against every seed, part of the problems' differences. Samples are taken as drawn independently for each seed and row:
// where they meet the same noise, what they share counts as problem and for differences their part is an upper bound. Shares'
// errors by the delta method, mean squares independent with variance 2 M^2 / (df + 2), samples as known. One seed: seed and
// interaction are undefined, and the interaction counts as problem. All undefined where crossed_mean has no interval.
VarianceParts variance_parts(std::span<const SeedTable> sets, double samples, double fixed_samples = 0);

// What a seed costs, in any unit.
struct SeedCost {
  double training = 0;  // of one more seed before it is evaluated
  double sample = 0;    // of one response
};
struct BestSamples {
  double n = kUndefined;     // samples a problem, at least 1
  double gain = kUndefined;  // of one over the variance that the same cost leaves, n against the present number of samples
};
// The number of samples a problem with which a given cost, spent on seeds and their samples, leaves the least variance of
// pass@1:
//   n* = sqrt(v_samples c_training / ((v_seed + v_interaction) P c_sample))
// with the variances of one seed's mean at one sample a problem and P problems. Undefined without seeds to tell from, without
// costs, and where nothing but samples varies or nothing at all by them.
// `samples`: the present number, the harmonic mean where seeds have different ones.
BestSamples best_samples(const VarianceParts& parts, double samples, const SeedCost& cost);

// How much alike two rows come out of one training seed.
struct Pairing {
  double correlation = kUndefined, low = kUndefined,
         high = kUndefined;  // of the seeds' means; 95 % by Fisher's z from 4 seeds on
  // Variance of the difference over the sum of both variances; 1 over it: pairing is worth so many times the seeds.
  double variance_ratio = kUndefined, ratio_low = kUndefined, ratio_high = kUndefined;
};
// `row` and `base`: means of the same seeds, in one order. Undefined with fewer than two seeds and where either does not vary.
Pairing pairing(std::span<const double> row, std::span<const double> base);

}  // namespace harness
