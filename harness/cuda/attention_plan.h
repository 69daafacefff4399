// How attention over packed rows and its gradient are cut into blocks of the GPU.
#pragma once

#include <vector>

#include "harness/cuda/kernels.h"

namespace harness::cuda {

// Rows begin .. begin + length - 1 are one sequence: each sees all rows of the prefix, then its own sequence up to itself.
struct PackedSpan {
  int64_t begin = 0, length = 0;
  int64_t prefix = -1;  // index of a span without a prefix that lies before this one; -1: none
};

inline constexpr int64_t kMostQueries = int64_t{1} << 28;  // rows times query heads of a key-value head

// Tasks of PackedAttention for tensors of `rows` rows, those of most keys first, so that short ones are left for the end. A
// failed check as below.
std::vector<QueryTask> plan_packed_attention(const std::vector<PackedSpan>& spans, int64_t rows, const Heads& shape);

struct BackwardPlan {
  std::vector<QueryTask> queries;
  std::vector<KeyTask> keys;
  std::vector<KeyJoin> joins;
  int64_t parts = 0;  // of AttentionBackward::part_sums
};
// For tensors of `rows` rows; rows of no span get gradients of zero. Depends on nothing else, so that every run sums alike.
// A failed check where there are more queries than that, or spans overlap, leave the rows, or name a prefix that has one itself
// or lies behind.
BackwardPlan plan_attention_backward(const std::vector<PackedSpan>& spans, int64_t rows, const Heads& shape);

}  // namespace harness::cuda
