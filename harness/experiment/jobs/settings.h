// The configuration of a job: what `train`, `eval` and `pretrain` read, every key once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/config_reader.h"
#include "harness/data/problem_catalog.h"
#include "harness/eval/evaluator.h"
#include "harness/experiment/jobs/program.h"
#include "harness/model/transformer.h"
#include "harness/rollout/prompt.h"
#include "harness/train/supervised.h"
#include "harness/train/trainer.h"

namespace harness {

struct NumericsKeys {
  Numerics numerics;
  int64_t threads = 1;
};
// Reads numerics.*. The device need not be there: an experiment can be planned on another machine.
NumericsKeys read_numerics(ConfigReader& keys);
// One thread by its keys, and the same bytes on more.
bool takes_idle_workers(const NumericsKeys& keys);
// Of the keys; of idle workers (Job::takes_idle_workers) where the sweep says so.
int64_t threads_of(const NumericsKeys& keys);

struct DataKeys {
  std::shared_ptr<const ProblemSource> source;
  std::vector<std::string> train, validation, test;  // names of sets
};
// Reads data.*.
DataKeys read_data(ConfigReader& keys, const ProblemCatalog& catalog);

struct TrainJob {
  NumericsKeys numerics;
  DataKeys data;
  TrainSettings settings;
  MethodStack methods;
  std::string model_folder;
  int64_t validation_samples = 8;
  int64_t processes = 1;  // that share the training on this machine
  Needs needs;
};
// Reads every key of a training; the config already stands on its base (MethodCatalog::with_base).
TrainJob read_train_job(ConfigReader& keys, const Program& program);

struct EvalJob {
  NumericsKeys numerics;
  DataKeys data;
  EvalSettings settings;
  PromptSettings prompt;
  std::string model_folder;
  int64_t train_samples = 0;   // samples a training problem for the train-set pass rate; 0: none
  int64_t trial_problems = 0;  // > 0: so many training problems, spread over all, in place of the test problems
  std::string outcomes;        // folder of another evaluation whose responses are graded anew; "": responses are sampled
};
EvalJob read_eval_job(ConfigReader& keys, const Program& program);

struct PretrainJob {
  NumericsKeys numerics;
  ModelConfig model;           // of a new model
  std::string start;           // folder of a model to go on from; "": a new one
  std::string demonstrations;  // "nano", "words"
  std::shared_ptr<const ProblemSource> source;
  SupervisedSettings settings;
  int64_t checkpoint_every = 100;  // steps
  PromptSettings prompt;
  uint64_t seed = 0;
};
PretrainJob read_pretrain_job(ConfigReader& keys, const Program& program);

}  // namespace harness
