// What the memory costs a response: the only place where MEDS changes a reward (arXiv 2604.11297; the cap as in the authors'
// recipe).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/train/method/sample.h"
#include "meds/history.h"
#include "meds/settings.h"

namespace meds {

// b = alpha * min(ln(size + 1), C), C = beta / alpha. With alpha 0 there is no penalty.
double penalty(int64_t size, double alpha, double beta);

// Whether responses of this correctness are penalised.
bool is_targeted(PenaltyTarget target, bool correct);

// Wrong: s - b. Correct: s / (1 + b).
double shaped_score(double score, double penalty, bool correct);

// The penalties of one step and the scores they leave. [samples]
struct Penalties {
  std::vector<int64_t> sizes;  // 0 for responses the penalty leaves alone
  std::vector<double> penalties;
  std::vector<double> scores;
};
// `recalled`: what the memory found of each sample; `scores` before the penalty.
Penalties penalise(const Settings& settings, std::span<const harness::Sample> samples, std::span<const Recalled> recalled,
                   std::span<const double> scores);

}  // namespace meds
