// Generator: samples responses to prompts from a model, many rows at a time; finished rows make room for the next.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/core/random.h"
#include "harness/model/transformer.h"
#include "harness/rollout/sampling.h"

namespace harness {

// What a response carries, recorded while it is sampled: nothing needs a second pass.
struct SampledResponse {
  std::vector<int64_t> ids;      // [T], the stop token included where one was drawn
  std::vector<float> log_probs;  // [T] nats, at the sampling temperature, before top-p and top-k
  std::vector<float> entropies;  // [T] nats, likewise
  // [T, L] layer readout: readout[t * L + l] = <W_lm[ids[t]], h_l> at the position before ids[t]; empty unless asked for, and 0
  // for layers below `readout_from`.
  std::vector<float> readout;
  bool stopped = false;  // a stop token was drawn (else the length limit was met)
  [[nodiscard]] int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
};

struct GenerationRequest {
  std::vector<int64_t> prompt;        // at least one token
  std::vector<RandomStream> streams;  // one a sample; draw number t is that of token t
};

struct GeneratorSettings {
  SamplingSettings sampling;
  std::vector<int64_t> stop_ids;
  int64_t max_rows = 256;      // rows decoded at once
  bool readout = false;        // record the layer readout
  int64_t readout_from = 0;    // layers below this one may be left out: nobody reads them
  bool lens_norm_all = false;  // final norm applied to every block's output before the readout (docs/method.md, `lens_norm`)
  // Log-probs and entropies at temperature 1 instead of the sampling temperature.
  bool unit_temperature_log_probs = false;
};

struct GenerationTotals {
  int64_t prompt_tokens = 0;
  int64_t tokens = 0;
  int64_t steps = 0;
  double prompt_seconds = 0;  // prompts and first tokens
  double decode_seconds = 0;
  double readout_seconds = 0;  // of both, where the layer readout is recorded
};

// Called now and then with the number of finished responses.
using GenerationProgress = std::function<void(int64_t finished)>;

// Samples streams.size() responses for each request. In strict mode (Numerics) a response depends on its prompt, stream and
// settings alone, whatever else is sampled beside it. Throws Error for a prompt without tokens, or one that leaves no room
// within the model's positions.
std::vector<std::vector<SampledResponse>> generate(const Transformer& model, const std::vector<GenerationRequest>& requests,
                                                   const GeneratorSettings& settings, GenerationTotals* totals = nullptr,
                                                   const GenerationProgress& progress = {});

}  // namespace harness
