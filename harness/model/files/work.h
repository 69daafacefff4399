// Work of a network: parameters, operations and bytes that its tokens take, from the shape alone.
//
// Letters as in transformer.h. An operation is a multiplication or an addition: two for a multiply-add.
#pragma once

#include <cstdint>

#include "harness/model/files/model_config.h"

namespace harness {

// Parameters of the network, and those that each token multiplies with (the embedding's only where it is the head too).
double parameter_count(const ModelConfig& shape);
double matrix_count(const ModelConfig& shape);

// Operations of one token's forward pass: products with the weights, and attention to `context` positions.
double flops_of_token(const ModelConfig& shape, double context);

// Bytes of the keys and values of one position, in all layers.
double kv_bytes_of_position(const ModelConfig& shape, double element_bytes);

// Tokens that went through the layers, the positions that they attended to added up, and rows of logits.
struct TokenWork {
  double tokens = 0;
  double context = 0;
  double logits = 0;
  // Tokens first .. first + count - 1 of a sequence; each attends to those before it and itself. No logits.
  void add(int64_t first, int64_t count);
  void add(const TokenWork& other);
};
// Operations of a forward pass over them.
double flops_of(const ModelConfig& shape, const TokenWork& work);

// Rows of a pass with those that pad it: strict numerics compute 64 rows at a time, but for our own products.
inline int64_t padded_rows(int64_t rows, bool strict, bool own_products) {
  return strict && !own_products ? (rows + 63) / 64 * 64 : rows;
}

// Prompts are computed together until they are so many rows.
inline constexpr int64_t kPromptRowsAtOnce = 8192;

// Rows of logits that are held at once where log-probs are taken (token_statistics.cpp). On the CPU few enough for its caches;
// on a GPU about 2^28 logits: every chunk reads and writes the gradient of the whole head, and the more rows share that the
// better, but no more than an eighth of 16384 rows of the largest vocabularies.
int64_t logit_chunk_rows(int64_t vocabulary, bool gpu);

}  // namespace harness
