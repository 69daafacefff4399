// CPU kernels of the transformer: one row or one query at a time, so that no row depends on its neighbours (strict mode).
//
// Each kernel is written once (row_kernels_body.h) in 16-lane vectors whose order of summation does not depend on the
// instruction set, compiled for AVX-512, AVX2+FMA and plain x86-64, and chosen at run time. Storage is fp32 or bf16, arithmetic
// fp32. Letters: D width, H query heads, K key-value heads, E head dimension, P = E rounded up to 16, V vocabulary, L layers.
#pragma once

#include <cstdint>

#include "harness/core/bf16.h"

namespace harness::kernels {

// Values of a head, of which the kernels keep some on the stack.
inline constexpr int64_t kMostHeadDim = 1024;

// Heads of one attention.
struct HeadShape {
  int64_t heads = 0, kv_heads = 0, dim = 0;  // dim at most kMostHeadDim
  // dim rounded up to whole vectors.
  [[nodiscard]] int64_t padded() const { return (dim + 15) / 16 * 16; }
};

// Keys and values of one sequence (all key-value heads of one layer). Keys stand in blocks of 16 positions, transposed:
// keys[kv_head][position / 16][e][position % 16]; values[kv_head][position][P], zero beyond E.
template <typename T>
struct KvView {
  T* keys = nullptr;
  T* values = nullptr;
  int64_t capacity = 0;  // positions, a multiple of 16
};

// What one query row attends to: all of a shared prefix (may be empty), then `own` positions of its own sequence. Where `key`
// and `value` [K, E] are given, they are stored as the last of those first.
template <typename T>
struct AttentionTask {
  const T* query = nullptr;  // [H, E]
  T* out = nullptr;          // [H, E]
  float* lse = nullptr;      // [H] log-sum-exp of the scaled scores; may be null
  KvView<const T> prefix;
  int64_t prefix_count = 0;
  KvView<T> own;
  int64_t own_count = 0;
  const T* key = nullptr;
  const T* value = nullptr;
};

// Statistics of one row of logits z at temperature t: with d = z / t - max, sum = Σ exp(d), moment = Σ exp(d) d.
struct LogitStatistics {
  float max = 0;
  float sum = 0;
  float moment = 0;
  [[nodiscard]] float log_prob(float scaled_logit) const;  // of a token with logit / t = scaled_logit
  [[nodiscard]] float entropy() const;                     // nats
};

template <typename T>
struct Table {
  // y = x / rms(x) * w (Zhang & Sennrich 2019); rstd [rows] may be null.
  void (*rms_norm)(const T* x, const T* w, T* y, float* rstd, int64_t rows, int64_t width, float eps);
  // dx (added to), dw (fp32, added to).
  void (*rms_norm_backward)(const T* dy, const T* x, const T* w, const float* rstd, T* dx, float* dw, int64_t rows,
                            int64_t width);
  // qkv [rows, (H+2K)E] -> q [rows, H, E], k [rows, K, E] normalised per head (if q_norm) and rotated; v is read in place.
  void (*split_rotate)(const T* qkv, const T* q_norm, const T* k_norm, const float* cosine, const float* sine,
                       const int64_t* positions, T* q, T* k, int64_t rows, HeadShape shape, float eps);
  // Gradient of split_rotate: dq, dk, dv -> dqkv (written), d of the norm weights (fp32, added to).
  void (*split_rotate_backward)(const T* dq, const T* dk, const T* dv, const T* qkv, const T* q_norm, const T* k_norm,
                                const float* cosine, const float* sine, const int64_t* positions, T* dqkv, float* dq_norm,
                                float* dk_norm, int64_t rows, HeadShape shape, float eps);
  // Writes one position's k [K, E] and v [K, E] into a cache.
  void (*store_kv)(const T* k, const T* v, KvView<T> cache, int64_t position, HeadShape shape);
  // Softmax attention of `count` queries, scores scaled by `scale`.
  void (*attend)(const AttentionTask<T>* tasks, int64_t count, HeadShape shape, float scale);
  // y = silu(gate) * up of gate_up [rows, 2F].
  void (*swiglu)(const T* gate_up, T* y, int64_t rows, int64_t width);
  void (*swiglu_backward)(const T* dy, const T* gate_up, T* dgate_up, int64_t rows, int64_t width);
  LogitStatistics (*logit_statistics)(const T* logits, int64_t vocabulary, float inverse_temperature);
  // The token at which the cumulative probability passes `uniform` (inverted cumulative sum).
  int64_t (*draw)(const T* logits, int64_t vocabulary, float inverse_temperature, const LogitStatistics& statistics,
                  double uniform);
  // d loss / d logits from the gradients of the token's log-prob and of the entropy; in place over the logits.
  void (*logit_gradient)(T* logits, int64_t vocabulary, float inverse_temperature, const LogitStatistics& statistics,
                         int64_t token, float log_prob_gradient, float entropy_gradient);
  // <row, hidden> in fp32 [D].
  float (*dot)(const T* row, const T* hidden, int64_t width);
};

// Queries of one key-value head, in the order in which their gradients are added up, with what their own backward pass knows.
struct BackwardQueries {
  static constexpr int64_t kMost = 8;
  int64_t number = 0;
  float* queries = nullptr;        // [number, P] unscaled, 0 beyond E; likewise the next two
  float* out_gradients = nullptr;  // [number, P]
  float* gradients = nullptr;      // [number, P] added to
  float lse[kMost] = {};
  float delta[kMost] = {};     // <out, its gradient>
  int64_t counts[kMost] = {};  // keys that each attends to, never fewer than the one before it
};

// Keys and values of one sequence for one key-value head, fp32: rows [n, P] for sums over e, transposed blocks of 16 positions
// for sums over positions; gradients [n, P] are added to.
struct BackwardKeys {
  const float* key_rows = nullptr;
  const float* key_blocks = nullptr;
  const float* value_blocks = nullptr;
  float* key_gradients = nullptr;
  float* value_gradients = nullptr;
};

// Gradients of attention: with p = exp(score - lse), dp = <dout, v> and ds = p (dp - delta) scale, dq += ds k, dk += ds q,
// dv += p dout. Each sum goes over keys in their order, or over queries in theirs.
using AttendBackward = void (*)(const BackwardQueries& queries, const BackwardKeys& keys, float scale, int64_t dim);
AttendBackward attend_backward();

// The tables of the best instruction set this processor has: "avx512", "avx2" or "x86-64". MEDSBENCH_INSTRUCTION_SET in the
// environment asks for a lesser one; std::invalid_argument where the processor lacks it.
const Table<float>& table_fp32();
const Table<Bf16>& table_bf16();
const char* instruction_set();

}  // namespace harness::kernels
