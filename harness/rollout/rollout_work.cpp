#include "harness/rollout/rollout_work.h"

#include <torch/types.h>

#include <algorithm>

namespace harness {

namespace {

double element_bytes(const Transformer& model) { return static_cast<double>(torch::elementSize(model.numerics().dtype)); }

}  // namespace

RolloutWork rollout_work(const Transformer& model, int64_t prompt_tokens, const std::vector<SampledResponse>& responses) {
  RolloutWork work;
  double positions = 0, longest = 1;
  for (const SampledResponse& response : responses) {
    const int64_t fed = response.tokens() - 1;  // the last one is not: nothing follows it
    const auto tokens = static_cast<double>(response.tokens());
    work.decoded.add(prompt_tokens, fed);
    work.decoded.logits += static_cast<double>(fed);
    positions += tokens * (tokens - 1) / 2;
    longest = std::max(longest, tokens);
  }
  work.all = work.decoded;
  work.all.add(0, prompt_tokens);
  work.all.logits += static_cast<double>(responses.size());
  positions += static_cast<double>(prompt_tokens) * (longest - 1);
  work.kv_bytes = positions * kv_bytes_of_position(model.config(), element_bytes(model));
  return work;
}

double decode_weight_bytes(const Transformer& model) { return matrix_count(model.config()) * element_bytes(model); }

}  // namespace harness
