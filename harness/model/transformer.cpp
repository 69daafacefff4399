#include "harness/model/transformer.h"

#include <torch/types.h>

#include <cmath>

#include "harness/core/error.h"
#include "harness/core/random.h"
#include "harness/model/files/weights.h"
#include "harness/model/ops/ops.h"
#include "harness/model/rope.h"

namespace harness {

int64_t PackedBatch::add(const std::vector<int64_t>& tokens, int64_t prefix) {
  sequences.push_back({rows(), static_cast<int64_t>(tokens.size()), prefix});
  ids.insert(ids.end(), tokens.begin(), tokens.end());
  return static_cast<int64_t>(sequences.size()) - 1;
}

namespace {

// The parts of a product's sum that a GPU adds up at its end stay fp32: cuBLAS may round them to bf16, and does so for few rows
// (decoding) and not for many (scoring).
void keep_sums_wide(torch::Device device) {
  if (device.is_cuda()) at::globalContext().setAllowBF16ReductionCuBLAS(false);
}

}  // namespace

Transformer::Transformer(ModelConfig config, Numerics numerics) : config_(std::move(config)), numerics_(numerics) {
  check_model_config(config_);
  keep_sums_wide(numerics_.device);
  MEDSBENCH_CHECK(!config_.o_bias, "a bias of the output projection");
  const int64_t width = config_.width, head = config_.head_dim;
  const int64_t qkv = (config_.heads + 2 * config_.kv_heads) * head;
  embedding_ = add_parameter("embedding", {config_.vocab_size, width}, true);
  for (int64_t l = 0; l < config_.layers; ++l) {
    const std::string at = fmt::format("layers.{}.", l);
    LayerParts<int64_t> layer{};
    layer.input_norm = add_parameter(at + "input_norm", {width}, false);
    layer.qkv = add_parameter(at + "qkv", {qkv, width}, true);
    layer.qkv_bias = config_.qkv_bias ? add_parameter(at + "qkv_bias", {qkv}, false) : -1;
    layer.q_norm = config_.qk_norm ? add_parameter(at + "q_norm", {head}, false) : -1;
    layer.k_norm = config_.qk_norm ? add_parameter(at + "k_norm", {head}, false) : -1;
    layer.o = add_parameter(at + "o", {width, config_.heads * head}, true);
    layer.post_norm = add_parameter(at + "post_norm", {width}, false);
    layer.gate_up = add_parameter(at + "gate_up", {2 * config_.mlp_width, width}, true);
    layer.down = add_parameter(at + "down", {width, config_.mlp_width}, true);
    layers_.push_back(layer);
  }
  final_norm_ = add_parameter("final_norm", {width}, false);
  head_ = config_.tied_head ? embedding_ : add_parameter("head", {config_.vocab_size, width}, true);
  make_units();
  by_spans_ = ops::attends_by_spans(heads(), numerics_.dtype, numerics_.device, numerics_.strict);
  own_products_ = true;
  for (const int64_t depth : {width, config_.heads * head, config_.mlp_width}) {
    own_products_ = own_products_ && ops::own_products(numerics_.dtype, numerics_.device, depth);
  }
}

void Transformer::make_units() {
  const auto after = [](int64_t index) { return static_cast<size_t>(index) + 1; };
  units_.push_back({"embedding", 0, after(embedding_)});
  for (size_t l = 0; l < layers_.size(); ++l) {
    units_.push_back({fmt::format("layers.{}", l), units_.back().last, after(layers_[l].down)});
  }
  units_.push_back({"final_norm", units_.back().last, after(final_norm_)});
  if (!config_.tied_head) units_.push_back({"head", units_.back().last, after(head_)});
  MEDSBENCH_CHECK(units_.back().last == parameters_.size(), "{} of {} parameters in units", units_.back().last,
                  parameters_.size());
}

const torch::Tensor& Transformer::value(int64_t index) const {
  const Parameter& parameter = parameters_[static_cast<size_t>(index)];
  MEDSBENCH_CHECK(!parameter.value.is_meta(), "{} is read while this process has its share alone", parameter.name);
  return parameter.value;
}

int64_t Transformer::add_parameter(const std::string& name, std::vector<int64_t> shape, bool decay) {
  Parameter parameter;
  parameter.name = name;
  parameter.value = torch::empty(shape, torch::TensorOptions().dtype(numerics_.dtype).device(numerics_.device));
  parameter.decay = decay;
  parameters_.push_back(std::move(parameter));
  return static_cast<int64_t>(parameters_.size()) - 1;
}

int64_t Transformer::parameter_count() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters_) count += parameter.value.numel();
  return count;
}

void Transformer::zero_grad() {
  for (Parameter& parameter : parameters_) {
    if (parameter.grad.defined()) {
      parameter.grad.zero_();
    } else {
      parameter.grad =
          torch::zeros(parameter.value.sizes(), torch::TensorOptions().dtype(torch::kFloat32).device(numerics_.device));
    }
  }
}

void Transformer::drop_grad() {
  for (Parameter& parameter : parameters_) parameter.grad = torch::Tensor();
}

void Transformer::initialise(uint64_t seed) {
  for (Parameter& parameter : parameters_) {
    if (!parameter.decay) {
      const bool norm = parameter.name.find("norm") != std::string::npos;
      parameter.value.fill_(norm ? 1.0 : 0.0);
      continue;
    }
    const RandomStream stream("initial weights", {seed, static_cast<uint64_t>(&parameter - parameters_.data())});
    const bool residual = parameter.name.ends_with(".o") || parameter.name.ends_with(".down");
    const double scale = 0.02 * (residual ? 1.0 / std::sqrt(2.0 * static_cast<double>(config_.layers)) : 1.0);
    torch::Tensor values = torch::empty(parameter.value.sizes(), torch::kFloat32);
    float* out = values.data_ptr<float>();
    for (int64_t i = 0; i < values.numel(); ++i) out[i] = static_cast<float>(scale * stream.normal(static_cast<uint64_t>(i)));
    parameter.value.copy_(values);
  }
}

void Transformer::copy_from(const Transformer& other) {
  MEDSBENCH_CHECK(parameters_.size() == other.parameters_.size(), "{} and {} parameters", parameters_.size(),
                  other.parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) parameters_[i].value.copy_(other.parameters_[i].value);
}

LayerParts<torch::Tensor> Transformer::weights(size_t layer) const {
  const LayerParts<int64_t>& at = layers_[layer];
  const auto optional = [&](int64_t index) { return index < 0 ? torch::Tensor() : value(index); };
  return {value(at.input_norm), value(at.qkv),       optional(at.qkv_bias), optional(at.q_norm), optional(at.k_norm),
          value(at.o),          value(at.post_norm), value(at.gate_up),     value(at.down)};
}

void Transformer::prepare_rope(int64_t length) const {
  if (cosine_.defined() && cosine_.size(0) >= length) return;
  // The frequencies of the dynamic rule depend on the length; the others do not.
  const int64_t rows = std::max<int64_t>(length, std::min<int64_t>(config_.max_positions, 2048));
  const std::vector<float> frequencies = rope_inverse_frequencies(config_, length);
  const torch::Tensor inverse = torch::tensor(frequencies, torch::kFloat32);
  const torch::Tensor angles = torch::outer(torch::arange(rows, torch::kFloat32), inverse);
  const double factor = rope_attention_factor(config_);
  cosine_ = (angles.cos() * factor).to(numerics_.device).contiguous();
  sine_ = (angles.sin() * factor).to(numerics_.device).contiguous();
}

void Transformer::prepare(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions) const {
  for (const int64_t id : ids) {
    if (id < 0 || id >= config_.vocab_size) throw Error("expected token ids in [0, {}), found {}", config_.vocab_size, id);
  }
  int64_t longest = 0;
  for (const int64_t position : positions) longest = std::max(longest, position + 1);
  prepare_rope(longest);
}

PassRows Transformer::placed_rows(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions,
                                  std::vector<RowPlace> places) const {
  prepare(ids, positions);
  return PassRows::send(ids, positions, std::move(places), padded(static_cast<int64_t>(ids.size())), heads(), numerics_.device);
}

torch::Tensor Transformer::layer_forward(size_t layer, const torch::Tensor& x, const PassRows& rows, int64_t store_layer,
                                         LayerTape* tape) const {
  const LayerParts<torch::Tensor> w = weights(layer);
  LayerTape local;
  LayerTape& t = tape != nullptr ? *tape : local;
  const bool keep = tape != nullptr;
  t.x = x;
  t.normed = ops::rms_norm(x, w.input_norm, config_.norm_eps, keep ? &t.rstd : nullptr);  // [R, D]
  t.qkv = ops::linear(t.normed, w.qkv, w.qkv_bias);                                       // [R, (H+2K)E]
  const ops::HeadNorms norms{w.q_norm, w.k_norm, config_.norm_eps};
  std::tie(t.q, t.k) =
      ops::split_rotate(t.qkv, norms, {cosine_, sine_}, rows.positions, heads(), rows.tasks.get(), store_layer);
  t.attended = ops::attend(t.q, t.k, t.qkv, rows, store_layer, heads(), keep ? &t.lse : nullptr);  // [R, HE]
  t.h = ops::linear(t.attended, w.o, {}, x);                                                       // [R, D]
  t.h_normed = ops::rms_norm(t.h, w.post_norm, config_.norm_eps, keep ? &t.h_rstd : nullptr);
  t.gate_up = ops::linear(t.h_normed, w.gate_up);    // [R, 2F]
  t.activated = ops::swiglu(t.gate_up);              // [R, F]
  return ops::linear(t.activated, w.down, {}, t.h);  // [R, D]
}

torch::Tensor Transformer::run_layers(const PassRows& rows, int64_t store_layers, Tape* tape, bool recompute,
                                      std::vector<torch::Tensor>* layer_outputs) const {
  const torch::NoGradGuard no_grad;
  torch::Tensor x;
  {
    const HeldUnit held(hooks_, 0);
    x = embedding().index_select(0, rows.ids);
  }
  if (tape != nullptr) tape->layers.assign(layers_.size(), {});
  if (layer_outputs != nullptr) layer_outputs->clear();
  for (size_t l = 0; l < layers_.size(); ++l) {
    const int64_t store_layer = store_layers == 1 ? 0 : static_cast<int64_t>(l);
    LayerTape* saved = tape == nullptr || recompute ? nullptr : &tape->layers[l];
    if (tape != nullptr && recompute) tape->layers[l].x = x;
    const HeldUnit held(hooks_, 1 + l);
    x = layer_forward(l, x, rows, store_layer, saved);
    if (layer_outputs != nullptr) layer_outputs->push_back(x);
  }
  if (tape != nullptr) tape->final_x = x;
  const HeldUnit held(hooks_, 1 + layers_.size());
  const torch::Tensor hidden = ops::rms_norm(x, final_norm(), config_.norm_eps, tape != nullptr ? &tape->final_rstd : nullptr);
  if (layer_outputs != nullptr) layer_outputs->back() = hidden;
  return hidden;
}

namespace {

// Positions of the rows (those of a response go on after its prompt), padded with 0.
std::vector<int64_t> row_positions(const PackedBatch& batch) {
  std::vector<int64_t> positions(static_cast<size_t>(batch.rows()));
  for (const PackedSequence& sequence : batch.sequences) {
    const int64_t first = sequence.prefix < 0 ? 0 : batch.sequences[static_cast<size_t>(sequence.prefix)].length;
    for (int64_t i = 0; i < sequence.length; ++i) positions[static_cast<size_t>(sequence.begin + i)] = first + i;
  }
  return positions;
}

std::vector<ops::AttentionSpan> attention_spans(const PackedBatch& batch) {
  std::vector<ops::AttentionSpan> spans;
  for (const PackedSequence& sequence : batch.sequences) spans.push_back({sequence.begin, sequence.length, sequence.prefix});
  return spans;
}

// Those of a store of one layer, a slot a sequence.
std::vector<RowPlace> packed_places(const PackedBatch& batch, KvStore& store) {
  std::vector<RowPlace> places(static_cast<size_t>(batch.rows()));
  for (size_t s = 0; s < batch.sequences.size(); ++s) {
    const PackedSequence& sequence = batch.sequences[s];
    for (int64_t i = 0; i < sequence.length; ++i) {
      RowPlace& place = places[static_cast<size_t>(sequence.begin + i)];
      place.own = &store;
      place.own_slot = static_cast<int64_t>(s);
      place.own_position = i;
      if (sequence.prefix >= 0) {
        place.prefix = &store;
        place.prefix_slot = sequence.prefix;
        place.prefix_count = batch.sequences[static_cast<size_t>(sequence.prefix)].length;
      }
    }
  }
  return places;
}

}  // namespace

PassRows Transformer::packed_rows(const PackedBatch& batch, std::vector<RowPlace> places) const {
  const std::vector<int64_t> positions = row_positions(batch);
  if (!by_spans_) return placed_rows(batch.ids, positions, std::move(places));
  prepare(batch.ids, positions);
  return PassRows::send_packed(batch.ids, positions, attention_spans(batch), std::move(places), padded(batch.rows()), heads(),
                               numerics_.device, span_kernels_);
}

torch::Tensor Transformer::forward(const PackedBatch& batch, Tape* tape, bool recompute,
                                   std::vector<torch::Tensor>* layer_outputs) const {
  Tape local;
  Tape& t = tape != nullptr ? *tape : local;
  std::vector<RowPlace> places;
  if (!by_spans_) {
    std::vector<int64_t> lengths;
    for (const PackedSequence& sequence : batch.sequences) lengths.push_back(sequence.length);
    t.store = KvStore(1, lengths, heads(), numerics_.dtype, numerics_.device);
    places = packed_places(batch, t.store);
  }
  t.rows = packed_rows(batch, std::move(places));
  return run_layers(t.rows, 1, tape, recompute, layer_outputs);
}

torch::Tensor Transformer::prefill(const PackedBatch& batch, const std::vector<KvStore*>& stores,
                                   std::vector<torch::Tensor>* layer_outputs) const {
  MEDSBENCH_CHECK(stores.size() == batch.sequences.size(), "{} stores for {} sequences", stores.size(), batch.sequences.size());
  std::vector<RowPlace> places(static_cast<size_t>(batch.rows()));
  for (size_t s = 0; s < batch.sequences.size(); ++s) {
    const PackedSequence& sequence = batch.sequences[s];
    for (int64_t i = 0; i < sequence.length; ++i) {
      RowPlace& place = places[static_cast<size_t>(sequence.begin + i)];
      place.own = stores[s];
      place.own_position = i;
    }
  }
  return run_layers(packed_rows(batch, std::move(places)), config_.layers, nullptr, false, layer_outputs);
}

torch::Tensor Transformer::decode(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions,
                                  const std::vector<RowPlace>& places, std::vector<torch::Tensor>* layer_outputs) const {
  PassRows rows = placed_rows(ids, positions, places);
  rows.apart = true;
  return run_layers(rows, config_.layers, nullptr, false, layer_outputs);
}

torch::Tensor Transformer::layer_backward(size_t l, const PackedBatch& batch, Tape& tape, LayerTape& t,
                                          const torch::Tensor& out_gradient) {
  const LayerParts<int64_t>& layer = layers_[l];
  const LayerParts<torch::Tensor> w = weights(l);
  // h + W_down silu(gate) up
  const torch::Tensor dactivated = ops::input_gradient(out_gradient, w.down);
  ops::add_weight_gradient(grad(layer.down), out_gradient, t.activated);
  const torch::Tensor dgate_up = ops::swiglu_backward(dactivated, t.gate_up);
  ops::add_weight_gradient(grad(layer.gate_up), dgate_up, t.h_normed);
  torch::Tensor dh = out_gradient.clone();
  ops::rms_norm_backward(ops::input_gradient(dgate_up, w.gate_up), t.h, w.post_norm, t.h_rstd, dh, grad(layer.post_norm));
  // x + W_o attention
  const torch::Tensor dattended = ops::input_gradient(dh, w.o);
  ops::add_weight_gradient(grad(layer.o), dh, t.attended);
  const ops::AttentionGradients g =
      ops::attend_backward(dattended, t.attended, t.lse, t.q, t.k, t.qkv, attention_spans(batch), heads(), tape.spans.get());
  const ops::HeadNorms norms{w.q_norm, w.k_norm, config_.norm_eps};
  torch::Tensor none;
  const torch::Tensor dqkv =
      ops::split_rotate_backward(g.dq, g.dk, g.dv, t.qkv, norms, {cosine_, sine_}, tape.rows.positions, heads(),
                                 layer.q_norm < 0 ? none : grad(layer.q_norm), layer.k_norm < 0 ? none : grad(layer.k_norm));
  ops::add_weight_gradient(grad(layer.qkv), dqkv, t.normed);
  if (layer.qkv_bias >= 0) ops::add_bias_gradient(grad(layer.qkv_bias), dqkv);
  torch::Tensor dx = dh;
  ops::rms_norm_backward(ops::input_gradient(dqkv, w.qkv), t.x, w.input_norm, t.rstd, dx, grad(layer.input_norm));
  return dx;
}

void Transformer::backward(const PackedBatch& batch, Tape& tape, const torch::Tensor& hidden_gradient) {
  const torch::NoGradGuard no_grad;
  MEDSBENCH_CHECK(hooks_ != nullptr || parameters_.front().grad.defined(), "zero_grad comes before backward");
  tape.spans = tape.rows.spans != nullptr
                   ? tape.rows.spans
                   : ops::send_spans(attention_spans(batch), tape.final_x.size(0), heads(), numerics_.device);
  torch::Tensor dx = torch::zeros_like(tape.final_x);
  add_to_unit(hooks_, 1 + layers_.size(), true, [&] {
    ops::rms_norm_backward(hidden_gradient, tape.final_x, final_norm(), tape.final_rstd, dx, grad(final_norm_));
  });
  for (size_t l = layers_.size(); l-- > 0;) {
    add_to_unit(hooks_, 1 + l, true, [&] {
      LayerTape& saved = tape.layers[l];
      if (!saved.normed.defined()) layer_forward(l, torch::Tensor(saved.x), tape.rows, 0, &saved);
      dx = layer_backward(l, batch, tape, saved, dx);
      saved = {};
    });
  }
  add_to_unit(hooks_, 0, false, [&] { add_embedding_gradient(batch, tape, dx); });
}

void Transformer::add_embedding_gradient(const PackedBatch& batch, const Tape& tape, const torch::Tensor& dx) {
  torch::Tensor& embedding_grad = grad(embedding_);
  if (numerics_.device.is_cpu()) {  // rows in their order: the same bytes whatever the number of threads
    const torch::Tensor wide = dx.to(torch::kFloat32).contiguous();
    for (int64_t row = 0; row < batch.rows(); ++row) {
      float* out = embedding_grad.data_ptr<float>() + batch.ids[static_cast<size_t>(row)] * config_.width;
      const float* in = wide.data_ptr<float>() + row * config_.width;
      for (int64_t d = 0; d < config_.width; ++d) out[d] += in[d];
    }
  } else {
    const torch::Tensor index = tape.rows.ids.slice(0, 0, batch.rows());
    // Sorts and adds in order; index_add_ would use atomics on a GPU.
    embedding_grad.index_put_({index}, dx.slice(0, 0, batch.rows()).to(torch::kFloat32), true);
  }
}

void Transformer::forward_without_rows() const {
  for (size_t unit = 0; unit <= 1 + layers_.size(); ++unit) HeldUnit(hooks_, unit);  // forward
  HeldUnit(hooks_, head_unit());                                                     // token_statistics
}

void Transformer::pass_without_rows() const {
  forward_without_rows();
  const auto nothing = [] {};
  add_to_unit(hooks_, head_unit(), true, nothing);                                               // token_statistics_backward
  for (size_t unit = 2 + layers_.size(); unit-- > 1;) add_to_unit(hooks_, unit, true, nothing);  // backward
  add_to_unit(hooks_, 0, false, nothing);
}

torch::Tensor Transformer::logits(const torch::Tensor& hidden) const {
  const torch::NoGradGuard no_grad;
  const int64_t rows = hidden.size(0), tile = padded(rows);
  if (tile == rows) return ops::linear(hidden, head());
  torch::Tensor whole = torch::zeros({tile, hidden.size(1)}, hidden.options());
  whole.slice(0, 0, rows).copy_(hidden);
  return ops::linear(whole, head());
}

torch::Tensor Transformer::logits_backward(const torch::Tensor& hidden, const torch::Tensor& logits_gradient) {
  const torch::NoGradGuard no_grad;
  const int64_t rows = hidden.size(0);
  ops::add_weight_gradient(grad(head_), logits_gradient.slice(0, 0, rows), hidden);
  return ops::input_gradient(logits_gradient, head());
}

}  // namespace harness
