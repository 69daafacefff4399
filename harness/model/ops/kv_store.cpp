#include "harness/model/ops/kv_store.h"

#include <torch/types.h>

#include "harness/core/error.h"

namespace harness {

KvStore::KvStore(int64_t layers, const std::vector<int64_t>& capacities, kernels::HeadShape shape, torch::Dtype dtype,
                 torch::Device device, bool plain_rows)
    : shape_(shape) {
  for (const int64_t capacity : capacities) {
    capacities_.push_back((capacity + 15) / 16 * 16);
    offsets_.push_back(total_);
    total_ += capacities_.back();
  }
  const auto options = torch::TensorOptions().dtype(dtype).device(device);
  if (!device.is_cpu() || plain_rows) {
    keys_ = torch::zeros({layers, total_, shape.kv_heads, shape.dim}, options);
    values_ = torch::zeros_like(keys_);
    return;
  }
  keys_ = torch::empty({layers * total_ * shape.kv_heads * shape.dim}, options);
  // The kernel reads whole vectors of values: lanes beyond the head dimension must be 0.
  const int64_t count = layers * total_ * shape.kv_heads * shape.padded();
  values_ = shape.padded() == shape.dim ? torch::empty({count}, options) : torch::zeros({count}, options);
  keys_data_ = keys_.data_ptr();
  values_data_ = values_.data_ptr();
}

void* KvStore::row(const torch::Tensor& rows, int64_t layer, int64_t slot, int64_t position) const {
  MEDSBENCH_CHECK(rows.dim() == 4 && position < capacity(slot), "position {} of {} in a store of {} dimensions", position,
                  capacity(slot), rows.dim());
  const int64_t index = (layer * total_ + offsets_[static_cast<size_t>(slot)] + position) * shape_.kv_heads * shape_.dim;
  return static_cast<char*>(rows.data_ptr()) + index * rows.element_size();
}

void KvStore::write(int64_t layer, int64_t slot, int64_t position, const torch::Tensor& k, const torch::Tensor& v) {
  const int64_t begin = offsets_[static_cast<size_t>(slot)] + position;
  keys_.select(0, layer).slice(0, begin, begin + k.size(0)).copy_(k);
  values_.select(0, layer).slice(0, begin, begin + v.size(0)).copy_(v);
}

std::pair<torch::Tensor, torch::Tensor> KvStore::read(int64_t layer, int64_t slot, int64_t count) const {
  const int64_t begin = offsets_[static_cast<size_t>(slot)];
  return {keys_.select(0, layer).slice(0, begin, begin + count).to(torch::kFloat32),
          values_.select(0, layer).slice(0, begin, begin + count).to(torch::kFloat32)};
}

int64_t KvStore::bytes() const { return keys_.defined() ? static_cast<int64_t>(keys_.nbytes() + values_.nbytes()) : 0; }

}  // namespace harness
