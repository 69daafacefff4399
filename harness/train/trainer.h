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

// What a training tells while it runs and asks for; does nothing unless overridden. Of the processes of a run the first alone
// is told and asked (but for before_pass). What one of the calls throws ends the training.
class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  // The line of the step stands in metrics.jsonl, its checkpoint is written.
  virtual void on_step(int64_t /*step*/, const Metrics&) {}
  virtual void on_warning(const std::string&) {}
  // Every eval.every steps, before the step's line is written: values of the policy on the validation split, "pass@1" (by which
  // the best policy is kept) among them. The trainer knows no evaluator; empty: there is no validation.
  virtual Metrics validate(int64_t /*step*/, const Transformer& /*policy*/) { return {}; }
  // Before every pass with its rows or responses: what it throws is as if the pass had thrown it.
  virtual void before_pass(Pass, int64_t /*size*/) {}
};

// What a training needs beside the policy and its methods.
struct TrainerInputs {
  TrainSettings settings;
  std::string folder;        // run folder; exists
  std::string identity;      // of the configuration, written into checkpoints
  std::string model_folder;  // of the base model: tokenizer files are copied from it
  std::vector<Problem> problems;
  TrainObserver* observer = nullptr;  // null: nobody; outlives the training
  // The processes of the run, each with these same inputs; only the first writes files (but for the shares of a checkpoint).
  // Where `train` ends as it should, they are finished. Null: this process alone.
  Ranks* ranks = nullptr;
};

// What is known at its end, of resumed runs too.
struct TrainResult {
  RunState state;
  int64_t updates = 0;
  double visits_per_problem = 0;
  double largest_log_prob_difference = 0;  // nats; sampling against scoring, over all steps of the metrics file
  int64_t starved_steps = 0;
  int64_t prompts_dropped = 0;  // longer than prompt.prompt_tokens
  StepTiming timing;            // of this process
};

// Trains `policy` for settings.steps steps, going on from the folder's checkpoint if there is one. Writes metrics.jsonl,
// checkpoint/, model/ (the last policy), best/ (by validation alone, where there is one) and the models of
// settings.evaluated_steps. Throws Interrupted after saving
// when asked to stop; Error for a loss that is not finite, a full disk, a starved step.
TrainResult train(Transformer& policy, MethodStack& methods, const PromptMaker& prompts, const Grader& grader,
                  const TrainerInputs& inputs);

}  // namespace harness
