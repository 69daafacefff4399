#include <torch/types.h>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/model/files/weights.h"
#include "harness/model/transformer.h"

namespace harness {

namespace {

// The Hugging Face tensors that make up one parameter of ours, in order of rows.
std::vector<std::string> hub_names(const std::string& name) {
  if (name == "embedding") return {"model.embed_tokens.weight"};
  if (name == "final_norm") return {"model.norm.weight"};
  if (name == "head") return {"lm_head.weight"};
  const size_t dot = name.find('.', 7);  // after "layers."
  const std::string prefix = "model." + name.substr(0, dot + 1);
  const std::string part = name.substr(dot + 1);
  const std::string attention = prefix + "self_attn.";
  if (part == "qkv") return {attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"};
  if (part == "qkv_bias") return {attention + "q_proj.bias", attention + "k_proj.bias", attention + "v_proj.bias"};
  if (part == "q_norm" || part == "k_norm") return {attention + part + ".weight"};
  if (part == "o") return {attention + "o_proj.weight"};
  if (part == "gate_up") return {prefix + "mlp.gate_proj.weight", prefix + "mlp.up_proj.weight"};
  if (part == "down") return {prefix + "mlp.down_proj.weight"};
  if (part == "input_norm") return {prefix + "input_layernorm.weight"};
  MEDSBENCH_CHECK(part == "post_norm", "parameter {}", name);
  return {prefix + "post_attention_layernorm.weight"};
}

}  // namespace

std::unique_ptr<Transformer> Transformer::load(const std::string& folder, const Numerics& numerics) {
  const ModelConfig config = read_model_config(folder);
  const auto weights = load_weights(folder, tensor_shapes(config));  // refuses what is not there before memory is taken for it
  auto model = std::make_unique<Transformer>(config, numerics);
  const torch::NoGradGuard no_grad;
  for (Parameter& parameter : model->parameters_) {
    int64_t row = 0;
    for (const std::string& name : hub_names(parameter.name)) {
      const torch::Tensor& part = weights.at(name);
      parameter.value.slice(0, row, row + part.size(0)).copy_(part);
      row += part.size(0);
    }
    MEDSBENCH_CHECK(row == parameter.value.size(0), "{}: {} of {} rows", parameter.name, row, parameter.value.size(0));
  }
  return model;
}

void Transformer::save(const std::string& folder) const {
  make_folder(folder);
  ModelConfig config = config_;
  config.dtype = numerics_.dtype == torch::kFloat32 ? "float32" : "bfloat16";
  write_model_config(folder, config);
  std::map<std::string, torch::Tensor> weights;
  const auto shapes = tensor_shapes(config_);
  for (const Parameter& parameter : parameters_) {
    int64_t row = 0;
    for (const std::string& name : hub_names(parameter.name)) {
      const int64_t rows = shapes.at(name).front();
      weights[name] = parameter.value.slice(0, row, row + rows).contiguous();
      row += rows;
    }
  }
  save_weights(folder, weights);
}

}  // namespace harness
