// A cell's configuration: what `train`, `eval` and `pretrain` read, and the parts they make from it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "datasets/catalog.h"
#include "harness/core/config.h"
#include "harness/eval/evaluator.h"
#include "harness/model/transformer.h"
#include "harness/rollout/prompt.h"
#include "harness/train/supervised.h"
#include "harness/train/trainer.h"

namespace experiments {

// Keys that say where things lie or how fast they are made, not what comes out: left out of a cell's identity. train.processes
// is one of them as long as it is 1, train.shard as long as it is "none" or "optimizer", train.offload_optimizer on the CPU.
const std::vector<std::string>& keys_without_result();
// SHA-256 of the effective keys that change results, and of the numerics version; for a training by several processes also of
// their number, and of train.shard = "gradients" or "parameters", since they add gradients in another order.
std::string cell_identity(const harness::Config& config, const std::string& kind);
// The same for an evaluation, the number of samples left out: more samples add to what is there.
std::string eval_identity(const harness::Config& config);

struct NumericsKeys {
  harness::Numerics numerics;
  int64_t threads = 1;
};
// Reads numerics.dtype, device, strict, threads. The device need not be there: an experiment can be planned on another machine.
NumericsKeys read_numerics(harness::Config& config);
// Throws Error for a device that is not there.
void check_device(const harness::Numerics& numerics);
// Sets LibTorch's thread counts.
void use_threads(int64_t threads);

struct DataKeys {
  datasets::LoadSettings load;
  std::vector<std::string> train, validation, sets;
};
// Reads data.*.
DataKeys read_data(harness::Config& config);
// Reads fingerprint.layers and fingerprint.layer_diff.
harness::LayerChoice read_layer_choice(harness::Config& config);

struct TrainCell {
  NumericsKeys numerics;
  DataKeys data;
  harness::TrainSettings settings;
  harness::MethodStack methods;
  std::string model_folder;
  int64_t validation_samples = 8;
  int64_t processes = 1;  // that share the training on this machine
  harness::Needs needs;
};
// Reads every key of a training. `config` must already stand on its base (baselines::with_base).
TrainCell read_train_cell(harness::Config& config);

struct EvalCell {
  NumericsKeys numerics;
  DataKeys data;
  harness::EvalSettings settings;
  harness::PromptSettings prompt;
  std::string model_folder;
  int64_t train_samples = 0;  // samples a training problem for the train-set pass rate; 0: none
  std::string outcomes;       // folder of another evaluation whose responses are graded anew; "": responses are sampled
};
EvalCell read_eval_cell(harness::Config& config);

struct PretrainCell {
  NumericsKeys numerics;
  harness::ModelConfig model;  // of a new model
  std::string start;           // folder of a model to go on from; "": a new one
  std::string demonstrations;  // "nano", "words"
  datasets::LoadSettings load;
  harness::SupervisedSettings settings;
  int64_t checkpoint_every = 100;  // steps
  harness::PromptSettings prompt;
  uint64_t seed = 0;
};
PretrainCell read_pretrain_cell(harness::Config& config);

// Loads a model folder and what belongs to it.
struct LoadedModel {
  std::unique_ptr<harness::Transformer> model;
  std::shared_ptr<const harness::Tokenizer> tokenizer;
};
LoadedModel load_model(const std::string& folder, const harness::Numerics& numerics);

// pass@1 over the outcomes by the main grader.
double mean_right(const std::vector<harness::Outcome>& outcomes, const std::string& grader);

// Machine facts for timing files: peak resident memory of this process in MiB.
double peak_memory_mib();

}  // namespace experiments
