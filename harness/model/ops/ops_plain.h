// The operations of ops.h written plainly in LibTorch: used on devices without kernels of ours, and the truth in their tests.
#pragma once

#include "harness/model/ops/ops.h"

namespace harness::ops::plain {

torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& w, double eps, torch::Tensor* rstd);
void rms_norm_backward(const torch::Tensor& dy, const torch::Tensor& x, const torch::Tensor& w, const torch::Tensor& rstd,
                       torch::Tensor& dx, torch::Tensor& dw);
std::pair<torch::Tensor, torch::Tensor> split_rotate(const torch::Tensor& qkv, const HeadNorms& norms, const Rotary& rotary,
                                                     const torch::Tensor& positions, kernels::HeadShape shape);
torch::Tensor split_rotate_backward(const torch::Tensor& dq, const torch::Tensor& dk, const torch::Tensor& dv,
                                    const torch::Tensor& qkv, const HeadNorms& norms, const Rotary& rotary,
                                    const torch::Tensor& positions, kernels::HeadShape shape, torch::Tensor& dq_norm,
                                    torch::Tensor& dk_norm);
torch::Tensor attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& qkv,
                     const std::vector<RowPlace>& places, int64_t store_layer, kernels::HeadShape shape, torch::Tensor* lse);
AttentionGradients attend_backward(const torch::Tensor& dout, const torch::Tensor& q, const torch::Tensor& k,
                                   const torch::Tensor& qkv, const std::vector<AttentionSpan>& spans, kernels::HeadShape shape);
torch::Tensor swiglu(const torch::Tensor& gate_up);
torch::Tensor swiglu_backward(const torch::Tensor& dy, const torch::Tensor& gate_up);

}  // namespace harness::ops::plain
