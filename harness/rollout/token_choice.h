// The choice of one token from a row of logits: greedy, or the inverted cumulative sum under temperature, top-k and top-p.
#pragma once

#include <cstdint>

#include "harness/model/cpu/row_kernels.h"
#include "harness/rollout/sampling.h"

namespace harness {

struct TokenChoice {
  int64_t token = 0;
  float log_prob = 0;  // nats, at the temperature of the statistics
  float entropy = 0;
};

// `logits` [V] fp32 or bf16. `uniform` in [0, 1). With `unit_temperature` log-prob and entropy are those at temperature 1.
template <typename T>
TokenChoice choose_token(const kernels::Table<T>& table, const T* logits, int64_t vocabulary, const SamplingSettings& settings,
                         double uniform, bool unit_temperature);

}  // namespace harness
