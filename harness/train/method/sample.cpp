#include "harness/train/method/sample.h"

#include <algorithm>

namespace harness {

Needs Needs::operator|(const Needs& other) const {
  return {.fingerprints = fingerprints || other.fingerprints,
          .readouts = readouts || other.readouts,
          .mean_readouts = mean_readouts || other.mean_readouts,
          .answers = answers || other.answers,
          .error_labels = error_labels || other.error_labels,
          .sampling_entropies = sampling_entropies || other.sampling_entropies,
          .current_log_probs = current_log_probs || other.current_log_probs,
          .current_entropies = current_entropies || other.current_entropies,
          .entropy_gradient = entropy_gradient || other.entropy_gradient,
          .reference_log_probs = reference_log_probs || other.reference_log_probs,
          .top_tokens = std::max(top_tokens, other.top_tokens),
          .top_gradient = top_gradient || other.top_gradient,
          .stored_samples = std::max(stored_samples, other.stored_samples),
          .stored_right = std::max(stored_right, other.stored_right),
          .stored_right_alone = stored_right_alone || other.stored_right_alone};
}

}  // namespace harness
