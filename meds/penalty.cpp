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

}  // namespace meds
