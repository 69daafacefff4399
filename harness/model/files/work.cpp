#include "harness/model/files/work.h"

#include <algorithm>
#include <numeric>

namespace harness {

double parameter_count(const ModelConfig& shape) {
  double count = 0;
  for (const auto& [name, sizes] : tensor_shapes(shape)) {
    count += std::accumulate(sizes.begin(), sizes.end(), 1.0,
                             [](double product, int64_t size) { return product * static_cast<double>(size); });
  }
  return count;
}

double matrix_count(const ModelConfig& shape) {
  const double embedding = static_cast<double>(shape.vocab_size) * static_cast<double>(shape.width);
  return parameter_count(shape) - (shape.tied_head ? 0 : embedding);
}

double flops_of_token(const ModelConfig& shape, double context) { return flops_of(shape, {1, context, 1}); }

double kv_bytes_of_position(const ModelConfig& shape, double element_bytes) {
  return 2 * element_bytes * static_cast<double>(shape.layers * shape.kv_heads * shape.head_dim);
}

void TokenWork::add(int64_t first, int64_t count) {
  const auto n = static_cast<double>(count);
  tokens += n;
  context += n * (static_cast<double>(first) + (n + 1) / 2);
}

void TokenWork::add(const TokenWork& other) {
  tokens += other.tokens;
  context += other.context;
  logits += other.logits;
}

double flops_of(const ModelConfig& shape, const TokenWork& work) {
  const double attention = 4 * static_cast<double>(shape.layers * shape.heads * shape.head_dim);
  const double head = static_cast<double>(shape.vocab_size) * static_cast<double>(shape.width);
  return 2 * (matrix_count(shape) - head) * work.tokens + 2 * head * work.logits + attention * work.context;
}

int64_t logit_chunk_rows(int64_t vocabulary, bool gpu) {
  const int64_t logits = int64_t{1} << (gpu ? 28 : 24);
  const int64_t tile = gpu ? 256 : 64;  // whole tiles of a GPU's products; on the CPU of the strict ones
  return std::max(tile, logits / vocabulary / tile * tile);
}

}  // namespace harness
