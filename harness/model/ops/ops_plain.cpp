#include "harness/model/ops/ops_plain.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <cmath>

#include "harness/core/error.h"

namespace harness::ops::plain {

namespace {

// (a, b) -> (a cos - b sin, b cos + a sin) for the halves of each head: x [R, N, E].
torch::Tensor rotate(const torch::Tensor& x, const Rotary& rotary, const torch::Tensor& positions) {
  const auto c = rotary.cosine.index_select(0, positions).unsqueeze(1), s = rotary.sine.index_select(0, positions).unsqueeze(1);
  const auto halves = x.to(torch::kFloat32).chunk(2, -1);
  return torch::cat({halves[0] * c - halves[1] * s, halves[1] * c + halves[0] * s}, -1);
}

torch::Tensor head_norm(const torch::Tensor& x, const torch::Tensor& w, double eps) {
  if (!w.defined()) return x.to(torch::kFloat32);
  const auto wide = x.to(torch::kFloat32);
  return wide * torch::rsqrt(wide.square().mean(-1, true) + eps) * w.to(torch::kFloat32);
}

// Causal attention of one sequence after its prefix: q [n, H, E], k and v [m, K, E] with m >= n.
torch::Tensor attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v, kernels::HeadShape shape,
                        torch::Tensor* lse = nullptr) {
  const int64_t share = shape.heads / shape.kv_heads, n = q.size(0), m = k.size(0);
  const auto keys = k.repeat_interleave(share, 1).permute({1, 2, 0});                                   // [H, E, m]
  const auto values = v.repeat_interleave(share, 1).permute({1, 0, 2});                                 // [H, m, E]
  auto scores = torch::matmul(q.permute({1, 0, 2}), keys) / std::sqrt(static_cast<double>(shape.dim));  // [H, n, m]
  const auto mask = torch::ones({n, m}, q.options().dtype(torch::kBool)).triu(m - n + 1);
  scores = scores.masked_fill(mask, -std::numeric_limits<float>::infinity());
  if (lse != nullptr) *lse = torch::logsumexp(scores, -1).t();
  return torch::matmul(torch::softmax(scores, -1), values).permute({1, 0, 2});  // [n, H, E]
}

struct Heads {
  torch::Tensor q, k, v;  // fp32 [R, H, E], [R, K, E], [R, K, E]
};

Heads to_heads(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& qkv, kernels::HeadShape s) {
  const int64_t rows = q.size(0);
  return {q.view({rows, s.heads, s.dim}).to(torch::kFloat32), k.view({rows, s.kv_heads, s.dim}).to(torch::kFloat32),
          qkv.slice(1, (s.heads + s.kv_heads) * s.dim).reshape({rows, s.kv_heads, s.dim}).to(torch::kFloat32)};
}

}  // namespace

torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& w, double eps, torch::Tensor* rstd) {
  const auto wide = x.to(torch::kFloat32);
  const auto r = torch::rsqrt(wide.square().mean(-1) + eps);
  if (rstd != nullptr) *rstd = r;
  return (wide * r.unsqueeze(-1) * w.to(torch::kFloat32)).to(x.dtype());
}

void rms_norm_backward(const torch::Tensor& dy, const torch::Tensor& x, const torch::Tensor& w, const torch::Tensor& rstd,
                       torch::Tensor& dx, torch::Tensor& dw) {
  const auto g = dy.to(torch::kFloat32), wide = x.to(torch::kFloat32), r = rstd.unsqueeze(-1), gw = g * w.to(torch::kFloat32);
  const auto c = (gw * wide).sum(-1, true) * r.pow(3) / static_cast<double>(x.size(1));
  dx.add_((gw * r - wide * c).to(dx.dtype()));
  dw.add_((g * wide * r).sum(0));
}

std::pair<torch::Tensor, torch::Tensor> split_rotate(const torch::Tensor& qkv, const HeadNorms& norms, const Rotary& rotary,
                                                     const torch::Tensor& positions, kernels::HeadShape s) {
  const int64_t rows = qkv.size(0);
  const auto q = qkv.slice(1, 0, s.heads * s.dim).reshape({rows, s.heads, s.dim});
  const auto k = qkv.slice(1, s.heads * s.dim, (s.heads + s.kv_heads) * s.dim).reshape({rows, s.kv_heads, s.dim});
  return {rotate(head_norm(q, norms.q, norms.eps), rotary, positions).to(qkv.dtype()).reshape({rows, s.heads * s.dim}),
          rotate(head_norm(k, norms.k, norms.eps), rotary, positions).to(qkv.dtype()).reshape({rows, s.kv_heads * s.dim})};
}

torch::Tensor split_rotate_backward(const torch::Tensor& dq, const torch::Tensor& dk, const torch::Tensor& dv,
                                    const torch::Tensor& qkv, const HeadNorms& norms, const Rotary& rotary,
                                    const torch::Tensor& positions, kernels::HeadShape shape, torch::Tensor& dq_norm,
                                    torch::Tensor& dk_norm) {
  const torch::AutoGradMode enabled(true);
  const auto leaf = [](const torch::Tensor& tensor) {
    return tensor.defined() ? tensor.detach().to(torch::kFloat32).requires_grad_(true) : tensor;
  };
  const auto x = leaf(qkv);
  const HeadNorms leaves{leaf(norms.q), leaf(norms.k), norms.eps};
  const auto [q, k] = plain::split_rotate(x, leaves, rotary, positions, shape);
  std::vector<torch::Tensor> inputs = {x};
  if (norms.q.defined()) inputs.insert(inputs.end(), {leaves.q, leaves.k});
  const std::vector<torch::Tensor> outputs = {q, k};
  const std::vector<torch::Tensor> output_gradients = {dq.to(torch::kFloat32).view_as(q), dk.to(torch::kFloat32).view_as(k)};
  const auto gradients = torch::autograd::grad(outputs, inputs, output_gradients);
  if (norms.q.defined()) {
    dq_norm.add_(gradients[1]);
    dk_norm.add_(gradients[2]);
  }
  auto dqkv = gradients[0].clone();
  dqkv.slice(1, (shape.heads + shape.kv_heads) * shape.dim).copy_(dv.view({qkv.size(0), -1}));
  return dqkv.to(qkv.dtype());
}

torch::Tensor attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& qkv,
                     const std::vector<RowPlace>& places, int64_t store_layer, kernels::HeadShape shape, torch::Tensor* lse) {
  const Heads heads = to_heads(q, k, qkv, shape);
  const auto rows = static_cast<int64_t>(places.size());
  torch::Tensor out = torch::zeros_like(heads.q);
  if (lse != nullptr) *lse = torch::zeros({q.size(0), shape.heads}, heads.q.options());
  for (int64_t begin = 0; begin < rows;) {  // rows of one slot with rising positions are one sequence
    const RowPlace& first = places[static_cast<size_t>(begin)];
    int64_t end = begin + 1;
    while (end < rows && places[static_cast<size_t>(end)].own == first.own &&
           places[static_cast<size_t>(end)].own_slot == first.own_slot &&
           places[static_cast<size_t>(end)].own_position == first.own_position + (end - begin)) {
      ++end;
    }
    first.own->write(store_layer, first.own_slot, first.own_position, heads.k.slice(0, begin, end),
                     heads.v.slice(0, begin, end));
    auto [keys, values] = first.own->read(store_layer, first.own_slot, first.own_position + (end - begin));
    if (first.prefix != nullptr) {
      const auto [prefix_keys, prefix_values] = first.prefix->read(store_layer, first.prefix_slot, first.prefix_count);
      keys = torch::cat({prefix_keys, keys});
      values = torch::cat({prefix_values, values});
    }
    torch::Tensor part_lse;
    out.slice(0, begin, end).copy_(attention(heads.q.slice(0, begin, end), keys, values, shape, lse ? &part_lse : nullptr));
    if (lse != nullptr) lse->slice(0, begin, end).copy_(part_lse);
    begin = end;
  }
  return out.to(q.dtype()).view({q.size(0), -1});
}

AttentionGradients attend_backward(const torch::Tensor& dout, const torch::Tensor& q, const torch::Tensor& k,
                                   const torch::Tensor& qkv, const std::vector<AttentionSpan>& spans,
                                   kernels::HeadShape shape) {
  const torch::AutoGradMode enabled(true);
  const Heads heads = to_heads(q, k, qkv, shape);
  const auto wide = dout.to(torch::kFloat32).view_as(heads.q);
  torch::Tensor dq = torch::zeros_like(heads.q), dk = torch::zeros_like(heads.k), dv = torch::zeros_like(heads.k);
  for (const AttentionSpan& span : spans) {
    const auto part = [&](const torch::Tensor& all) {
      const auto own = all.slice(0, span.begin, span.begin + span.length);
      if (span.prefix < 0) return own.detach().requires_grad_(true);
      const AttentionSpan& prefix = spans[static_cast<size_t>(span.prefix)];
      return torch::cat({all.slice(0, prefix.begin, prefix.begin + prefix.length), own}).detach().requires_grad_(true);
    };
    const auto query = heads.q.slice(0, span.begin, span.begin + span.length).detach().requires_grad_(true);
    const auto keys = part(heads.k), values = part(heads.v);
    const auto gradients = torch::autograd::grad({attention(query, keys, values, shape)}, {query, keys, values},
                                                 {wide.slice(0, span.begin, span.begin + span.length)});
    dq.slice(0, span.begin, span.begin + span.length).add_(gradients[0]);
    const int64_t before = keys.size(0) - span.length;
    dk.slice(0, span.begin, span.begin + span.length).add_(gradients[1].slice(0, before));
    dv.slice(0, span.begin, span.begin + span.length).add_(gradients[2].slice(0, before));
    if (span.prefix >= 0) {
      const AttentionSpan& prefix = spans[static_cast<size_t>(span.prefix)];
      dk.slice(0, prefix.begin, prefix.begin + prefix.length).add_(gradients[1].slice(0, 0, before));
      dv.slice(0, prefix.begin, prefix.begin + prefix.length).add_(gradients[2].slice(0, 0, before));
    }
  }
  const auto flat = [&](const torch::Tensor& tensor) { return tensor.to(q.dtype()).reshape({q.size(0), -1}); };
  return {flat(dq), flat(dk), flat(dv)};
}

torch::Tensor swiglu(const torch::Tensor& gate_up) {
  const auto parts = gate_up.to(torch::kFloat32).chunk(2, -1);
  return (torch::silu(parts[0]) * parts[1]).to(gate_up.dtype());
}

torch::Tensor swiglu_backward(const torch::Tensor& dy, const torch::Tensor& gate_up) {
  const auto parts = gate_up.to(torch::kFloat32).chunk(2, -1);
  const auto g = dy.to(torch::kFloat32), sigmoid = torch::sigmoid(parts[0]);
  return torch::cat({g * parts[1] * sigmoid * (1 + parts[0] * (1 - sigmoid)), g * parts[0] * sigmoid}, -1).to(gate_up.dtype());
}

}  // namespace harness::ops::plain
