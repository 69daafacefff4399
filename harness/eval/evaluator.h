// Evaluator: samples n responses a problem, grades them and stores outcomes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/data/outcome.h"
#include "harness/model/transformer.h"
#include "harness/reward/graders.h"
#include "harness/rollout/generator.h"
#include "harness/rollout/position.h"
#include "harness/text/tokenizer/tokenizer.h"

namespace harness {

struct EvalSettings {
  int64_t n = 128;    // samples a problem
  uint64_t seed = 0;  // evaluation seed, separate from training seeds
  SamplingSettings sampling;
  int64_t max_rows = 512;     // rows decoded at once
  int64_t training_seed = 0;  // written into the outcomes
  bool store_ids = true;
  bool fingerprints = true;
  bool lens_norm_all = false;
  PositionRule position = PositionRule::reference;
  std::vector<std::string> graders = {"recipe"};  // the first is the main one
};

// What evaluation needs from outside: prompts as ids, and the layers that make a fingerprint.
struct EvalInputs {
  const Tokenizer& tokenizer;
  std::vector<int64_t> stop_ids;
  std::function<std::vector<int64_t>(const Problem&)> prompt;
  std::function<std::vector<float>(std::span<const float>)> choose_layers;
  std::function<void(int64_t done, int64_t total)> progress;  // responses
  std::function<void(const std::string&)> on_warning{};
};

// Outcomes of samples first_sample .. n - 1 of every problem, in the order set, problem, sample. Keyed by (evaluation seed,
// set, problem, sample): the same whatever is evaluated beside it, in strict mode. Where memory ends, half as many rows are
// decoded at once from there on. Throws Error where there is none for one row.
std::vector<Outcome> evaluate(const Transformer& model, const std::vector<ProblemSet>& sets, const EvalSettings& settings,
                              const EvalInputs& inputs, int64_t first_sample = 0);

}  // namespace harness
