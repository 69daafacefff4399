// Sampling settings of a rollout or an evaluation.
#pragma once

#include <cstdint>

namespace harness {

struct SamplingSettings {
  double temperature = 1.0;      // > 0
  double top_p = 1.0;            // (0, 1]; 1 is off
  int64_t top_k = 0;             // 0 is off
  bool greedy = false;           // the largest logit, lowest id on a tie
  int64_t max_new_tokens = 256;  // a response is cut there (finish = length)
};

}  // namespace harness
