// The operations of a layer on tensors: the CPU kernels over rows in parallel, on a GPU those of harness/cuda (gpu.h), and
// where there is no kernel the same written plainly in LibTorch (ops_plain.cpp), which is also what both are tested against.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "harness/model/cpu/row_kernels.h"
#include "harness/model/ops/kv_store.h"
#include "harness/model/ops/pass_rows.h"

namespace harness::ops {

// y [R, D] = x / rms(x) * w; rstd [R] fp32 where asked for.
torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& w, double eps, torch::Tensor* rstd = nullptr);
// Adds to dx [R, D] and to dw [D] fp32.
void rms_norm_backward(const torch::Tensor& dy, const torch::Tensor& x, const torch::Tensor& w, const torch::Tensor& rstd,
                       torch::Tensor& dx, torch::Tensor& dw);

struct Rotary {
  torch::Tensor cosine, sine;  // [positions, E/2] fp32
};
struct HeadNorms {
  torch::Tensor q, k;  // [E]; undefined: no norm
  double eps = 1e-6;
};
// qkv [R, (H + 2K) E] -> q [R, H E], k [R, K E], normalised per head and rotated. With `tasks` keys and values go to their
// places in a layer of the stores at once (PassRows).
std::pair<torch::Tensor, torch::Tensor> split_rotate(const torch::Tensor& qkv, const HeadNorms& norms, const Rotary& rotary,
                                                     const torch::Tensor& positions, kernels::HeadShape shape,
                                                     const gpu::SentTasks* tasks = nullptr, int64_t store_layer = 0);
// Returns dqkv [R, (H + 2K) E]; adds to the norms' gradients [E] fp32 (ignored where there is no norm). On a GPU dq, dk and dv
// as attend_backward returns them are overwritten.
torch::Tensor split_rotate_backward(const torch::Tensor& dq, const torch::Tensor& dk, const torch::Tensor& dv,
                                    const torch::Tensor& qkv, const HeadNorms& norms, const Rotary& rotary,
                                    const torch::Tensor& positions, kernels::HeadShape shape, torch::Tensor& dq_norm,
                                    torch::Tensor& dk_norm);

// Stores each row's key and value at its place, unless rotation has (PassRows), then attends: [R', H E], zero for rows beyond
// places.size() or, where attention goes by spans, of none. `lse` [R, H].
torch::Tensor attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& qkv, const PassRows& pass,
                     int64_t store_layer, kernels::HeadShape shape, torch::Tensor* lse = nullptr);

// Rows of one sequence for the backward pass: its own rows and those of its prefix.
struct AttentionSpan {
  int64_t begin = 0, length = 0;
  int64_t prefix = -1;  // index of the span of its prefix; -1: none
};
struct AttentionGradients {
  torch::Tensor dq, dk, dv;  // [R', H E], [R', K E], [R', K E]
};
// What a GPU needs of the spans, for all layers of a pass; null where attention has no kernels of ours. `rows` with padding.
std::shared_ptr<const gpu::SentSpans> send_spans(const std::vector<AttentionSpan>& spans, int64_t rows,
                                                 kernels::HeadShape shape, torch::Device device);
// True where attention of packed rows to one another goes by spans (PassRows): on a GPU in bf16, by the tensor cores. In fp32,
// and where sampled and recomputed log-probs must be equal bit for bit (`strict`), it goes by the places of a store instead, in
// the parts and order of decoding.
bool attends_by_spans(kernels::HeadShape shape, torch::Dtype dtype, torch::Device device, bool strict);
// `sent`: of these spans; null: sent here where needed.
AttentionGradients attend_backward(const torch::Tensor& dout, const torch::Tensor& out, const torch::Tensor& lse,
                                   const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& qkv,
                                   const std::vector<AttentionSpan>& spans, kernels::HeadShape shape,
                                   const gpu::SentSpans* sent = nullptr);

// Whether `linear` over a depth K is a product of ours, in which rows do not depend on their number: on the CPU in fp32, and in
// bf16 where the processor multiplies pairs of them (products.h) and K is even. LibTorch multiplies otherwise.
bool own_products(torch::Dtype dtype, torch::Device device, int64_t depth);
// y [R, N] = x [R, K] w^T (+ bias [N] or residual [R, N]) for w [N, K].
torch::Tensor linear(const torch::Tensor& x, const torch::Tensor& w, const torch::Tensor& bias = {},
                     const torch::Tensor& residual = {});
// dx [R, K] = dy [R, N] w.
torch::Tensor input_gradient(const torch::Tensor& dy, const torch::Tensor& w);
// grad [N, K] fp32 += dy^T x, over the rows in their order.
void add_weight_gradient(torch::Tensor& grad, const torch::Tensor& dy, const torch::Tensor& x);

// grad [N] fp32 += the sum of dy [R, N] over its rows.
void add_bias_gradient(torch::Tensor& grad, const torch::Tensor& dy);

// silu(gate) * up of gate_up [R, 2F] -> [R, F].
torch::Tensor swiglu(const torch::Tensor& gate_up);
// dy [R, F] -> d gate_up [R, 2F].
torch::Tensor swiglu_backward(const torch::Tensor& dy, const torch::Tensor& gate_up);

}  // namespace harness::ops
