// Evaluator: samples n responses a problem, grades them and stores outcomes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/data/outcome.h"
#include "harness/data/problem.h"
#include "harness/model/transformer.h"
#include "harness/rollout/fingerprint.h"
#include "harness/rollout/generator.h"
#include "harness/rollout/prompt.h"

namespace harness {

struct EvalSettings {
  int64_t n = 128;    // samples a problem
  uint64_t seed = 0;  // evaluation seed, separate from training seeds
  SamplingSettings sampling;
  int64_t max_rows = 512;     // rows decoded at once
  int64_t training_seed = 0;  // written into the outcomes
  bool store_ids = true;
  bool fingerprints = true;
  FingerprintSettings fingerprint;
  std::vector<std::string> graders = {"recipe"};  // the first is the main one
};

struct EvalInputs {
  const PromptMaker& prompts;
  std::function<void(int64_t done, int64_t total)> progress;  // responses; may be empty
  std::function<void(const std::string&)> on_warning;         // may be empty
};

// Problems that are evaluated together: about eight times the rows decoded at once, so that finished rows leave room and memory
// stays bounded. `samples` of each.
inline int64_t problems_at_once(int64_t max_rows, int64_t samples) {
  return std::max<int64_t>(1, 8 * max_rows / std::max<int64_t>(1, samples));
}

// Outcomes of samples first_sample .. n - 1 of every problem, in the order set, problem, sample. Keyed by (evaluation seed,
// set, problem, sample): the same whatever is evaluated beside it, in strict mode. Where memory ends, half as many rows are
// decoded at once from there on. Throws Error where there is none for one row.
std::vector<Outcome> evaluate(const Transformer& model, const std::vector<ProblemSet>& sets, const EvalSettings& settings,
                              const EvalInputs& inputs, int64_t first_sample = 0);

}  // namespace harness
