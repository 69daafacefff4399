#include "harness/train/optimizer.h"

#include <torch/torch.h>

#include <cmath>
#include <numbers>

#include "harness/core/error.h"
#include "harness/model/ops_gpu.h"

namespace harness {

OptimizerSettings read_optimizer_settings(Config& config, const OptimizerSettings& defaults) {
  OptimizerSettings s = defaults;
  s.lr = config.number("optimizer.lr", s.lr, 0, 1);
  s.beta1 = config.number("optimizer.beta1", s.beta1, 0, 1);
  s.beta2 = config.number("optimizer.beta2", s.beta2, 0, 1);
  s.eps = config.number("optimizer.eps", s.eps, 0, 1);
  s.weight_decay = config.number("optimizer.weight_decay", s.weight_decay, 0, 10);
  s.clip_norm = config.number("optimizer.clip_norm", s.clip_norm, 0, 1e9);
  s.warmup_updates = config.integer("optimizer.warmup_updates", s.warmup_updates, 0);
  s.schedule = config.text("optimizer.schedule", s.schedule, {"constant", "linear", "cosine"});
  s.flat = config.number("optimizer.flat", s.flat, 0, 1);
  s.final_ratio = config.number("optimizer.final_ratio", s.final_ratio, 0, 1);
  return s;
}

double learning_rate(const OptimizerSettings& s, int64_t update) {
  double rate = s.lr;
  if (update < s.warmup_updates) rate *= static_cast<double>(update + 1) / static_cast<double>(s.warmup_updates);
  if (s.schedule == "constant" || s.total_updates <= 0) return rate;
  const double begin = s.flat * static_cast<double>(s.total_updates);
  const double span = static_cast<double>(s.total_updates) - begin;
  const double progress = std::clamp((static_cast<double>(update) - begin) / std::max(1.0, span), 0.0, 1.0);
  const double shape = s.schedule == "linear" ? 1 - progress : 0.5 * (1 + std::cos(std::numbers::pi * progress));
  return rate * (s.final_ratio + (1 - s.final_ratio) * shape);
}

Optimizer::Optimizer(Transformer& model, OptimizerSettings settings, Ranks* ranks)
    : model_(model), settings_(std::move(settings)), ranks_(ranks) {
  for (const Parameter& parameter : model.parameters()) {
    const bool own = parameter.value.scalar_type() != torch::kFloat32;
    masters_.push_back(own ? parameter.value.to(torch::kFloat32) : parameter.value);
    first_.push_back(torch::zeros_like(masters_.back()));
    second_.push_back(torch::zeros_like(masters_.back()));
  }
}

double Optimizer::gradient_norm() const {
  std::vector<torch::Tensor> norms;
  for (const Parameter& parameter : model_.parameters()) norms.push_back(parameter.grad.norm(2, torch::kFloat64));
  const torch::Tensor all = torch::stack(norms).to(torch::kCPU);  // one wait for a GPU, not one a parameter
  double sum = 0;  // in double and in the order of the parameters
  for (int64_t i = 0; i < all.size(0); ++i) sum += all.data_ptr<double>()[i] * all.data_ptr<double>()[i];
  return std::sqrt(sum);
}

void Optimizer::apply(double norm) {
  const torch::NoGradGuard no_grad;
  const double scale = settings_.clip_norm > 0 && norm > settings_.clip_norm ? settings_.clip_norm / (norm + 1e-6) : 1.0;
  const double rate = learning_rate(settings_, updates_);
  ++updates_;
  std::vector<Parameter>& parameters = model_.parameters();
  if (const auto gpu = ops::gpu::kernels_for(masters_.front())) {
    for (size_t i = 0; i < parameters.size(); ++i) {  // clip, update and rounding to the parameter in one pass over memory
      const double decay = parameters[i].decay ? settings_.weight_decay : 0.0;
      ops::gpu::adamw(*gpu, masters_[i], first_[i], second_[i], parameters[i].grad, parameters[i].value,
                      {rate, settings_.beta1, settings_.beta2, settings_.eps, decay, scale, updates_});
    }
    return;
  }
  for (const bool decay : {true, false}) {
    std::vector<torch::Tensor> values, grads, first, second, steps;
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i].decay != decay) continue;
      if (scale != 1.0) parameters[i].grad.mul_(scale);
      values.push_back(masters_[i]);
      grads.push_back(parameters[i].grad);
      first.push_back(first_[i]);
      second.push_back(second_[i]);
      steps.push_back(torch::tensor(static_cast<double>(updates_),
                                    torch::TensorOptions().dtype(torch::kFloat32).device(masters_[i].device())));
    }
    if (values.empty()) continue;
    at::_fused_adamw_(values, grads, first, second, {}, steps, rate, settings_.beta1, settings_.beta2,
                      decay ? settings_.weight_decay : 0.0, settings_.eps, false, false);
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].value.scalar_type() != torch::kFloat32) parameters[i].value.copy_(masters_[i]);
  }
}

std::map<std::string, torch::Tensor> Optimizer::state() const {
  std::map<std::string, torch::Tensor> state;
  for (size_t i = 0; i < masters_.size(); ++i) {
    const std::string& name = model_.parameters()[i].name;
    state["master." + name] = masters_[i];
    state["first." + name] = first_[i];
    state["second." + name] = second_[i];
  }
  return state;
}

void Optimizer::restore(const std::map<std::string, torch::Tensor>& state, int64_t updates) {
  const torch::NoGradGuard no_grad;
  std::vector<Parameter>& parameters = model_.parameters();
  const auto copy = [&](torch::Tensor& target, const std::string& name) {
    const auto found = state.find(name);
    if (found == state.end()) throw Error("expected the tensor {}, found none", name);
    if (found->second.sizes() != target.sizes()) {
      throw Error("{}: expected shape {}, found {}", name, fmt::join(target.sizes(), "x"), fmt::join(found->second.sizes(), "x"));
    }
    target.copy_(found->second);
  };
  for (size_t i = 0; i < masters_.size(); ++i) {
    copy(masters_[i], "master." + parameters[i].name);
    copy(first_[i], "first." + parameters[i].name);
    copy(second_[i], "second." + parameters[i].name);
    if (parameters[i].value.scalar_type() != torch::kFloat32) parameters[i].value.copy_(masters_[i]);
  }
  updates_ = updates;
}

}  // namespace harness
