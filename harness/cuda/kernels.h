// Kernels of the GPU: what they take, and the table of functions that start them. No LibTorch: pointers and a stream.
//
// Every kernel is one body (*_body.h) that is compiled twice: by nvcc for the GPU, and by the host compiler as loops over the
// threads of a block (block.h). The second is for tests: it runs the same index arithmetic, reductions and rounding on the
// CPU. Storage is fp32 or bf16, arithmetic fp32; attention and its gradient multiply bf16 in the tensor cores and add in fp32.
// No atomics: the same bytes in every run. Letters: R rows, D width, H query heads, K key-value heads, E head dimension,
// F MLP width, V vocabulary, L layers.
#pragma once

#include <cstdint>

#include "harness/cuda/number.h"

namespace harness::cuda {

struct Heads {
  int64_t heads = 0, kv_heads = 0, dim = 0;  // dim even and at most 256; heads / kv_heads at most 16
};

// Rows of the embedding: that of a token drawn before where a row has a source, else that of its id.
template <typename T>
struct Embed {
  const T* embedding = nullptr;      // [V, D]
  const int64_t* ids = nullptr;      // [R]
  const int64_t* sources = nullptr;  // [R] indices into `drawn`, -1: the id
  const int64_t* drawn = nullptr;
  T* y = nullptr;  // [R, D]
  int64_t rows = 0, width = 0;
};

// y = x / rms(x) * weight.
template <typename T>
struct RmsNorm {
  const T* x = nullptr;       // [R, D]
  const T* weight = nullptr;  // [D]
  T* copy = nullptr;          // [R, D] of x; null: none
  T* y = nullptr;             // [R, D]; may be x
  float* rstd = nullptr;      // [R]; may be null
  int64_t rows = 0, width = 0;
  float eps = 0;
};

template <typename T>
struct RmsNormBackward {
  const T* dy = nullptr;        // [R, D]
  const T* x = nullptr;         // [R, D]
  const T* weight = nullptr;    // [D]
  const float* rstd = nullptr;  // [R]
  T* dx = nullptr;              // [R, D], added to
  float* dweight = nullptr;     // [D], added to
  float* workspace = nullptr;   // [norm_chunks(rows), D]
  int64_t rows = 0, width = 0;
};
inline constexpr int64_t kNormChunk = 64;  // rows summed by one thread
inline int64_t norm_chunks(int64_t rows) { return (rows + kNormChunk - 1) / kNormChunk; }

// q and k of qkv, normalised per head where there are norms, and rotated: (a, b) -> (a cos - b sin, b cos + a sin).
template <typename T>
struct SplitRotate {
  const T* qkv = nullptr;     // [R, (H + 2K) E]
  const T* q_norm = nullptr;  // [E]; null: none
  const T* k_norm = nullptr;
  const float* cosine = nullptr;  // [positions, E / 2]
  const float* sine = nullptr;
  const int64_t* positions = nullptr;  // [R]
  T* q = nullptr;                      // [R, H, E]
  T* k = nullptr;                      // [R, K, E]; null: only to its place
  // Where each row's key and value [K, E] go in their store, beside k; null: nowhere.
  const uint64_t* key_places = nullptr;    // [R] addresses in layer 0; 0: nowhere (padding)
  const uint64_t* value_places = nullptr;  // [R]
  const uint64_t* layer_bytes = nullptr;   // [R] bytes from one layer of the row's store to the next
  int64_t layer = 0;
  int64_t rows = 0;
  Heads shape;
  float eps = 0;
};

// Its gradient. dq, dk and dv may stand at their places in dqkv.
inline constexpr int64_t kRotateChunk = 16;  // rows whose part of the norms' gradients is summed by one block
inline int64_t rotate_chunks(int64_t rows) { return (rows + kRotateChunk - 1) / kRotateChunk; }
template <typename T>
struct SplitRotateBackward {
  const T* dq = nullptr;  // [R, H, E] with q_stride values between rows
  const T* dk = nullptr;  // [R, K, E] with kv_stride values between rows
  const T* dv = nullptr;
  int64_t q_stride = 0, kv_stride = 0;
  const T* qkv = nullptr;     // [R, (H + 2K) E]; only with norms
  const T* q_norm = nullptr;  // [E]; null: none
  const T* k_norm = nullptr;
  const float* cosine = nullptr;  // [positions, E / 2]
  const float* sine = nullptr;
  const int64_t* positions = nullptr;  // [R]
  T* dqkv = nullptr;                   // [R, (H + 2K) E]
  float* dq_norm = nullptr;            // [E], added to; only with norms
  float* dk_norm = nullptr;
  float* workspace = nullptr;  // [rotate_chunks(rows), 2, E]; only with norms
  int64_t rows = 0;
  Heads shape;
  float eps = 0;
};

// Some rows of queries against one stretch of stored positions. Row first_row + i sees the positions below count + i step of
// the stretch, of which this task takes those from `begin` to begin + kAttentionChunk.
struct AttentionTask {
  uint64_t keys = 0, values = 0;    // addresses of position 0 in layer 0: [positions, K, E]
  int32_t first_row = 0, rows = 0;  // no rows: nothing to do
  int32_t count = 0, step = 0;      // step 0: all rows see the same (a shared prefix); 1: each one more (one sequence)
  int32_t begin = 0, part = 0;      // part: index of the result among those of each of its rows
  uint64_t layer_bytes = 0;         // from one layer of the store to the next
};
inline constexpr int32_t kAttentionChunk = 256;  // fixed: the order of summation of a row depends on it
// Rows of a task, at most, where `rows` in all attend. fp32: 8 queries of a key-value head (16 where so many heads share it).
// bf16: 64, so that a shared prefix is read from memory once or twice, or fewer, so that there are not fewer blocks than an
// H100 has processors. What a row sums does not depend on it.
inline int64_t attention_rows(const Heads& shape, bool bf16, int64_t rows) {
  const int64_t share = shape.heads / shape.kv_heads;
  if (!bf16) return share >= 8 ? 1 : 8 / share;
  int64_t queries = 64;
  while (queries > 16 && rows * shape.heads < 128 * queries) queries /= 2;
  return queries / share;
}
template <typename T>
struct Attention {
  const T* q = nullptr;                  // [R, H, E]
  T* out = nullptr;                      // [R, H, E]; zero for rows without parts
  float* lse = nullptr;                  // [R, H] log-sum-exp of the scaled scores; may be null
  const AttentionTask* tasks = nullptr;  // [tasks]
  const int32_t* row_parts = nullptr;    // [R] parts of each row
  float* part_out = nullptr;             // [R, parts, H, E]
  float* part_max = nullptr;             // [R, parts, H]
  float* part_sum = nullptr;             // [R, parts, H]
  int64_t rows = 0, task_count = 0, parts = 0;
  Heads shape;
  float scale = 1;
  int64_t layer = 0;
};

// Attention over packed rows and its gradient, cut into blocks by attention_plan.h. The queries of a key-value head are counted
// row by row: query n is head n % (H / K) of its group, in row n / (H / K). A key is seen by a query of its own or a later row.
struct QueryTask {
  int32_t first = 0, count = 0;             // queries, a tile at most
  int32_t prefix_row = 0, prefix_rows = 0;  // rows of keys that all of them see
  int32_t own_row = 0, own_rows = 0;        // and those that they see up to their own; none at all: zeros
};
// Queries of a task of PackedAttention, at most.
inline int64_t packed_attention_tile(const Heads& shape) { return shape.dim <= 128 ? 128 : 64; }
// A block walks all keys of a task's queries (FlashAttention-2, Dao 2023): no workspace, and what a row sums, and in which
// order, does not depend on what else is packed. In bf16 the tensor cores multiply, for which the weights are rounded to bf16.
template <typename T>
struct PackedAttention {
  const T* q = nullptr;              // [R, H, E]
  const T* k = nullptr;              // [R, K, E]
  const T* v = nullptr;              // [R, K, E] with v_stride values between rows
  T* out = nullptr;                  // [R, H, E]; zero for rows that see nothing
  float* lse = nullptr;              // [R, H] log-sum-exp of the scaled scores, 0 for rows that see nothing; may be null
  const QueryTask* tasks = nullptr;  // [tasks], each row in some: attention_plan.h
  int64_t v_stride = 0, task_count = 0;
  Heads shape;
  float scale = 1;
};
struct KeyTask {
  int32_t first_row = 0, rows = 0;  // of the keys, a tile at most
  int32_t first = 0, count = 0;     // queries that may see them
  int32_t part = -1;                // where the sums go; -1: they are the whole gradient
};
// The sums of parts part .. part + parts - 1, in their order; no parts: a gradient of zero.
struct KeyJoin {
  int32_t first_row = 0, rows = 0, part = 0, parts = 0;
};
// Queries, and likewise keys, of a tile.
inline int64_t attention_tile(const Heads& shape) { return shape.dim <= 128 ? 64 : 32; }
template <typename T>
struct AttentionBackward {
  const T* dout = nullptr;     // [R, H, E]
  const T* out = nullptr;      // [R, H, E]
  const float* lse = nullptr;  // [R, H]
  const T* q = nullptr;        // [R, H, E]
  const T* k = nullptr;        // [R, K, E]
  const T* v = nullptr;        // [R, K, E] with v_stride values between rows
  T* dq = nullptr;             // [R, H, E] with gradient_stride values between rows
  T* dk = nullptr;             // [R, K, E] likewise
  T* dv = nullptr;
  int64_t v_stride = 0, gradient_stride = 0;
  float* delta = nullptr;      // [R, H] workspace: <dout, out>
  float* part_sums = nullptr;  // [parts, K, 2, attention_tile, E] workspace
  const QueryTask* query_tasks = nullptr;
  const KeyTask* key_tasks = nullptr;
  const KeyJoin* joins = nullptr;
  int64_t rows = 0, query_task_count = 0, key_task_count = 0, join_count = 0;
  Heads shape;
  float scale = 1;
};

// silu(gate) * up of gate_up [R, 2F] -> y [R, F], and its gradient.
template <typename T>
struct Swiglu {
  const T* gate_up = nullptr;
  const T* dy = nullptr;  // null: forward
  T* y = nullptr;         // [R, F]
  T* dgate_up = nullptr;  // [R, 2F]
  int64_t rows = 0, width = 0;
};

// Rows of logits [R, V]: V at most 262144.
inline constexpr int64_t kLargestVocabulary = 262144;
inline constexpr int kLogitTile = 1024;  // logits whose sums are taken by one warp
inline int64_t logit_tiles(int64_t vocabulary) { return (vocabulary + kLogitTile - 1) / kLogitTile; }
template <typename T>
struct SampleTokens {
  const T* logits = nullptr;
  const double* uniforms = nullptr;  // [R] in [0, 1); null: greedy (largest logit, lowest id on a tie)
  int64_t* tokens = nullptr;         // [R]
  float* log_probs = nullptr;        // [R] nats, at report_inverse
  float* entropies = nullptr;        // [R] nats, likewise
  int64_t rows = 0, vocabulary = 0;
  float draw_inverse = 1, report_inverse = 1;  // inverse temperatures of the draw and of what is reported
  // [R, kTileSums, logit_tiles(V)]: the tiles of a row are shared by blocks. Null: one block a row, the same bytes.
  float* workspace = nullptr;
};
inline constexpr int kTileSums = 6;  // maximum, sum and moment at both temperatures
template <typename T>
struct TokenLogProbs {
  const T* logits = nullptr;
  const int64_t* targets = nullptr;  // [R]
  float* log_probs = nullptr;        // [R] nats
  float* entropies = nullptr;        // [R] nats
  int64_t rows = 0, vocabulary = 0;
  float inverse_temperature = 1;
};
// The logits become d loss / d logits.
template <typename T>
struct LogitGradient {
  T* logits = nullptr;
  const int64_t* targets = nullptr;           // [R]
  const float* log_prob_gradients = nullptr;  // [R]
  const float* entropy_gradients = nullptr;   // [R]; may be null
  int64_t rows = 0, vocabulary = 0;
  float inverse_temperature = 1;
};

// values[r, l] = <head[tokens[r]], hidden_l[source[r]]>: the layer readout, no full-vocabulary product, nothing copied.
inline constexpr int64_t kMostLayers = 128;
template <typename T>
struct Readout {
  const T* head = nullptr;            // [V, D]
  const int64_t* tokens = nullptr;    // [R]
  const int64_t* source = nullptr;    // [R] rows of the hidden states; null: r itself
  const T* hidden[kMostLayers] = {};  // [L] of [*, D]
  float* values = nullptr;            // [R, L]
  int64_t rows = 0, layers = 0, width = 0;
};

// AdamW (Loshchilov & Hutter 2019) with bias correction, as at::_fused_adamw_, on gradients times `gradient_scale`.
template <typename T>
struct AdamW {
  float* master = nullptr;  // [N]
  float* first = nullptr;   // [N]
  float* second = nullptr;  // [N]
  const float* gradient = nullptr;
  T* parameter = nullptr;  // [N] rounded copy of the master; null: none
  int64_t count = 0;
  float lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0, gradient_scale = 1;
  float correction1 = 1, correction2_root = 1;  // 1 - beta1^step, sqrt(1 - beta2^step)
};

// Starts the kernels on a stream (a cudaStream_t; the host table ignores it and has finished when it returns).
template <typename T>
struct Table {
  void (*rms_norm)(const RmsNorm<T>&, void* stream);
  void (*rms_norm_backward)(const RmsNormBackward<T>&, void* stream);
  void (*split_rotate)(const SplitRotate<T>&, void* stream);
  void (*split_rotate_backward)(const SplitRotateBackward<T>&, void* stream);
  void (*attend)(const Attention<T>&, void* stream);
  void (*attend_packed)(const PackedAttention<T>&, void* stream);
  void (*attend_backward)(const AttentionBackward<T>&, void* stream);
  void (*swiglu)(const Swiglu<T>&, void* stream);
  void (*sample_tokens)(const SampleTokens<T>&, void* stream);
  void (*token_log_probs)(const TokenLogProbs<T>&, void* stream);
  void (*logit_gradient)(const LogitGradient<T>&, void* stream);
  void (*readout)(const Readout<T>&, void* stream);
  void (*adamw)(const AdamW<T>&, void* stream);
  void (*embed)(const Embed<T>&, void* stream);
};

// The bodies as loops on the host, threads of a phase in rising or falling order.
template <typename T>
const Table<T>& host_table(bool backwards = false);
// The bodies on the GPU; null where the program was built without CUDA. A kernel that cannot start throws std::runtime_error.
template <typename T>
const Table<T>* gpu_table();

}  // namespace harness::cuda
