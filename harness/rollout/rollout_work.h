// RolloutWork: what sampling the responses of one prompt takes.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/model/files/work.h"
#include "harness/rollout/generator.h"

namespace harness {

struct RolloutWork {
  TokenWork all;      // the prompt once, each response's tokens but its last, logits for all of them
  TokenWork decoded;  // of that, the tokens fed one at a time
  double kv_bytes =
      0;  // that decoding must read at least: each response's own keys and values, the prompt's once for all of them
};
// Of sampling `responses` to a prompt of so many tokens.
RolloutWork rollout_work(const Transformer& model, int64_t prompt_tokens, const std::vector<SampledResponse>& responses);

// Bytes of the weights that a decode step must read.
double decode_weight_bytes(const Transformer& model);

}  // namespace harness
