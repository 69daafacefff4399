#include "harness/rollout/sampling.h"

namespace harness {

SamplingSettings read_sampling_settings(ConfigReader& keys, const std::string& prefix, const SamplingSettings& defaults) {
  SamplingSettings s = defaults;
  s.temperature = keys.number(prefix + ".temperature", s.temperature, 1e-3, 100, "logits are divided by it");
  s.top_p = keys.number(prefix + ".top_p", s.top_p, 1e-6, 1, "smallest set of tokens with this probability");
  s.top_k = keys.integer(prefix + ".top_k", s.top_k, 0, "most probable tokens that can be drawn; 0: all");
  s.max_new_tokens = keys.integer(prefix + ".max_new_tokens", s.max_new_tokens, 1, "longest response in tokens");
  return s;
}

}  // namespace harness
