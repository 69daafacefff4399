// The penalty of a response and its shaped score (arXiv 2604.11297; the cap as in the authors' recipe).
#pragma once

#include <cstdint>

#include "meds/settings.h"

namespace meds {

// b = alpha * min(ln(size + 1), C), C = beta / alpha. With alpha 0 there is no penalty.
double penalty(int64_t size, double alpha, double beta);

// Whether responses of this correctness are penalised.
bool is_targeted(PenaltyTarget target, bool correct);

// Wrong: s - b. Correct: s / (1 + b).
double shaped_score(double score, double penalty, bool correct);

}  // namespace meds
