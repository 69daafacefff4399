// MemoryPlan: what each process of a training or an evaluation will hold at its peak, part by part, from the model's shape and
// the settings.
//
// Letters as in harness/model/transformer.h. Upper bounds: every prompt and every response as long as it may be. Held against
// the measured peak of short runs by experiments/peers/plan_memory.py.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/model/files/model_config.h"
#include "harness/model/files/work.h"

namespace harness {

struct MemorySettings {
  ModelConfig shape;
  bool bf16 = false;               // weights and activations; else fp32
  bool cuda = false;               // device memory is counted apart from that of the process
  bool strict = true;              // rows padded to 64
  bool train = true;               // false: an evaluation
  bool reference = false;          // a second model for the KL term
  bool recompute = false;          // train.recompute_activations
  bool offload_optimizer = false;  // train.offload_optimizer, train.offload_reference: of a GPU
  bool offload_reference = false;
  int64_t offload_numbers = int64_t{1} << 26;  // of gradients on their way to the host at once, and of parameters back
  bool readout = false;                        // fingerprints are recorded
  int64_t processes = 1;                       // that train together
  bool shared_optimizer = false;               // train.shard (harness/train/states/shares.h): masters and moments in shares,
  bool shared_gradients = false;               // gradients too,
  bool shared_parameters = false;              // parameters too, those of a reference included
  int64_t prompt_tokens = 1024;
  int64_t response_tokens = 3072;
  int64_t prompts = 512;     // of one batch of sampling
  int64_t responses = 16;    // a prompt
  int64_t mini_batch = 256;  // responses of one update
  int64_t micro_batch = 0;   // responses of one pass; 0: the mini-batch
  int64_t rows = 256;        // rows decoded at once
};

struct MemoryPart {
  std::string name;
  double bytes = 0;
};

// One moment of a job: the parts that are there together.
struct MemoryPhase {
  std::string name;
  std::vector<MemoryPart> parts;  // on the device
  [[nodiscard]] double bytes() const;
};

struct MemoryPlan {
  std::vector<MemoryPhase> phases;  // loading, sampling, update (of a training)
  double host_bytes = 0;            // of the process beside the device, where the device is a GPU
  [[nodiscard]] const MemoryPhase& peak() const;
};

MemoryPlan plan_memory(const MemorySettings& settings);

// "1.2 GB", "340 MB".
std::string bytes_text(double bytes);

}  // namespace harness
