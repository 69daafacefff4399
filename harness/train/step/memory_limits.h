// MemoryLimits: what of a training gives way where memory ends: responses of one pass, rows decoded at once.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "harness/ranks/ranks.h"
#include "harness/train/settings.h"

namespace harness {

// Part of the checkpoint: gradients of another split differ in rounding, so that a resumed run goes on with the same. 0: as
// set.
struct MemorySizes {
  int64_t micro_batch = 0;  // responses of one pass at most
  int64_t rows = 0;         // rows decoded at once at most
};

// What a size is of: rows decoded at once (sampling), responses of one pass (scoring, update).
enum class Pass { sampling, scoring, update };

// The sizes that a run goes on with, halved each time memory ends.
class MemoryLimits {
 public:
  struct Hooks {
    std::function<void(const std::string&)> on_warning;
    // Called before every pass with its rows or responses: what it throws is as if the pass had thrown it.
    std::function<void(Pass pass, int64_t size)> before_pass;
  };
  // `sizes` outlives the limits and is halved by them. `ranks`: the processes that agree on every size; null: this one alone.
  MemoryLimits(const TrainSettings& settings, torch::Device device, Ranks* ranks, MemorySizes& sizes, Hooks hooks);

  // Calls attempt(size), with `wanted` or what an earlier want of memory left of it, until memory suffices in every process:
  // each time it does not, the size is halved for the rest of the run. All processes call this with the same `wanted`, and
  // `attempt` waits for none of them. Throws Error, with `place`, where size 1 is too much, and where the size is part of the
  // loss. A pass in which the processes do wait for one another (train.shard) cannot begin anew in one of them alone: it throws
  // at once.
  void fit(Pass pass, int64_t wanted, const std::string& place, const std::function<void(int64_t size)>& attempt);
  // To be called within `attempt` before each of its passes.
  void begin(Pass pass, int64_t size) const;

 private:
  [[nodiscard]] bool shared(Pass pass) const;
  torch::Device device_;
  Shard shard_;
  bool part_of_loss_;  // loss.aggregation = "micro_token_mean": the mean depends on the split
  Ranks* ranks_;
  MemorySizes& sizes_;
  Hooks hooks_;
};

// As MemoryLimits::fit; without limits, one attempt with `wanted`.
void fit_memory(MemoryLimits* limits, Pass pass, int64_t wanted, const std::string& place,
                const std::function<void(int64_t size)>& attempt);

}  // namespace harness
