// Checkpoint: everything a run needs to go on as if it had never stopped, in one folder replaced as a whole.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "harness/train/method/method.h"
#include "harness/train/states/optimizer.h"
#include "harness/train/step/collect.h"
#include "harness/train/step/memory_limits.h"

namespace harness {

inline constexpr int64_t kCheckpointVersion = 1;

// What stands in checkpoint/state.json beside the tensors (state.safetensors; state_R.safetensors with the share of each
// process R where states are shared) and the methods' own files (methods/).
struct RunState {
  int64_t step = 0;  // finished steps
  DataCursor cursor;
  int64_t metrics_bytes = 0;  // length of metrics.jsonl at this step; the file is cut back to it
  int64_t tokens_generated = 0, responses_generated = 0, responses_kept = 0;
  double best_validation = -1;
  int64_t best_step = 0;
  MemorySizes memory;  // what an earlier want of memory left
};

// Writes FOLDER/checkpoint atomically: a kill, or a disk that is full (Error), leaves the old or the new one. Returns the
// seconds that the methods' state took. Where states are shared all processes call it: each writes its share, then the first
// puts the folder in place.
double save_checkpoint(const std::string& folder, const std::string& identity, const RunState& state,
                       const Optimizer& optimizer, const MethodStack& methods);
// False: there is none. Throws Error for a damaged one, a newer version, one of another configuration, or states shared
// otherwise.
bool load_checkpoint(const std::string& folder, const std::string& identity, RunState& state, Optimizer& optimizer,
                     MethodStack& methods);

// Puts FOLDER/checkpoint in place as a whole: `write` fills the folder it is given; where it throws, what stood there stays.
void replace_checkpoint(const std::string& folder, const std::function<void(const std::string& temporary)>& write);

// An optimiser's tensors (fp32 masters and moments) as a safetensors file. `read_optimizer` gives them back to one of the same
// model.
void write_optimizer(const std::string& path, const Optimizer& optimizer);
void read_optimizer(const std::string& path, Optimizer& optimizer, int64_t updates);

}  // namespace harness
