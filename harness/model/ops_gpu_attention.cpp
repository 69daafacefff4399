#include <torch/torch.h>

#include <cmath>
#include <cstring>

#include "harness/core/error.h"
#include "harness/model/ops_gpu.h"

namespace harness::ops::gpu {

namespace {

using cuda::AttentionTask;

int64_t chunks(int64_t count) { return (count + cuda::kAttentionChunk - 1) / cuda::kAttentionChunk; }

// The tasks of a pass. Rows that see the same prefix share tasks over it, rows of one sequence share tasks over their own
// positions; what a row sums, and in which order, does not depend on that.
class Tasks {
 public:
  Tasks(const std::vector<RowPlace>& places, int64_t store_layer, int64_t rows_a_task)
      : places_(places), layer_(store_layer), rows_a_task_(rows_a_task) {
    cut([](const RowPlace& first, const RowPlace& next, int64_t) { return same_prefix(first, next); },
        [this](int64_t begin, int64_t rows) {
          const RowPlace& p = places_[static_cast<size_t>(begin)];
          if (p.prefix != nullptr) add(*p.prefix, p.prefix_slot, begin, rows, p.prefix_count, 0, 0);
        });
    cut(
        [](const RowPlace& first, const RowPlace& next, int64_t distance) {
          return same_prefix(first, next) && next.own == first.own && next.own_slot == first.own_slot &&
                 next.own_position == first.own_position + distance;
        },
        [this](int64_t begin, int64_t rows) {
          const RowPlace& p = places_[static_cast<size_t>(begin)];
          add(*p.own, p.own_slot, begin, rows, p.own_position + 1, 1, chunks(prefix_count(p)));
        });
  }

  std::vector<AttentionTask> tasks;

  // Parts of each row, 0 for padding.
  [[nodiscard]] std::vector<int32_t> row_parts(int64_t rows) const {
    std::vector<int32_t> parts(static_cast<size_t>(rows), 0);
    for (size_t r = 0; r < places_.size(); ++r) {
      parts[r] = static_cast<int32_t>(chunks(prefix_count(places_[r])) + chunks(places_[r].own_position + 1));
    }
    return parts;
  }

 private:
  static int64_t prefix_count(const RowPlace& place) { return place.prefix != nullptr ? place.prefix_count : 0; }
  static bool same_prefix(const RowPlace& a, const RowPlace& b) {
    return a.prefix == b.prefix &&
           (a.prefix == nullptr || (a.prefix_slot == b.prefix_slot && a.prefix_count == b.prefix_count));
  }

  template <typename Follows, typename Take>
  void cut(Follows follows, Take take) {
    const auto rows = static_cast<int64_t>(places_.size());
    for (int64_t begin = 0, end = 0; begin < rows; begin = end) {
      end = begin + 1;
      while (end < rows && end - begin < rows_a_task_ &&
             follows(places_[static_cast<size_t>(begin)], places_[static_cast<size_t>(end)], end - begin)) {
        ++end;
      }
      take(begin, end - begin);
    }
  }

  void add(const KvStore& store, int64_t slot, int64_t first, int64_t rows, int64_t count, int64_t step, int64_t part) {
    for (int64_t begin = 0; begin < count + (rows - 1) * step; begin += cuda::kAttentionChunk) {
      AttentionTask task;
      task.keys = reinterpret_cast<uint64_t>(store.key_row(layer_, slot, 0));
      task.values = reinterpret_cast<uint64_t>(store.value_row(layer_, slot, 0));
      task.first_row = static_cast<int32_t>(first);
      task.rows = static_cast<int32_t>(rows);
      task.count = static_cast<int32_t>(count);
      task.step = static_cast<int32_t>(step);
      task.begin = static_cast<int32_t>(begin);
      task.part = static_cast<int32_t>(part++);
      tasks.push_back(task);
    }
  }

  const std::vector<RowPlace>& places_;
  int64_t layer_, rows_a_task_;
};

// Several arrays in one copy to the device, each at a multiple of 16 bytes.
class Upload {
 public:
  template <typename T>
  size_t add(const std::vector<T>& values) {
    const size_t at = (bytes_.size() + 15) / 16 * 16;
    bytes_.resize(at + sizeof(T) * values.size());
    std::memcpy(bytes_.data() + at, values.data(), sizeof(T) * values.size());
    return at;
  }
  torch::Tensor to(torch::Device device) {
    const torch::Tensor host = torch::from_blob(bytes_.data(), {static_cast<int64_t>(bytes_.size())}, torch::kUInt8);
    return device.is_cpu() ? host.clone() : host.to(device);
  }

 private:
  std::vector<uint8_t> bytes_;
};

template <typename T>
const T* at(const torch::Tensor& bytes, size_t offset) {
  return reinterpret_cast<const T*>(static_cast<const uint8_t*>(bytes.data_ptr()) + offset);
}

}  // namespace

torch::Tensor attend(const Kernels& kernels, const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& qkv,
                     const std::vector<RowPlace>& places, int64_t store_layer, kernels::HeadShape shape, torch::Tensor* lse) {
  const int64_t rows = q.size(0), kv_width = shape.kv_heads * shape.dim;
  const cuda::Heads heads{shape.heads, shape.kv_heads, shape.dim};
  const Tasks cut(places, store_layer, cuda::attention_rows(heads));
  const std::vector<int32_t> row_parts = cut.row_parts(rows);
  int64_t parts = 1;
  std::vector<uint64_t> key_places, value_places;
  for (size_t r = 0; r < places.size(); ++r) {
    parts = std::max<int64_t>(parts, row_parts[r]);
    const RowPlace& p = places[r];
    key_places.push_back(reinterpret_cast<uint64_t>(p.own->key_row(store_layer, p.own_slot, p.own_position)));
    value_places.push_back(reinterpret_cast<uint64_t>(p.own->value_row(store_layer, p.own_slot, p.own_position)));
  }
  Upload upload;
  const size_t tasks_at = upload.add(cut.tasks), parts_at = upload.add(row_parts), keys_at = upload.add(key_places),
               values_at = upload.add(value_places);
  const torch::Tensor sent = upload.to(q.device());

  const auto fp32 = q.options().dtype(torch::kFloat32);
  const torch::Tensor part_out = torch::empty({rows, parts, shape.heads, shape.dim}, fp32);
  const torch::Tensor part_max = torch::empty({rows, parts, shape.heads}, fp32), part_sum = torch::empty_like(part_max);
  torch::Tensor out = torch::empty_like(q);
  if (lse != nullptr) *lse = torch::empty({rows, shape.heads}, fp32);
  const auto run = [&](const auto& table, auto tag) {
    using T = decltype(tag);
    const T* values = static_cast<const T*>(qkv.data_ptr()) + (shape.heads + shape.kv_heads) * shape.dim;
    table.store_kv({static_cast<const T*>(k.data_ptr()), values, qkv.size(1), at<uint64_t>(sent, keys_at),
                    at<uint64_t>(sent, values_at), static_cast<int64_t>(places.size()), kv_width},
                   kernels.stream);
    cuda::Attention<T> a;
    a.q = static_cast<const T*>(q.data_ptr());
    a.out = static_cast<T*>(out.data_ptr());
    a.lse = lse != nullptr ? lse->data_ptr<float>() : nullptr;
    a.tasks = at<AttentionTask>(sent, tasks_at);
    a.row_parts = at<int32_t>(sent, parts_at);
    a.part_out = part_out.data_ptr<float>();
    a.part_max = part_max.data_ptr<float>();
    a.part_sum = part_sum.data_ptr<float>();
    a.rows = rows;
    a.task_count = static_cast<int64_t>(cut.tasks.size());
    a.parts = parts;
    a.shape = heads;
    a.scale = 1.0f / std::sqrt(static_cast<float>(shape.dim));
    table.attend(a, kernels.stream);
  };
  MEDSBENCH_CHECK(q.is_contiguous() && k.is_contiguous() && qkv.is_contiguous(), "attention inputs with gaps");
  if (q.scalar_type() == torch::kFloat32) {
    run(*kernels.fp32, float{});
  } else {
    run(*kernels.bf16, cuda::Bf16{});
  }
  return out;
}

}  // namespace harness::ops::gpu
