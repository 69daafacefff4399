// AttentionTasks: the rows of a pass as the attention kernels of harness/cuda take them, the same for all layers.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/cuda/kernels.h"
#include "harness/model/ops/kv_store.h"

namespace harness {

// Rows that see the same prefix share tasks over it, rows of one sequence share tasks over their own positions; what a row
// sums, and in which order, does not depend on that. Addresses are those of layer 0. Memory is kept from one pass to the next.
class AttentionTasks {
 public:
  // The stores of `places` hold plain rows (KvStore). `padded` rows in all: those beyond places.size() see nothing.
  void assign(const std::vector<RowPlace>& places, int64_t padded, const cuda::Heads& shape);
  // Only where keys and values go; no tasks.
  void assign_places(const std::vector<RowPlace>& places, int64_t padded);

  std::vector<cuda::AttentionTask> tasks;
  std::vector<int32_t> row_parts;                               // [padded] parts of each row
  std::vector<uint64_t> key_places, value_places, layer_bytes;  // [padded], 0 for padding
  int64_t parts = 1;                                            // the most that a row has

  // Parts of a stretch of positions.
  static int64_t chunks(int64_t count) { return (count + cuda::kAttentionChunk - 1) / cuda::kAttentionChunk; }

 private:
  template <typename Follows, typename Take>
  void cut(const std::vector<RowPlace>& places, int64_t most, Follows follows, Take take);
  void add(const KvStore& store, int64_t slot, int64_t first, int64_t rows, int64_t count, int64_t step, int64_t part);
};

}  // namespace harness
