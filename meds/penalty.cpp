#include "meds/penalty.h"

#include <algorithm>
#include <cmath>

namespace meds {

double penalty(int64_t size, double alpha, double beta) {
  if (alpha == 0) return 0;
  return alpha * std::min(std::log(static_cast<double>(size) + 1.0), beta / alpha);
}

bool is_targeted(PenaltyTarget target, bool correct) {
  switch (target) {
    case PenaltyTarget::wrong:
      return !correct;
    case PenaltyTarget::right:
      return correct;
    case PenaltyTarget::both:
      return true;
    case PenaltyTarget::none:
      return false;
  }
  return false;
}

double shaped_score(double score, double penalty, bool correct) { return correct ? score / (1.0 + penalty) : score - penalty; }

Penalties penalise(const Settings& settings, std::span<const harness::Sample> samples, std::span<const Recalled> recalled,
                   std::span<const double> scores) {
  Penalties out;
  for (size_t i = 0; i < samples.size(); ++i) {
    const int64_t size = is_targeted(settings.target, samples[i].correct) ? recalled[i].size : 0;
    const double b = penalty(size, settings.alpha, settings.beta);
    out.sizes.push_back(size);
    out.penalties.push_back(b);
    out.scores.push_back(shaped_score(scores[i], b, samples[i].correct));
  }
  return out;
}

}  // namespace meds
