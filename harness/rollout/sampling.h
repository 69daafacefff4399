// Sampling settings of a rollout or an evaluation.
#pragma once

#include <cstdint>
#include <string>

#include "harness/core/config_reader.h"

namespace harness {

struct SamplingSettings {
  double temperature = 1.0;      // > 0
  double top_p = 1.0;            // (0, 1]; 1 is off
  int64_t top_k = 0;             // 0 is off
  bool greedy = false;           // the largest logit, lowest id on a tie
  int64_t max_new_tokens = 256;  // a response is cut there (finish = length)
};

// Reads temperature, top_p, top_k and max_new_tokens under the prefix given ("sampling" or "eval").
SamplingSettings read_sampling_settings(ConfigReader& keys, const std::string& prefix, const SamplingSettings& defaults);

}  // namespace harness
