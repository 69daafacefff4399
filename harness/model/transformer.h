// Transformer: a decoder-only network (Llama, Qwen2, Qwen3 by configuration), forward, backward and one-token decoding.
//
// Letters: R rows (tokens of all sequences side by side), D width, H query heads, K key-value heads, E head dimension, F MLP
// width, V vocabulary, L layers.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/model/cpu/row_kernels.h"
#include "harness/model/files/model_config.h"
#include "harness/model/files/work.h"
#include "harness/model/ops/kv_store.h"
#include "harness/model/ops/pass_rows.h"
#include "harness/model/pass_hooks.h"

namespace harness {

// Changes when the same config would give other bytes; part of every cell's identity.
inline constexpr int64_t kNumericsVersion = 2;

struct Numerics {
  torch::Dtype dtype = torch::kFloat32;  // of weights and activations: float32 or bfloat16
  torch::Device device = torch::kCPU;
  // A row's result does not depend on how many others there are: sampled and recomputed log-probs are equal bit for bit. Our
  // own products (products.h) are so by themselves; where LibTorch multiplies, rows are padded to a multiple of 64
  // (measured: its products are then row-independent). Attention over packed rows on a GPU in bf16 is then that of decoding,
  // not the faster one of the tensor cores.
  bool strict = true;
};

// One sequence of a packed batch: rows begin .. begin + length - 1. A response refers to its prompt, computed once per group.
struct PackedSequence {
  int64_t begin = 0;
  int64_t length = 0;
  int64_t prefix = -1;  // index of an earlier sequence whose every position is attended to; -1: none
};

// Sequences side by side without padding between them.
struct PackedBatch {
  std::vector<int64_t> ids;  // [R]
  std::vector<PackedSequence> sequences;

  // Appends a sequence and returns its index.
  int64_t add(const std::vector<int64_t>& tokens, int64_t prefix = -1);
  [[nodiscard]] int64_t rows() const { return static_cast<int64_t>(ids.size()); }
};

// What the backward pass needs of one layer.
struct LayerTape {
  torch::Tensor x, rstd, normed, qkv, q, k, attended, lse, h, h_rstd, h_normed, gate_up, activated;
};
struct Tape {
  Tape() = default;
  Tape(const Tape&) = delete;  // `rows` may refer to `store`
  Tape& operator=(const Tape&) = delete;

  std::vector<LayerTape> layers;  // [L]; only `x` where recompute is on
  torch::Tensor final_x, final_rstd;
  PassRows rows;
  std::shared_ptr<const ops::gpu::SentSpans> spans;  // of the sequences, for the gradient of attention on a GPU
  KvStore store;                                     // of one layer, filled anew for each; empty where attention goes by spans
};

struct Parameter {
  std::string name;     // "layers.3.qkv", "embedding", ...
  torch::Tensor value;  // compute dtype
  torch::Tensor grad;   // fp32, same shape; defined after `zero_grad`
  bool decay = true;    // weight decay applies: matrices, not norms and biases
};

// Parameters first .. last - 1, which a pass reads one after another: the embedding (head too where they are one), each layer,
// the final norm, the head.
struct ParameterUnit {
  std::string name;
  size_t first = 0, last = 0;
};

// The parameters of one layer, as whatever stands for each: its index, its value.
template <typename Part>
struct LayerParts {
  Part input_norm, qkv, qkv_bias, q_norm, k_norm, o, post_norm, gate_up, down;
};

class Transformer {
 public:
  // Weights are left uninitialised: call `initialise` or `load`.
  Transformer(ModelConfig config, Numerics numerics);
  // Reads a Hugging Face folder. Throws Error (see model_config.h, weights.h).
  static std::unique_ptr<Transformer> load(const std::string& folder, const Numerics& numerics);
  // Writes config.json, generation_config.json and safetensors in `dtype` ("float32", "bfloat16").
  void save(const std::string& folder) const;
  // Normal(0, 0.02) matrices, residual projections scaled by 1/sqrt(2 L) (GPT-2), norms 1, biases 0; keyed by the seed.
  void initialise(uint64_t seed);
  // Copies all values from another model of the same shape, converting the dtype.
  void copy_from(const Transformer& other);

  [[nodiscard]] const ModelConfig& config() const { return config_; }
  [[nodiscard]] const Numerics& numerics() const { return numerics_; }
  [[nodiscard]] kernels::HeadShape heads() const { return {config_.heads, config_.kv_heads, config_.head_dim}; }
  [[nodiscard]] std::vector<Parameter>& parameters() { return parameters_; }
  [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }
  // Numbers in all parameters; a tied head counts once.
  [[nodiscard]] int64_t parameter_count() const;
  // Gradients of zeros for all parameters, made where there are none.
  void zero_grad();
  // None: their memory is free again.
  void drop_grad();

  [[nodiscard]] const std::vector<ParameterUnit>& units() const { return units_; }
  // Index of the unit that holds W_lm.
  [[nodiscard]] size_t head_unit() const { return config_.tied_head ? 0 : units_.size() - 1; }
  // Told of every pass, unit by unit; null (as made): nobody. They outlive the passes.
  void set_hooks(PassHooks* hooks) { hooks_ = hooks; }
  [[nodiscard]] PassHooks* hooks() const { return hooks_; }

  // Whether attention over packed rows goes by spans (ops::attends_by_spans). Tests turn it on where it does not by itself: on
  // the CPU the kernels `host` then work on them, which outlive the model.
  void attend_by_spans(bool on, const ops::gpu::Kernels* host) {
    by_spans_ = on;
    span_kernels_ = host;
  }

  // Hidden states after the final norm [R', D], R' = rows padded to the strict tile. `tape`: kept for `backward`; `recompute`
  // keeps layer inputs only. `layer_outputs`: the residual stream after each block [L][R', D], the last one after the norm.
  torch::Tensor forward(const PackedBatch& batch, Tape* tape = nullptr, bool recompute = false,
                        std::vector<torch::Tensor>* layer_outputs = nullptr) const;
  // Adds the gradients of every parameter, given d loss / d hidden [R', D].
  void backward(const PackedBatch& batch, Tape& tape, const torch::Tensor& hidden_gradient);
  // Tell the hooks what forward and token_statistics tell them, and what token_statistics_backward and backward do after those:
  // for a process that has no rows while others have.
  void forward_without_rows() const;
  void pass_without_rows() const;
  // One token for each row, at given places of key-value stores: hidden states after the final norm [B', D].
  torch::Tensor decode(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions,
                       const std::vector<RowPlace>& places, std::vector<torch::Tensor>* layer_outputs = nullptr) const;
  // The same for the tokens of prompts, one slot each, filling the store given.
  torch::Tensor prefill(const PackedBatch& batch, const std::vector<KvStore*>& stores,
                        std::vector<torch::Tensor>* layer_outputs = nullptr) const;

  // hidden [M, D] -> logits [M', V], M' padded to the strict tile.
  [[nodiscard]] torch::Tensor logits(const torch::Tensor& hidden) const;
  // Adds d W_lm; returns d hidden [M', D] for dlogits [M', V].
  torch::Tensor logits_backward(const torch::Tensor& hidden, const torch::Tensor& logits_gradient);
  [[nodiscard]] const torch::Tensor& head() const { return value(head_); }              // W_lm [V, D]
  [[nodiscard]] const torch::Tensor& embedding() const { return value(embedding_); }    // [V, D]
  [[nodiscard]] const torch::Tensor& final_norm() const { return value(final_norm_); }  // [D]
  // Undefined where the architecture has none.
  [[nodiscard]] LayerParts<torch::Tensor> weights(size_t layer) const;

  // Cosine and sine of the rotary angles, fp32 [P, E/2] with P at least `length`. Kept until a longer table is asked for.
  [[nodiscard]] std::pair<torch::Tensor, torch::Tensor> rotary(int64_t length) const {
    prepare_rope(length);
    return {cosine_, sine_};
  }

  // rows rounded up to the strict tile.
  [[nodiscard]] int64_t padded(int64_t rows) const { return padded_rows(rows, numerics_.strict, own_products_); }

 private:
  int64_t add_parameter(const std::string& name, std::vector<int64_t> shape, bool decay);
  void make_units();
  [[nodiscard]] const torch::Tensor& value(int64_t index) const;
  torch::Tensor& grad(int64_t index) { return parameters_[static_cast<size_t>(index)].grad; }
  void prepare_rope(int64_t length) const;
  // Checks the rows of a pass and makes the rotary table that they need.
  void prepare(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions) const;
  // Sends the rows of packed sequences; places as PassRows::send_packed takes them.
  [[nodiscard]] PassRows packed_rows(const PackedBatch& batch, std::vector<RowPlace> places) const;
  // Sends rows that attend by their places.
  [[nodiscard]] PassRows placed_rows(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions,
                                     std::vector<RowPlace> places) const;
  torch::Tensor run_layers(const PassRows& rows, int64_t store_layers, Tape* tape, bool recompute,
                           std::vector<torch::Tensor>* layer_outputs) const;
  torch::Tensor layer_forward(size_t layer, const torch::Tensor& x, const PassRows& rows, int64_t store_layer,
                              LayerTape* tape) const;
  void add_embedding_gradient(const PackedBatch& batch, const Tape& tape, const torch::Tensor& dx);
  torch::Tensor layer_backward(size_t l, const PackedBatch& batch, Tape& tape, LayerTape& saved,
                               const torch::Tensor& out_gradient);

  ModelConfig config_;
  Numerics numerics_;
  std::vector<Parameter> parameters_;
  std::vector<LayerParts<int64_t>> layers_;  // indices of parameters, -1: none
  std::vector<ParameterUnit> units_;         // embedding, [L] layers, final norm, head where it is not the embedding
  PassHooks* hooks_ = nullptr;
  bool by_spans_ = false;
  bool own_products_ = false;                        // for every weight (ops::own_products)
  const ops::gpu::Kernels* span_kernels_ = nullptr;  // on the CPU
  int64_t embedding_ = 0, final_norm_ = 0, head_ = 0;
  mutable torch::Tensor cosine_, sine_;  // [positions, E/2] fp32
};

}  // namespace harness
