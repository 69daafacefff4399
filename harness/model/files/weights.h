// Weights: the tensors of a Hugging Face model folder, mapped from safetensors (one file or shards with an index) and saved.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace harness {

// Bytes of one file above which a folder is saved in shards: transformers' own bound.
inline constexpr int64_t kMaxShardBytes = 5'000'000'000;

// The tensors named in `shapes` (tensor_shapes of the configuration), in the dtype of the file, each a view of the mapped file:
// read-only, and the file stays mapped as long as one of them lives. Nothing is copied, so converting them one by one needs no
// second copy of the model. Throws Error naming file and tensor for a file cut short, a tensor that is missing, has another
// shape or a dtype other than F32, BF16, F16, and one that the configuration does not know (rotary buffers and a head equal to
// the tied embedding excepted).
std::map<std::string, torch::Tensor> load_weights(const std::string& folder,
                                                  const std::map<std::string, std::vector<int64_t>>& shapes);
// Writes model.safetensors, or shards and model.safetensors.index.json where there are more than `max_shard_bytes`. Tensors may
// lie on any device; those of one shard are copied at a time.
void save_weights(const std::string& folder, const std::map<std::string, torch::Tensor>& weights,
                  int64_t max_shard_bytes = kMaxShardBytes);

}  // namespace harness
