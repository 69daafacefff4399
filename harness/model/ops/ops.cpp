#include "harness/model/ops/ops.h"

#include <torch/types.h>

#include <cstring>

#include "harness/core/error.h"
#include "harness/model/cpu/parallel.h"
#include "harness/model/ops/gpu.h"
#include "harness/model/ops/ops_plain.h"

namespace harness::ops {

namespace {

template <typename T>
const kernels::Table<T>& table();
template <>
const kernels::Table<float>& table<float>() {
  static const kernels::Table<float>& chosen = kernels::table_fp32();
  return chosen;
}
template <>
const kernels::Table<Bf16>& table<Bf16>() {
  static const kernels::Table<Bf16>& chosen = kernels::table_bf16();
  return chosen;
}

template <typename T>
T* data(const torch::Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.data_ptr()) : nullptr;
}

bool use_kernels(const torch::Tensor& tensor) { return tensor.device().is_cpu(); }

// Calls body with a float or a Bf16 value, by the dtype of the tensor.
template <typename Body>
auto by_dtype(const torch::Tensor& tensor, Body&& body) {
  if (tensor.scalar_type() == torch::kFloat32) return body(float{});
  MEDSBENCH_CHECK(tensor.scalar_type() == torch::kBFloat16, "dtype {}", c10::toString(tensor.scalar_type()));
  return body(Bf16{});
}

// Of a GPU; on the CPU those that were sent with the tasks, if any.
template <typename Sent>
std::optional<gpu::Kernels> kernels_of(const torch::Tensor& tensor, const Sent* sent) {
  const auto there = gpu::kernels_for(tensor);
  if (there || sent == nullptr || sent->host == nullptr) return there;
  return *sent->host;
}

int64_t grain(int64_t work_per_row) { return std::max<int64_t>(1, 32768 / std::max<int64_t>(1, work_per_row)); }

}  // namespace

torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& w, double eps, torch::Tensor* rstd) {
  if (const auto gpu = gpu::kernels_for(x)) return gpu::rms_norm(*gpu, x, w, eps, rstd);
  if (!use_kernels(x)) return plain::rms_norm(x, w, eps, rstd);
  const int64_t rows = x.size(0), width = x.size(1);
  torch::Tensor y = torch::empty_like(x);
  if (rstd != nullptr) *rstd = torch::empty({rows}, torch::kFloat32);
  float* rstd_data = rstd != nullptr ? rstd->data_ptr<float>() : nullptr;
  by_dtype(x, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(0, rows, grain(width), [&](int64_t begin, int64_t end) {
      table<T>().rms_norm(data<T>(x) + begin * width, data<T>(w), data<T>(y) + begin * width,
                          rstd_data == nullptr ? nullptr : rstd_data + begin, end - begin, width, static_cast<float>(eps));
    });
  });
  return y;
}

void rms_norm_backward(const torch::Tensor& dy, const torch::Tensor& x, const torch::Tensor& w, const torch::Tensor& rstd,
                       torch::Tensor& dx, torch::Tensor& dw) {
  if (const auto gpu = gpu::kernels_for(x)) return gpu::rms_norm_backward(*gpu, dy, x, w, rstd, dx, dw);
  if (!use_kernels(x)) return plain::rms_norm_backward(dy, x, w, rstd, dx, dw);
  by_dtype(x, [&](auto tag) {  // one thread: dw is a sum over rows, in their order
    using T = decltype(tag);
    table<T>().rms_norm_backward(data<T>(dy), data<T>(x), data<T>(w), rstd.data_ptr<float>(), data<T>(dx), dw.data_ptr<float>(),
                                 x.size(0), x.size(1));
  });
}

std::pair<torch::Tensor, torch::Tensor> split_rotate(const torch::Tensor& qkv, const HeadNorms& norms, const Rotary& rotary,
                                                     const torch::Tensor& positions, kernels::HeadShape shape,
                                                     const gpu::SentTasks* tasks, int64_t store_layer) {
  if (const auto gpu = kernels_of(qkv, tasks)) {
    return gpu::split_rotate(*gpu, qkv, norms, rotary, positions, shape, tasks, store_layer);
  }
  if (!use_kernels(qkv)) return plain::split_rotate(qkv, norms, rotary, positions, shape);
  const int64_t rows = qkv.size(0);
  torch::Tensor q = torch::empty({rows, shape.heads * shape.dim}, qkv.options());
  torch::Tensor k = torch::empty({rows, shape.kv_heads * shape.dim}, qkv.options());
  by_dtype(qkv, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(0, rows, grain(qkv.size(1) * 4), [&](int64_t begin, int64_t end) {
      table<T>().split_rotate(data<T>(qkv) + begin * qkv.size(1), data<T>(norms.q), data<T>(norms.k),
                              rotary.cosine.data_ptr<float>(), rotary.sine.data_ptr<float>(),
                              positions.data_ptr<int64_t>() + begin, data<T>(q) + begin * q.size(1),
                              data<T>(k) + begin * k.size(1), end - begin, shape, static_cast<float>(norms.eps));
    });
  });
  return {q, k};
}

torch::Tensor split_rotate_backward(const torch::Tensor& dq, const torch::Tensor& dk, const torch::Tensor& dv,
                                    const torch::Tensor& qkv, const HeadNorms& norms, const Rotary& rotary,
                                    const torch::Tensor& positions, kernels::HeadShape shape, torch::Tensor& dq_norm,
                                    torch::Tensor& dk_norm) {
  if (const auto gpu = gpu::kernels_for(qkv); gpu && gpu::fits(shape)) {
    return gpu::split_rotate_backward(*gpu, dq, dk, dv, qkv, norms, rotary, positions, shape, dq_norm, dk_norm);
  }
  if (!use_kernels(qkv)) {
    return plain::split_rotate_backward(dq, dk, dv, qkv, norms, rotary, positions, shape, dq_norm, dk_norm);
  }
  const torch::Tensor q = dq.contiguous(), k = dk.contiguous(), v = dv.contiguous();
  torch::Tensor dqkv = torch::empty_like(qkv);
  by_dtype(qkv, [&](auto tag) {  // one thread: the norms' gradients are sums over rows
    using T = decltype(tag);
    table<T>().split_rotate_backward(data<T>(q), data<T>(k), data<T>(v), data<T>(qkv), data<T>(norms.q), data<T>(norms.k),
                                     rotary.cosine.data_ptr<float>(), rotary.sine.data_ptr<float>(),
                                     positions.data_ptr<int64_t>(), data<T>(dqkv), data<float>(dq_norm), data<float>(dk_norm),
                                     qkv.size(0), shape, static_cast<float>(norms.eps));
  });
  return dqkv;
}

torch::Tensor attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& qkv, const PassRows& pass,
                     int64_t store_layer, kernels::HeadShape shape, torch::Tensor* lse) {
  const std::vector<RowPlace>& places = pass.places;
  if (pass.spans != nullptr) {
    return gpu::attend_packed(*kernels_of(q, pass.spans.get()), q, k, qkv, *pass.spans, shape, lse);
  }
  if (pass.tasks != nullptr) return gpu::attend(*gpu::kernels_for(q), q, *pass.tasks, store_layer, shape, lse);
  const bool plain_rows = !places.empty() && places.front().own->plain_rows();
  if (!use_kernels(q) || plain_rows) return plain::attend(q, k, qkv, places, store_layer, shape, lse);
  const auto rows = static_cast<int64_t>(places.size());
  torch::Tensor out = torch::empty_like(q);
  if (rows < q.size(0)) out.slice(0, rows).zero_();
  if (lse != nullptr) *lse = torch::zeros({q.size(0), shape.heads}, torch::kFloat32);
  float* lse_data = lse != nullptr ? lse->data_ptr<float>() : nullptr;
  const float scale = 1.0f / std::sqrt(static_cast<float>(shape.dim));
  by_dtype(q, [&](auto tag) {
    using T = decltype(tag);
    const int64_t k_width = shape.kv_heads * shape.dim, q_width = shape.heads * shape.dim, qkv_width = qkv.size(1);
    const T *queries = data<T>(q), *keys = data<T>(k), *values = data<T>(qkv) + q_width + k_width;
    T* outs = data<T>(out);
    const auto task_of = [&](int64_t row) {
      const RowPlace& place = places[static_cast<size_t>(row)];
      kernels::AttentionTask<T> task;
      task.query = queries + row * q_width;
      task.out = outs + row * q_width;
      task.lse = lse_data == nullptr ? nullptr : lse_data + row * shape.heads;
      task.own = place.own->view<T>(store_layer, place.own_slot);
      if (pass.apart) task.key = keys + row * k_width, task.value = values + row * qkv_width;
      task.own_count = place.own_position + 1;
      if (place.prefix != nullptr) {
        const auto prefix = place.prefix->view<T>(store_layer, place.prefix_slot);
        task.prefix = {prefix.keys, prefix.values, prefix.capacity};
        task.prefix_count = place.prefix_count;
      }
      return task;
    };
    std::vector<kernels::AttentionTask<T>> tasks;
    tasks.reserve(places.size());
    for (int64_t row = 0; row < rows; ++row) {
      tasks.push_back(task_of(row));
      if (pass.apart) continue;
      const auto& task = tasks.back();
      table<T>().store_kv(keys + row * k_width, values + row * qkv_width, task.own, task.own_count - 1, shape);
    }
    parallel_for(0, rows, 4,
                 [&](int64_t begin, int64_t end) { table<T>().attend(tasks.data() + begin, end - begin, shape, scale); });
  });
  return out;
}

namespace {

// Rows of the tape have left the caches, and a head's part of each lies too far from the last for processors to foresee: it is
// asked for so many rows ahead.
constexpr int64_t kAhead = 8;

// fp32 copies of one key-value head of one span, and room for its gradients (kernels::BackwardKeys).
struct HeadSpan {
  std::vector<float> key_rows, key_blocks, value_blocks, dk, dv;

  template <typename T>
  void fill(const T* keys, int64_t key_stride, const T* values, int64_t value_stride, int64_t length, int64_t dim) {
    const int64_t padded = (dim + 15) / 16 * 16, blocks = (length + 15) / 16 * 16;
    for (std::vector<float>* rows : {&key_rows, &dk, &dv}) rows->assign(static_cast<size_t>(length * padded), 0);
    for (std::vector<float>* block : {&key_blocks, &value_blocks}) block->assign(static_cast<size_t>(blocks * dim), 0);
    for (int64_t j = 0; j < length; ++j) {
      __builtin_prefetch(keys + (j + kAhead) * key_stride);
      __builtin_prefetch(values + (j + kAhead) * value_stride);
      float* row = key_rows.data() + j * padded;
      float* key_block = key_blocks.data() + j / 16 * 16 * dim + j % 16;
      float* value_block = value_blocks.data() + j / 16 * 16 * dim + j % 16;
      for (int64_t e = 0; e < dim; ++e) {
        const float key = to_float(keys[j * key_stride + e]);
        row[e] = key;
        key_block[e * 16] = key;
        value_block[e * 16] = to_float(values[j * value_stride + e]);
      }
    }
  }

  [[nodiscard]] kernels::BackwardKeys keys() {
    return {key_rows.data(), key_blocks.data(), value_blocks.data(), dk.data(), dv.data()};
  }
};

// What the backward pass of attention reads and writes: [R', H E] and [R', K E] side by side, gradients in fp32.
template <typename T>
struct BackwardRows {
  const T *dout, *out, *q, *k, *qkv;
  const float* lse;
  float *dq, *dk, *dv;
};

// All sequences that share one prefix (or one sequence without), for one key-value head. `members` begins with the root.
template <typename T>
void attend_backward_family(const BackwardRows<T>& rows, const std::vector<AttentionSpan>& spans,
                            const std::vector<int64_t>& members, int64_t kv, kernels::HeadShape s) {
  static const kernels::AttendBackward backward = kernels::attend_backward();
  constexpr int64_t kMost = kernels::BackwardQueries::kMost;
  const int64_t padded = s.padded(), share = s.heads / s.kv_heads, q_width = s.heads * s.dim, k_width = s.kv_heads * s.dim;
  const int64_t qkv_width = q_width + 2 * k_width;
  const float scale = 1.0f / std::sqrt(static_cast<float>(s.dim));
  const auto fill = [&](HeadSpan& head, const AttentionSpan& span) {
    head.fill(rows.k + span.begin * k_width + kv * s.dim, k_width,
              rows.qkv + span.begin * qkv_width + q_width + k_width + kv * s.dim, qkv_width, span.length, s.dim);
  };
  const auto flush = [&](const HeadSpan& head, const AttentionSpan& span) {
    for (int64_t j = 0; j < span.length; ++j) {
      const int64_t row = (span.begin + j) * k_width + kv * s.dim;
      std::memcpy(rows.dk + row, head.dk.data() + j * padded, sizeof(float) * static_cast<size_t>(s.dim));
      std::memcpy(rows.dv + row, head.dv.data() + j * padded, sizeof(float) * static_cast<size_t>(s.dim));
    }
  };
  HeadSpan root, own;
  std::vector<float> room(static_cast<size_t>(3 * kMost * padded), 0);
  kernels::BackwardQueries queries;
  queries.queries = room.data();
  queries.out_gradients = room.data() + kMost * padded;
  queries.gradients = room.data() + 2 * kMost * padded;
  const AttentionSpan& root_span = spans[static_cast<size_t>(members[0])];
  fill(root, root_span);
  for (size_t m = 0; m < members.size(); ++m) {
    const AttentionSpan& span = spans[static_cast<size_t>(members[m])];
    HeadSpan& self = m == 0 ? root : own;
    if (m > 0) fill(own, span);
    // Queries of a few rows at once, head by head in each row; of one row where there are more heads than places.
    for (int64_t row = 0, head = 0; row < span.length;) {
      int64_t places[kMost], own_counts[kMost];
      queries.number = 0;
      for (; row < span.length && queries.number < kMost; ++queries.number) {
        const int64_t q = queries.number, at = (span.begin + row) * q_width + (kv * share + head) * s.dim;
        const T *from = rows.q + at, *dout = rows.dout + at, *out = rows.out + at;
        float *query = queries.queries + q * padded, *out_gradient = queries.out_gradients + q * padded;
        for (const T* next : {from, dout, out}) __builtin_prefetch(next + kAhead * q_width);
        float delta = 0;
        for (int64_t e = 0; e < s.dim; ++e) {
          query[e] = to_float(from[e]);
          out_gradient[e] = to_float(dout[e]);
          delta += out_gradient[e] * to_float(out[e]);
        }
        places[q] = at;
        own_counts[q] = row + 1;
        queries.delta[q] = delta;
        queries.lse[q] = rows.lse[(span.begin + row) * s.heads + kv * share + head];
        queries.counts[q] = root_span.length;
        if (++head == share) head = 0, ++row;
      }
      std::fill_n(queries.gradients, queries.number * padded, 0.0f);
      if (m > 0) backward(queries, root.keys(), scale, s.dim);
      std::copy_n(own_counts, queries.number, queries.counts);
      backward(queries, self.keys(), scale, s.dim);
      for (int64_t q = 0; q < queries.number; ++q) {
        std::memcpy(rows.dq + places[q], queries.gradients + q * padded, sizeof(float) * static_cast<size_t>(s.dim));
      }
    }
    if (m > 0) flush(own, span);
  }
  flush(root, root_span);
}

}  // namespace

std::shared_ptr<const gpu::SentSpans> send_spans(const std::vector<AttentionSpan>& spans, int64_t rows,
                                                 kernels::HeadShape shape, torch::Device device) {
#ifdef MEDSBENCH_CUDA
  if (device.is_cuda() && gpu::fits(shape)) return gpu::send_spans(spans, rows, shape, device);
#else
  (void)spans, (void)rows, (void)shape, (void)device;
#endif
  return nullptr;
}

bool attends_by_spans(kernels::HeadShape shape, torch::Dtype dtype, torch::Device device, bool strict) {
#ifdef MEDSBENCH_CUDA
  return device.is_cuda() && dtype == torch::kBFloat16 && !strict && gpu::fits(shape);
#else
  (void)shape, (void)dtype, (void)device, (void)strict;
  return false;
#endif
}

AttentionGradients attend_backward(const torch::Tensor& dout, const torch::Tensor& out, const torch::Tensor& lse,
                                   const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& qkv,
                                   const std::vector<AttentionSpan>& spans, kernels::HeadShape shape,
                                   const gpu::SentSpans* sent) {
  if (const auto gpu = kernels_of(q, sent); gpu && gpu::fits(shape)) {
    const auto own = sent == nullptr ? gpu::send_spans(spans, q.size(0), shape, q.device()) : nullptr;
    return gpu::attend_backward(*gpu, dout, out, lse, q, k, qkv, sent == nullptr ? *own : *sent, shape);
  }
  if (!use_kernels(q)) return plain::attend_backward(dout, q, k, qkv, spans, shape);
  const auto options = torch::TensorOptions().dtype(torch::kFloat32);
  torch::Tensor dq = torch::zeros(q.sizes(), options), dk = torch::zeros(k.sizes(), options);
  torch::Tensor dv = torch::zeros(k.sizes(), options);
  std::vector<std::vector<int64_t>> families;
  std::vector<int64_t> family_of(spans.size());
  for (size_t s = 0; s < spans.size(); ++s) {
    if (spans[s].prefix < 0) {
      family_of[s] = static_cast<int64_t>(families.size());
      families.push_back({static_cast<int64_t>(s)});
    } else {
      families[static_cast<size_t>(family_of[static_cast<size_t>(spans[s].prefix)])].push_back(static_cast<int64_t>(s));
    }
  }
  const auto tasks = static_cast<int64_t>(families.size()) * shape.kv_heads;
  by_dtype(q, [&](auto tag) {
    using T = decltype(tag);
    const BackwardRows<T> rows{data<T>(dout),        data<T>(out),         data<T>(q),
                               data<T>(k),           data<T>(qkv),         lse.data_ptr<float>(),
                               dq.data_ptr<float>(), dk.data_ptr<float>(), dv.data_ptr<float>()};
    parallel_for(0, tasks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        attend_backward_family<T>(rows, spans, families[static_cast<size_t>(task / shape.kv_heads)], task % shape.kv_heads,
                                  shape);
      }
    });
  });
  return {dq.to(q.dtype()), dk.to(q.dtype()), dv.to(q.dtype())};
}

torch::Tensor swiglu(const torch::Tensor& gate_up) {
  if (const auto gpu = gpu::kernels_for(gate_up)) return gpu::swiglu(*gpu, gate_up);
  if (!use_kernels(gate_up)) return plain::swiglu(gate_up);
  const int64_t rows = gate_up.size(0), width = gate_up.size(1) / 2;
  torch::Tensor y = torch::empty({rows, width}, gate_up.options());
  by_dtype(gate_up, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(0, rows, grain(width * 8), [&](int64_t begin, int64_t end) {
      table<T>().swiglu(data<T>(gate_up) + begin * 2 * width, data<T>(y) + begin * width, end - begin, width);
    });
  });
  return y;
}

torch::Tensor swiglu_backward(const torch::Tensor& dy, const torch::Tensor& gate_up) {
  if (const auto gpu = gpu::kernels_for(gate_up)) return gpu::swiglu_backward(*gpu, dy, gate_up);
  if (!use_kernels(gate_up)) return plain::swiglu_backward(dy, gate_up);
  const int64_t rows = gate_up.size(0), width = gate_up.size(1) / 2;
  torch::Tensor out = torch::empty_like(gate_up);
  by_dtype(gate_up, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(0, rows, grain(width * 8), [&](int64_t begin, int64_t end) {
      table<T>().swiglu_backward(data<T>(dy) + begin * width, data<T>(gate_up) + begin * 2 * width,
                                 data<T>(out) + begin * 2 * width, end - begin, width);
    });
  });
  return out;
}

}  // namespace harness::ops
