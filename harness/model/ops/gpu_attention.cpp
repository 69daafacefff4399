#include <torch/types.h>

#include <cmath>

#include "harness/core/error.h"
#include "harness/model/ops/attention_tasks.h"
#include "harness/model/ops/gpu.h"
#include "harness/model/ops/gpu_tensors.h"

namespace harness {

namespace {

using ops::gpu::at;
using ops::gpu::Upload;

torch::Tensor index_at(const torch::Tensor& bytes, size_t offset, int64_t count) {
  const auto begin = static_cast<int64_t>(offset);
  return bytes.slice(0, begin, begin + count * static_cast<int64_t>(sizeof(int64_t))).view(torch::kInt64);
}

}  // namespace

PassRows PassRows::send(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions, std::vector<RowPlace> places,
                        int64_t padded, kernels::HeadShape shape, torch::Device device) {
#ifdef MEDSBENCH_CUDA
  if (device.is_cuda() && ops::gpu::fits(shape)) {
    return ops::gpu::send_rows(ids, positions, std::move(places), padded, shape, device);
  }
#else
  (void)shape;
#endif
  Upload upload;
  const size_t ids_at = upload.add(ids, padded), positions_at = upload.add(positions, padded);
  const torch::Tensor sent = upload.to(device);
  return {std::move(places), index_at(sent, ids_at, padded), index_at(sent, positions_at, padded), nullptr, nullptr, false};
}

PassRows PassRows::send_packed(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions,
                               const std::vector<ops::AttentionSpan>& spans, std::vector<RowPlace> places, int64_t padded,
                               kernels::HeadShape shape, torch::Device device, const ops::gpu::Kernels* host) {
  Upload upload;
  const size_t ids_at = upload.add(ids, padded), positions_at = upload.add(positions, padded);
  std::shared_ptr<ops::gpu::SentTasks> tasks;
  size_t keys_at = 0, values_at = 0, steps_at = 0;
  if (!places.empty()) {
    AttentionTasks made;
    made.assign_places(places, padded);
    tasks = std::make_shared<ops::gpu::SentTasks>();
    keys_at = upload.add(made.key_places), values_at = upload.add(made.value_places), steps_at = upload.add(made.layer_bytes);
  }
  const torch::Tensor sent = upload.to(device);
  if (tasks != nullptr) {
    tasks->host = host;
    tasks->bytes = sent;
    tasks->key_places = at<uint64_t>(sent, keys_at);
    tasks->value_places = at<uint64_t>(sent, values_at);
    tasks->layer_bytes = at<uint64_t>(sent, steps_at);
  }
  return {std::move(places),
          index_at(sent, ids_at, padded),
          index_at(sent, positions_at, padded),
          tasks,
          ops::gpu::send_spans(spans, padded, shape, device, host),
          false};
}

namespace ops::gpu {

PassRows send_rows(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions, std::vector<RowPlace> places,
                   int64_t padded, kernels::HeadShape shape, torch::Device device) {
  AttentionTasks made;
  made.assign(places, padded, {shape.heads, shape.kv_heads, shape.dim});
  Upload upload;
  const size_t ids_at = upload.add(ids, padded), positions_at = upload.add(positions, padded),
               tasks_at = upload.add(made.tasks), parts_at = upload.add(made.row_parts), keys_at = upload.add(made.key_places),
               values_at = upload.add(made.value_places), steps_at = upload.add(made.layer_bytes);
  auto sent = std::make_shared<SentTasks>();
  sent->bytes = upload.to(device);
  sent->tasks = at<cuda::AttentionTask>(sent->bytes, tasks_at);
  sent->row_parts = at<int32_t>(sent->bytes, parts_at);
  sent->key_places = at<uint64_t>(sent->bytes, keys_at);
  sent->value_places = at<uint64_t>(sent->bytes, values_at);
  sent->layer_bytes = at<uint64_t>(sent->bytes, steps_at);
  sent->task_count = static_cast<int64_t>(made.tasks.size());
  sent->parts = made.parts;
  return {std::move(places),
          index_at(sent->bytes, ids_at, padded),
          index_at(sent->bytes, positions_at, padded),
          sent,
          nullptr,
          false};
}

torch::Tensor attend(const Kernels& kernels, const torch::Tensor& q, const SentTasks& tasks, int64_t store_layer,
                     kernels::HeadShape shape, torch::Tensor* lse) {
  MEDSBENCH_CHECK(q.is_contiguous(), "queries with gaps");
  const int64_t rows = q.size(0);
  const auto fp32 = q.options().dtype(torch::kFloat32);
  const torch::Tensor part_out = torch::empty({rows, tasks.parts, shape.heads, shape.dim}, fp32);
  const torch::Tensor part_max = torch::empty({rows, tasks.parts, shape.heads}, fp32), part_sum = torch::empty_like(part_max);
  torch::Tensor out = torch::empty_like(q);
  if (lse != nullptr) *lse = torch::empty({rows, shape.heads}, fp32);
  const auto run = [&](const auto& table, auto tag) {
    using T = decltype(tag);
    cuda::Attention<T> a;
    a.q = static_cast<const T*>(q.data_ptr());
    a.out = static_cast<T*>(out.data_ptr());
    a.lse = lse != nullptr ? lse->data_ptr<float>() : nullptr;
    a.tasks = tasks.tasks;
    a.row_parts = tasks.row_parts;
    a.part_out = part_out.data_ptr<float>();
    a.part_max = part_max.data_ptr<float>();
    a.part_sum = part_sum.data_ptr<float>();
    a.rows = rows;
    a.task_count = tasks.task_count;
    a.parts = tasks.parts;
    a.shape = {shape.heads, shape.kv_heads, shape.dim};
    a.scale = 1.0f / std::sqrt(static_cast<float>(shape.dim));
    a.layer = store_layer;
    table.attend(a, kernels.stream);
  };
  if (q.scalar_type() == torch::kFloat32) {
    run(*kernels.fp32, float{});
  } else {
    run(*kernels.bf16, Bf16{});
  }
  return out;
}

torch::Tensor attend_packed(const Kernels& kernels, const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& qkv,
                            const SentSpans& spans, kernels::HeadShape shape, torch::Tensor* lse) {
  MEDSBENCH_CHECK(spans.rows == q.size(0), "tasks of {} rows for {}", spans.rows, q.size(0));
  torch::Tensor out = torch::empty_like(q);
  if (lse != nullptr) *lse = torch::empty({q.size(0), shape.heads}, fp32_like(q));
  by_dtype(kernels, q, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    cuda::PackedAttention<T> a;
    a.q = data<T>(q);
    a.k = data<T>(k);
    a.v = data<T>(qkv) + q.size(1) + k.size(1);
    a.v_stride = qkv.size(1);
    a.out = data<T>(out);
    a.lse = lse != nullptr ? data<float>(*lse) : nullptr;
    a.tasks = spans.packed;
    a.task_count = spans.packed_count;
    a.shape = heads_of(shape);
    a.scale = 1.0f / std::sqrt(static_cast<float>(shape.dim));
    table.attend_packed(a, kernels.stream);
  });
  return out;
}

}  // namespace ops::gpu

}  // namespace harness
