#include "harness/model/fused_decoder.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "harness/core/error.h"
#include "harness/model/cpu/parallel.h"

namespace harness {

namespace {

constexpr int64_t kRowsInHand = 24;  // whole tiles of rows (products.h) whose activations fit beside the weights

const float* read(const torch::Tensor& tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }

}  // namespace

// What is the same for all rows of a step.
struct FusedDecoder::Step {
  const std::vector<int64_t>& ids;
  const std::vector<int64_t>& positions;
  const std::vector<RowPlace>& places;
  const float *cosine, *sine;
  float* logits;
  std::vector<float*> layers;  // [L] of [R, D], or none
};

// Activations of the rows in hand, of one thread.
struct FusedDecoder::Room {
  explicit Room(const Transformer& model) {
    const ModelConfig& c = model.config();
    const int64_t q_width = c.heads * c.head_dim, k_width = c.kv_heads * c.head_dim;
    const auto take = [](std::vector<float>& part, int64_t width) { part.resize(static_cast<size_t>(kRowsInHand * width)); };
    take(x, c.width), take(h, c.width), take(normed, c.width), take(qkv, q_width + 2 * k_width), take(q, q_width);
    take(k, k_width), take(attended, q_width), take(gate_up, 2 * c.mlp_width), take(activated, c.mlp_width);
  }
  std::vector<float> x, h, normed, qkv, q, k, attended, gate_up, activated;
  kernels::AttentionTask<float> tasks[kRowsInHand];
};

FusedDecoder::Weight::Weight(const torch::Tensor& w, const torch::Tensor& bias) {
  MEDSBENCH_CHECK(w.is_contiguous(), "a weight that is not contiguous");
  const kernels::ProductTable& table = kernels::product_table();
  product.columns = w.size(0), product.depth = w.size(1);
  product.a_row = w.size(1);
  product.b = read(w), product.b_column = w.size(1);
  product.c_row = w.size(0);
  product.bias = read(bias);
  plan = table.plan_packed(product);
  packed.resize(static_cast<size_t>(plan.packed_size));
  table.pack(product, plan, 0, plan.panels, packed.data());
}

void FusedDecoder::Weight::multiply(const float* a, int64_t rows, float* c, const float* residual) const {
  kernels::Product p = product;
  p.rows = rows, p.a = a, p.c = c, p.residual = residual;
  kernels::product_table().compute(p, plan, packed.data(), 0, rows);
}

bool FusedDecoder::fits(const Transformer& model) {
  constexpr int64_t kCachedBytes = 4 << 20;
  const Numerics& numerics = model.numerics();
  return numerics.device.is_cpu() && numerics.dtype == torch::kFloat32 && model.hooks() == nullptr &&
         model.parameter_count() * static_cast<int64_t>(sizeof(float)) <= kCachedBytes;
}

FusedDecoder::FusedDecoder(const Transformer& model) : model_(model), head_(model.head()) {
  for (int64_t l = 0; l < model.config().layers; ++l) {
    const LayerParts<torch::Tensor> w = model.weights(static_cast<size_t>(l));
    LayerParts<Weight> packed;
    packed.qkv = Weight(w.qkv, w.qkv_bias);
    packed.o = Weight(w.o);
    packed.gate_up = Weight(w.gate_up);
    packed.down = Weight(w.down);
    weights_.push_back(w);
    layers_.push_back(std::move(packed));
  }
}

torch::Tensor FusedDecoder::decode(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions,
                                   const std::vector<RowPlace>& places, std::vector<torch::Tensor>* layer_outputs) const {
  const ModelConfig& c = model_.config();
  const auto rows = static_cast<int64_t>(ids.size());
  const auto [cosine, sine] = model_.rotary(1 + *std::max_element(positions.begin(), positions.end()));
  torch::Tensor logits = torch::empty({rows, c.vocab_size}, torch::kFloat32);
  Step step{ids, positions, places, read(cosine), read(sine), logits.data_ptr<float>(), {}};
  if (layer_outputs != nullptr) {
    layer_outputs->clear();
    for (int64_t l = 0; l < c.layers; ++l) {
      layer_outputs->push_back(torch::empty({rows, c.width}, torch::kFloat32));
      step.layers.push_back(layer_outputs->back().data_ptr<float>());
    }
  }
  parallel_for(0, rows, kRowsInHand / 2, [&](int64_t begin, int64_t end) {
    thread_local std::unique_ptr<Room> room;  // of the last model that this thread decoded with
    thread_local const Transformer* of = nullptr;
    if (room == nullptr || of != &model_) room = std::make_unique<Room>(model_), of = &model_;
    for (; begin < end; begin += kRowsInHand) decode_rows(step, begin, std::min(kRowsInHand, end - begin), *room);
  });
  return logits;
}

void FusedDecoder::decode_rows(const Step& step, int64_t begin, int64_t rows, Room& r) const {
  static const kernels::Table<float>& table = kernels::table_fp32();
  const ModelConfig& c = model_.config();
  const kernels::HeadShape heads = model_.heads();
  const int64_t q_width = heads.heads * heads.dim, k_width = heads.kv_heads * heads.dim, qkv_width = q_width + 2 * k_width;
  const auto eps = static_cast<float>(c.norm_eps);
  const float scale = 1.0f / std::sqrt(static_cast<float>(heads.dim));
  const auto bytes = sizeof(float) * static_cast<size_t>(c.width);
  const float* embedding = read(model_.embedding());
  for (int64_t i = 0; i < rows; ++i) {
    std::memcpy(r.x.data() + i * c.width, embedding + step.ids[static_cast<size_t>(begin + i)] * c.width, bytes);
  }
  for (size_t l = 0; l < layers_.size(); ++l) {
    const LayerParts<torch::Tensor>& w = weights_[l];
    const LayerParts<Weight>& packed = layers_[l];
    table.rms_norm(r.x.data(), read(w.input_norm), r.normed.data(), nullptr, rows, c.width, eps);
    packed.qkv.multiply(r.normed.data(), rows, r.qkv.data());
    table.split_rotate(r.qkv.data(), read(w.q_norm), read(w.k_norm), step.cosine, step.sine, step.positions.data() + begin,
                       r.q.data(), r.k.data(), rows, heads, eps);
    for (int64_t i = 0; i < rows; ++i) {
      const RowPlace& place = step.places[static_cast<size_t>(begin + i)];
      kernels::AttentionTask<float>& task = r.tasks[i];
      task = {};
      task.query = r.q.data() + i * q_width;
      task.out = r.attended.data() + i * q_width;
      task.key = r.k.data() + i * k_width;
      task.value = r.qkv.data() + i * qkv_width + q_width + k_width;
      task.own = place.own->view<float>(static_cast<int64_t>(l), place.own_slot);
      task.own_count = place.own_position + 1;
      if (place.prefix == nullptr) continue;
      const auto prefix = place.prefix->view<float>(static_cast<int64_t>(l), place.prefix_slot);
      task.prefix = {prefix.keys, prefix.values, prefix.capacity};
      task.prefix_count = place.prefix_count;
    }
    table.attend(r.tasks, rows, heads, scale);
    packed.o.multiply(r.attended.data(), rows, r.h.data(), r.x.data());
    table.rms_norm(r.h.data(), read(w.post_norm), r.normed.data(), nullptr, rows, c.width, eps);
    packed.gate_up.multiply(r.normed.data(), rows, r.gate_up.data());
    table.swiglu(r.gate_up.data(), r.activated.data(), rows, c.mlp_width);
    packed.down.multiply(r.activated.data(), rows, r.x.data(), r.h.data());
    if (step.layers.empty() || l + 1 == layers_.size()) continue;
    std::memcpy(step.layers[l] + begin * c.width, r.x.data(), static_cast<size_t>(rows) * bytes);
  }
  table.rms_norm(r.x.data(), read(model_.final_norm()), r.normed.data(), nullptr, rows, c.width, eps);
  if (!step.layers.empty()) {
    std::memcpy(step.layers.back() + begin * c.width, r.normed.data(), static_cast<size_t>(rows) * bytes);
  }
  head_.multiply(r.normed.data(), rows, step.logits + begin * c.vocab_size);
}

}  // namespace harness
