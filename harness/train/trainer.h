// Trainer: runs the steps of one training in its run folder, with checkpoints, validation and a metrics file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/train/checkpoint.h"
#include "harness/train/step/step.h"

namespace harness {

// pass@1 and other values on the validation split, made by a function handed in (the trainer knows no evaluator).
using Validation = std::function<Metrics(const Transformer& policy)>;

struct TrainerInputs {
  TrainSettings settings;
  std::string folder;        // run folder; exists
  std::string identity;      // of the configuration, written into checkpoints
  std::string model_folder;  // of the base model: tokenizer files are copied from it
  std::vector<Problem> problems;
  Validation validate;                                        // may be empty
  std::function<void(int64_t step, const Metrics&)> on_step;  // progress
  std::function<void(const std::string&)> on_warning;
  std::function<void(Pass pass, int64_t size)> before_pass;  // see MemoryLimits::Hooks; may be empty
  // The processes of the run, each with these same inputs; only the first writes files (but for the shares of a checkpoint) and
  // calls on_step and on_warning. Where `train` ends as it should, they are finished. Null: this process alone.
  Ranks* ranks = nullptr;
};

struct TrainResult {
  RunState state;
  int64_t updates = 0;
  double visits_per_problem = 0;
  double largest_log_prob_difference = 0;  // sampling against scoring, over all steps of the metrics file
  int64_t starved_steps = 0;
  int64_t prompts_dropped = 0;  // longer than prompt.prompt_tokens
  StepTiming timing;            // of this process
};

// Trains `policy` for settings.steps steps, going on from the folder's checkpoint if there is one. Writes metrics.jsonl,
// checkpoint/, model/ (the last policy) and best/ (by validation alone, where there is one). Throws Interrupted after saving
// when asked to stop; Error for a loss that is not finite, a full disk, a starved step.
TrainResult train(Transformer& policy, MethodStack& methods, const PromptMaker& prompts, const Grader& grader,
                  const TrainerInputs& inputs);

}  // namespace harness
