// KvStore: keys and values of several sequences for all layers, in the blocked layout of the attention kernel.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "harness/model/cpu/row_kernels.h"

namespace harness {

// Slot s holds up to capacity(s) positions. Memory is one tensor for keys and one for values, of the model's dtype:
// layers x (sum of capacities) x kv_heads x head_dim (values: head_dim rounded up to 16).
class KvStore {
 public:
  KvStore() = default;
  // `capacities`: positions of each slot, rounded up to 16. `dtype` float32 or bfloat16. On another device than the CPU, or
  // where asked for, both are plain rows [kv_heads, head_dim] a position, reached through `write`, `read` and `key_row`.
  KvStore(int64_t layers, const std::vector<int64_t>& capacities, kernels::HeadShape shape, torch::Dtype dtype,
          torch::Device device = torch::kCPU, bool plain_rows = false);

  [[nodiscard]] int64_t slots() const { return static_cast<int64_t>(capacities_.size()); }
  [[nodiscard]] int64_t capacity(int64_t slot) const { return capacities_[static_cast<size_t>(slot)]; }
  [[nodiscard]] int64_t bytes() const;  // of keys and values in all slots and layers
  [[nodiscard]] bool plain_rows() const { return keys_.dim() == 4; }

  // Keys and values of a slot in the blocked layout. T is float or Bf16, the store's dtype.
  template <typename T>
  [[nodiscard]] kernels::KvView<T> view(int64_t layer, int64_t slot) const {
    const auto s = static_cast<size_t>(slot);
    const int64_t position = layer * total_ + offsets_[s];
    return {static_cast<T*>(keys_data_) + position * shape_.kv_heads * shape_.dim,
            static_cast<T*>(values_data_) + position * shape_.kv_heads * shape_.padded(), capacities_[s]};
  }

  // Address of the key [K, E] (value) of a position, of a store of plain rows: the next position's follows it.
  [[nodiscard]] void* key_row(int64_t layer, int64_t slot, int64_t position) const { return row(keys_, layer, slot, position); }
  [[nodiscard]] void* value_row(int64_t layer, int64_t slot, int64_t position) const {
    return row(values_, layer, slot, position);
  }

  // From the address of a position in one layer to that in the next, of keys and values alike; plain rows.
  [[nodiscard]] int64_t layer_bytes() const {
    return total_ * shape_.kv_heads * shape_.dim * static_cast<int64_t>(keys_.element_size());
  }

  // k and v [n, K, E] at positions from `position` on.
  void write(int64_t layer, int64_t slot, int64_t position, const torch::Tensor& k, const torch::Tensor& v);
  // The first `count` keys and values, fp32 [count, K, E] each.
  [[nodiscard]] std::pair<torch::Tensor, torch::Tensor> read(int64_t layer, int64_t slot, int64_t count) const;

 private:
  [[nodiscard]] void* row(const torch::Tensor& rows, int64_t layer, int64_t slot, int64_t position) const;

  kernels::HeadShape shape_;
  int64_t total_ = 0;  // positions of all slots
  std::vector<int64_t> capacities_, offsets_;
  torch::Tensor keys_, values_;
  void *keys_data_ = nullptr, *values_data_ = nullptr;  // their memory, in the blocked layout
};

// Where one row of a forward pass keeps its keys and values, and what it attends to.
struct RowPlace {
  KvStore* own = nullptr;
  int64_t own_slot = 0;
  int64_t own_position = 0;         // this row attends to positions 0 .. own_position of its slot
  const KvStore* prefix = nullptr;  // null: no prefix
  int64_t prefix_slot = 0;
  int64_t prefix_count = 0;
};

}  // namespace harness
