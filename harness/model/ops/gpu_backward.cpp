#include <torch/types.h>

#include <cmath>

#include "harness/cuda/attention_plan.h"
#include "harness/model/ops/gpu.h"
#include "harness/model/ops/gpu_tensors.h"

namespace harness::ops::gpu {

namespace {

// dqkv [R, (H + 2K) E] where dq, dk and dv are its parts, undefined where they are not.
torch::Tensor whole_of(const torch::Tensor& dq, const torch::Tensor& dk, const torch::Tensor& dv, const torch::Tensor& qkv) {
  const int64_t width = qkv.size(1), size = qkv.element_size();
  for (const torch::Tensor* part : {&dq, &dk, &dv}) {
    if (part->scalar_type() != qkv.scalar_type() || part->stride(0) != width || part->stride(1) != 1) return {};
  }
  const auto* first = static_cast<const char*>(dq.data_ptr());
  if (!dq.storage().is_alias_of(dk.storage()) || !dq.storage().is_alias_of(dv.storage())) return {};
  if (dk.data_ptr() != first + dq.size(1) * size || dv.data_ptr() != first + (dq.size(1) + dk.size(1)) * size) return {};
  return dq.as_strided({dq.size(0), width}, {width, 1}, dq.storage_offset());
}

}  // namespace

std::shared_ptr<const SentSpans> send_spans(const std::vector<AttentionSpan>& spans, int64_t rows, kernels::HeadShape shape,
                                            torch::Device device, const Kernels* host) {
  std::vector<cuda::PackedSpan> packed;
  for (const AttentionSpan& span : spans) packed.push_back({span.begin, span.length, span.prefix});
  const cuda::BackwardPlan plan = cuda::plan_attention_backward(packed, rows, heads_of(shape));
  Upload upload;
  const std::vector<cuda::QueryTask> tasks = cuda::plan_packed_attention(packed, rows, heads_of(shape));
  const size_t packed_at = upload.add(tasks), queries_at = upload.add(plan.queries), keys_at = upload.add(plan.keys),
               joins_at = upload.add(plan.joins);
  auto sent = std::make_shared<SentSpans>();
  sent->host = host;
  sent->bytes = upload.to(device);
  sent->packed = at<cuda::QueryTask>(sent->bytes, packed_at);
  sent->queries = at<cuda::QueryTask>(sent->bytes, queries_at);
  sent->keys = at<cuda::KeyTask>(sent->bytes, keys_at);
  sent->joins = at<cuda::KeyJoin>(sent->bytes, joins_at);
  sent->packed_count = static_cast<int64_t>(tasks.size());
  sent->query_count = static_cast<int64_t>(plan.queries.size());
  sent->key_count = static_cast<int64_t>(plan.keys.size());
  sent->join_count = static_cast<int64_t>(plan.joins.size());
  sent->parts = plan.parts;
  sent->rows = rows;
  return sent;
}

AttentionGradients attend_backward(const Kernels& kernels, const torch::Tensor& dout, const torch::Tensor& out,
                                   const torch::Tensor& lse, const torch::Tensor& q, const torch::Tensor& k,
                                   const torch::Tensor& qkv, const SentSpans& spans, kernels::HeadShape shape) {
  const int64_t rows = q.size(0), width = qkv.size(1), q_width = q.size(1), k_width = k.size(1);
  MEDSBENCH_CHECK(spans.rows == rows, "tasks of {} rows for {}", spans.rows, rows);
  const torch::Tensor gradient = dout.to(q.dtype()).contiguous(), dqkv = torch::empty({rows, width}, qkv.options());
  const torch::Tensor delta = torch::empty({rows, shape.heads}, fp32_like(q));
  const torch::Tensor part_sums =
      torch::empty({spans.parts, shape.kv_heads, 2, cuda::attention_tile(heads_of(shape)), shape.dim}, fp32_like(q));
  by_dtype(kernels, q, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    cuda::AttentionBackward<T> a;
    a.dout = data<T>(gradient);
    a.out = data<T>(out);
    a.lse = data<float>(lse);
    a.q = data<T>(q);
    a.k = data<T>(k);
    a.v = data<T>(qkv) + q_width + k_width;
    a.v_stride = a.gradient_stride = width;
    a.dq = data<T>(dqkv);
    a.dk = a.dq + q_width;
    a.dv = a.dk + k_width;
    a.delta = data<float>(delta);
    a.part_sums = data<float>(part_sums);
    a.query_tasks = spans.queries;
    a.key_tasks = spans.keys;
    a.joins = spans.joins;
    a.query_task_count = spans.query_count;
    a.key_task_count = spans.key_count;
    a.join_count = spans.join_count;
    a.rows = rows;
    a.shape = heads_of(shape);
    a.scale = 1.0f / std::sqrt(static_cast<float>(shape.dim));
    table.attend_backward(a, kernels.stream);
  });
  return {dqkv.slice(1, 0, q_width), dqkv.slice(1, q_width, q_width + k_width), dqkv.slice(1, q_width + k_width)};
}

torch::Tensor split_rotate_backward(const Kernels& kernels, const torch::Tensor& dq, const torch::Tensor& dk,
                                    const torch::Tensor& dv, const torch::Tensor& qkv, const HeadNorms& norms,
                                    const Rotary& rotary, const torch::Tensor& positions, kernels::HeadShape shape,
                                    torch::Tensor& dq_norm, torch::Tensor& dk_norm) {
  const int64_t rows = qkv.size(0);
  const torch::Tensor whole = whole_of(dq, dk, dv, qkv);
  const auto part = [&](const torch::Tensor& tensor) { return whole.defined() ? tensor : tensor.to(qkv.dtype()).contiguous(); };
  const torch::Tensor q = part(dq), k = part(dk), v = part(dv), dqkv = whole.defined() ? whole : torch::empty_like(qkv);
  MEDSBENCH_CHECK(k.stride(0) == v.stride(0), "strides {} and {}", k.stride(0), v.stride(0));
  torch::Tensor workspace;
  if (norms.q.defined()) workspace = torch::empty({cuda::rotate_chunks(rows), 2, shape.dim}, fp32_like(qkv));
  by_dtype(kernels, qkv, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    cuda::SplitRotateBackward<T> a;
    a.dq = static_cast<const T*>(q.data_ptr());  // rows with others between them where they are parts
    a.dk = static_cast<const T*>(k.data_ptr());
    a.dv = static_cast<const T*>(v.data_ptr());
    a.q_stride = q.stride(0);
    a.kv_stride = k.stride(0);
    a.cosine = data<float>(rotary.cosine);
    a.sine = data<float>(rotary.sine);
    a.positions = data<int64_t>(positions);
    a.dqkv = data<T>(dqkv);
    if (norms.q.defined()) {
      a.qkv = data<T>(qkv);
      a.q_norm = data<T>(norms.q);
      a.k_norm = data<T>(norms.k);
      a.dq_norm = data<float>(dq_norm);
      a.dk_norm = data<float>(dk_norm);
      a.workspace = data<float>(workspace);
    }
    a.rows = rows;
    a.shape = heads_of(shape);
    a.eps = static_cast<float>(norms.eps);
    table.split_rotate_backward(a, kernels.stream);
  });
  return dqkv;
}

}  // namespace harness::ops::gpu
