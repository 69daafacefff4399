// The operations of a layer by the kernels of harness/cuda: tensors to pointers, rows to attention tasks.
//
// The same binding runs the kernels on a GPU and, in tests, their bodies as loops on the CPU. Operations that have no kernel of
// their own (matrix products) stay with LibTorch.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "harness/cuda/kernels.h"
#include "harness/model/ops/ops.h"

namespace harness::ops::gpu {

// The tables of the kernels and the stream they are started on.
struct Kernels {
  const cuda::Table<float>* fp32 = nullptr;
  const cuda::Table<Bf16>* bf16 = nullptr;
  void* stream = nullptr;
};
// For a tensor on a GPU: its current stream. Empty for any other tensor, and where the program was built without CUDA.
std::optional<Kernels> kernels_for(const torch::Tensor& tensor);

// What the kernels cannot hold stays with LibTorch.
bool fits(kernels::HeadShape shape);       // heads of at most 256 values, at most 16 query heads a key-value head
bool fits_vocabulary(int64_t vocabulary);  // at most cuda::kLargestVocabulary

// As in ops.h, by the kernels given.
torch::Tensor rms_norm(const Kernels& kernels, const torch::Tensor& x, const torch::Tensor& w, double eps, torch::Tensor* rstd);
void rms_norm_backward(const Kernels& kernels, const torch::Tensor& dy, const torch::Tensor& x, const torch::Tensor& w,
                       const torch::Tensor& rstd, torch::Tensor& dx, torch::Tensor& dw);

// Tasks of a pass on the device (AttentionTasks), for all its layers.
struct SentTasks {
  const Kernels* host = nullptr;  // what works on them where they lie on the CPU: only tests send them there
  torch::Tensor bytes;            // holds what follows
  const cuda::AttentionTask* tasks = nullptr;
  const int32_t* row_parts = nullptr;
  const uint64_t *key_places = nullptr, *value_places = nullptr, *layer_bytes = nullptr;
  int64_t task_count = 0, parts = 1;
};
// As PassRows::send, with tasks on any device. The stores of `places` hold plain rows (KvStore).
PassRows send_rows(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions, std::vector<RowPlace> places,
                   int64_t padded, kernels::HeadShape shape, torch::Device device);

// `tasks`: null, or where keys and values go.
std::pair<torch::Tensor, torch::Tensor> split_rotate(const Kernels& kernels, const torch::Tensor& qkv, const HeadNorms& norms,
                                                     const Rotary& rotary, const torch::Tensor& positions,
                                                     kernels::HeadShape shape, const SentTasks* tasks = nullptr,
                                                     int64_t store_layer = 0);
// Keys and values lie in their places already.
torch::Tensor attend(const Kernels& kernels, const torch::Tensor& q, const SentTasks& tasks, int64_t store_layer,
                     kernels::HeadShape shape, torch::Tensor* lse);
// Tasks of attention over packed rows (`packed`) and of its gradient on the device, for all layers of a pass.
struct SentSpans {
  const Kernels* host = nullptr;  // as in SentTasks
  torch::Tensor bytes;            // holds what follows
  const cuda::QueryTask* packed = nullptr;
  const cuda::QueryTask* queries = nullptr;
  const cuda::KeyTask* keys = nullptr;
  const cuda::KeyJoin* joins = nullptr;
  int64_t packed_count = 0, query_count = 0, key_count = 0, join_count = 0, parts = 0, rows = 0;
};
// `rows` of the tensors, padding included.
std::shared_ptr<const SentSpans> send_spans(const std::vector<AttentionSpan>& spans, int64_t rows, kernels::HeadShape shape,
                                            torch::Device device, const Kernels* host = nullptr);
// Attention of rows to one another: q [R, H E], k [R, K E] and the values among qkv [R, (H + 2K) E] -> [R, H E]; zero for rows
// of no span. `lse` [R, H] fp32; may be null.
torch::Tensor attend_packed(const Kernels& kernels, const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& qkv,
                            const SentSpans& spans, kernels::HeadShape shape, torch::Tensor* lse);
// dq, dk and dv are the parts of one tensor [R, (H + 2K) E].
AttentionGradients attend_backward(const Kernels& kernels, const torch::Tensor& dout, const torch::Tensor& out,
                                   const torch::Tensor& lse, const torch::Tensor& q, const torch::Tensor& k,
                                   const torch::Tensor& qkv, const SentSpans& spans, kernels::HeadShape shape);
// Where dq, dk and dv are such parts, that tensor becomes the result.
torch::Tensor split_rotate_backward(const Kernels& kernels, const torch::Tensor& dq, const torch::Tensor& dk,
                                    const torch::Tensor& dv, const torch::Tensor& qkv, const HeadNorms& norms,
                                    const Rotary& rotary, const torch::Tensor& positions, kernels::HeadShape shape,
                                    torch::Tensor& dq_norm, torch::Tensor& dk_norm);
// As in ops.h.
torch::Tensor swiglu(const Kernels& kernels, const torch::Tensor& gate_up);
torch::Tensor swiglu_backward(const Kernels& kernels, const torch::Tensor& dy, const torch::Tensor& gate_up);

struct DrawnTokens {
  torch::Tensor tokens;     // [R] int64, CPU
  torch::Tensor log_probs;  // [R] fp32, CPU, nats at report_temperature
  torch::Tensor entropies;  // [R] fp32, CPU, likewise
};
// One token a row of logits [R, V]: the inverted cumulative sum at `uniforms` [R], or greedy where there are none.
DrawnTokens draw_tokens(const Kernels& kernels, const torch::Tensor& logits, const std::vector<double>& uniforms,
                        double temperature, double report_temperature);
// log-probs and entropies [R] fp32 of targets [R] int64 under logits [R, V]; all on the logits' device.
std::pair<torch::Tensor, torch::Tensor> token_log_probs(const Kernels& kernels, const torch::Tensor& logits,
                                                        const torch::Tensor& targets, double temperature);
// The logits become the gradient; d log-prob [R] and d entropy [R] (may be undefined) fp32.
void logit_gradient(const Kernels& kernels, torch::Tensor& logits, const torch::Tensor& targets,
                    const torch::Tensor& log_prob_gradient, const torch::Tensor& entropy_gradient, double temperature);
// <head[tokens[r]], layers[l][r]> fp32 [R, L] on the layers' device; tokens [R] int64 there.
torch::Tensor readout(const Kernels& kernels, const torch::Tensor& head, const torch::Tensor& tokens,
                      const std::vector<torch::Tensor>& layers);

struct AdamWSettings {
  double lr = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  double gradient_scale = 1;
  int64_t step = 1;  // 1, 2, ...
};
// One step on fp32 master, moments and gradient; `parameter` becomes the rounded master unless it is the master itself.
void adamw(const Kernels& kernels, torch::Tensor& master, torch::Tensor& first, torch::Tensor& second,
           const torch::Tensor& gradient, torch::Tensor& parameter, const AdamWSettings& settings);

}  // namespace harness::ops::gpu
