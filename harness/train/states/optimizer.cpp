#include "harness/train/states/optimizer.h"

#include <torch/types.h>

#include <cmath>
#include <cstring>
#include <numbers>

#include "harness/core/error.h"
#include "harness/model/ops/gpu.h"
#include "harness/train/states/host_states.h"

namespace harness {

OptimizerSettings read_optimizer_settings(ConfigReader& keys, const OptimizerSettings& defaults) {
  OptimizerSettings s = defaults;
  s.lr = keys.number("optimizer.lr", s.lr, 0, 1, "learning rate of AdamW");
  s.beta1 = keys.number("optimizer.beta1", s.beta1, 0, 1, "decay of the first moment");
  s.beta2 = keys.number("optimizer.beta2", s.beta2, 0, 1, "decay of the second moment");
  s.eps = keys.number("optimizer.eps", s.eps, 0, 1, "added to the root of the second moment");
  s.weight_decay = keys.number("optimizer.weight_decay", s.weight_decay, 0, 10, "of matrices; norms and biases have none");
  s.clip_norm = keys.number("optimizer.clip_norm", s.clip_norm, 0, 1e9, "largest norm of all gradients together; 0: off");
  s.warmup_updates = keys.integer("optimizer.warmup_updates", s.warmup_updates, 0, "updates of linear warm-up");
  s.schedule = keys.text("optimizer.schedule", s.schedule, {"constant", "linear", "cosine"}, "of the rate after the warm-up");
  s.flat = keys.number("optimizer.flat", s.flat, 0, 1, "share of the updates before the schedule begins to fall");
  s.final_ratio =
      keys.number("optimizer.final_ratio", s.final_ratio, 0, 1, "rate at the end of the schedule, as a share of lr");
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

Optimizer::Optimizer(Transformer& model, OptimizerSettings settings, Ranks* ranks, Shard shard)
    : model_(model), settings_(std::move(settings)), ranks_(ranks) {
  if (shard != Shard::none) {
    if (ranks == nullptr) throw Error("train.shard: expected train.processes > 1 beside it, found 1");
    shares_ = std::make_unique<SharedStates>(model, *ranks, shard);
    if (settings_.offload) shares_->keep_values_on_host();
    masters_ = shares_->values();
  } else {
    for (const Parameter& parameter : model.parameters()) {
      masters_.push_back(settings_.offload ? on_host(parameter.value, torch::kFloat32) : parameter.value.to(torch::kFloat32));
    }
  }
  for (const torch::Tensor& master : masters_) {
    first_.push_back(torch::zeros_like(master));
    second_.push_back(torch::zeros_like(master));
  }
}

void Optimizer::begin_update() {
  if (shares_ != nullptr) return shares_->begin_update();
  model_.zero_grad();
}

void Optimizer::join_gradients() {
  if (ranks_ == nullptr || shard() >= Shard::gradients) return;
  std::vector<torch::Tensor> gradients;
  for (const Parameter& parameter : model_.parameters()) gradients.push_back(parameter.grad);
  ranks_->sum(gradients);
}

namespace {

// The squares are added in double and in the order given, the norms of tensors on a GPU in fp32: there a norm in double would
// copy each tensor to doubles first.
double sum_of_squares(const std::vector<torch::Tensor>& tensors) {
  if (tensors.empty()) return 0;
  std::vector<torch::Tensor> norms;
  if (tensors.front().is_cpu()) {
    for (const torch::Tensor& tensor : tensors) norms.push_back(tensor.norm(2, torch::kFloat64));
  } else {
    norms = at::_foreach_norm(tensors, 2);
  }
  const torch::Tensor all = torch::stack(norms).to(torch::kCPU, torch::kFloat64);  // one wait for a GPU, not one a tensor
  double sum = 0;
  for (int64_t i = 0; i < all.size(0); ++i) sum += all.data_ptr<double>()[i] * all.data_ptr<double>()[i];
  return sum;
}

}  // namespace

double Optimizer::gradient_norm() const {
  std::vector<torch::Tensor> gradients;
  if (shard() < Shard::gradients) {  // whole ones, by parameter
    for (const Parameter& parameter : model_.parameters()) gradients.push_back(parameter.grad);
    return std::sqrt(sum_of_squares(gradients));
  }
  for (const SharePiece& piece : shares_->pieces()) gradients.push_back(shares_->gradient_of(piece));
  const double mine = sum_of_squares(gradients);
  double sum = 0;
  for (const std::string& bytes : ranks_->gather(std::string(reinterpret_cast<const char*>(&mine), sizeof mine))) {
    double theirs = 0;
    std::memcpy(&theirs, bytes.data(), sizeof theirs);
    sum += theirs;
  }
  return std::sqrt(sum);
}

std::vector<Optimizer::Part> Optimizer::parts() const {
  std::vector<Part> parts;
  const std::vector<Parameter>& parameters = model_.parameters();
  if (shares_ == nullptr) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      parts.push_back({parameters[i].decay, masters_[i], first_[i], second_[i], parameters[i].grad, parameters[i].value});
    }
    return parts;
  }
  for (const SharePiece& piece : shares_->pieces()) {
    parts.push_back({parameters[piece.parameter].decay, shares_->of_piece(masters_, piece), shares_->of_piece(first_, piece),
                     shares_->of_piece(second_, piece), shares_->gradient_of(piece), shares_->value_of(piece)});
  }
  return parts;
}

void Optimizer::apply(double norm) {
  const torch::NoGradGuard no_grad;
  const double scale = settings_.clip_norm > 0 && norm > settings_.clip_norm ? settings_.clip_norm / (norm + 1e-6) : 1.0;
  const double rate = learning_rate(settings_, updates_);
  ++updates_;
  std::vector<Part> all = parts();
  if (settings_.offload) {
    apply_on_host(all, rate, scale);
  } else if (const auto gpu = ops::gpu::kernels_for(masters_.front())) {
    for (Part& part : all) {  // clip, update and rounding to the parameter in one pass over memory
      const double decay = part.decay ? settings_.weight_decay : 0.0;
      ops::gpu::adamw(*gpu, part.master, part.first, part.second, part.gradient, part.value,
                      {rate, settings_.beta1, settings_.beta2, settings_.eps, decay, scale, updates_});
    }
  } else {
    for (const bool decay : {true, false}) {
      std::vector<torch::Tensor> values, grads, first, second, steps;
      for (Part& part : all) {
        if (part.decay != decay) continue;
        if (scale != 1.0) part.gradient.mul_(scale);
        values.push_back(part.master);
        grads.push_back(part.gradient);
        first.push_back(part.first);
        second.push_back(part.second);
        steps.push_back(torch::tensor(static_cast<double>(updates_),
                                      torch::TensorOptions().dtype(torch::kFloat32).device(part.master.device())));
      }
      if (values.empty()) continue;
      at::_fused_adamw_(values, grads, first, second, {}, steps, rate, settings_.beta1, settings_.beta2,
                        decay ? settings_.weight_decay : 0.0, settings_.eps, false, false);
    }
    for (Part& part : all) {
      if (part.value.scalar_type() != torch::kFloat32) part.value.copy_(part.master);
    }
  }
  if (shares_ != nullptr) shares_->end_update();
}

void Optimizer::apply_on_host(const std::vector<Part>& parts, double rate, double scale) const {
  if (parts.empty()) return;  // a share of padding alone
  const torch::Tensor step = torch::tensor(static_cast<double>(updates_), torch::kFloat32);
  int64_t most = 0;
  for (const Part& part : parts) most = std::max(most, std::min(part.gradient.numel(), settings_.offload_numbers));
  const bool on_gpu = parts.front().gradient.is_cuda();
  const torch::Tensor come = host_room(most, torch::kFloat32, on_gpu);
  const torch::Tensor go = shares_ == nullptr ? host_room(most, model_.numerics().dtype, on_gpu) : torch::Tensor();
  for (const Part& part : parts) {
    for (int64_t from = 0; from < part.gradient.numel(); from += most) {
      const int64_t count = std::min(most, part.gradient.numel() - from);
      const auto piece = [&](const torch::Tensor& whole) { return whole.view({-1}).slice(0, from, from + count); };
      const torch::Tensor gradient = come.slice(0, 0, count), master = piece(part.master);
      gradient.copy_(piece(part.gradient));
      if (scale != 1.0) gradient.mul_(scale);
      at::_fused_adamw_({master}, {gradient}, {piece(part.first)}, {piece(part.second)}, {}, {step}, rate, settings_.beta1,
                        settings_.beta2, part.decay ? settings_.weight_decay : 0.0, settings_.eps, false, false);
      if (shares_ != nullptr) continue;  // shares put the parameters together themselves
      piece(part.value).copy_(go.slice(0, 0, count).copy_(master));
    }
  }
}

std::string Optimizer::name_of(size_t index) const {
  return shares_ != nullptr ? shares_->layouts()[index].unit.name : model_.parameters()[index].name;
}

std::map<std::string, torch::Tensor> Optimizer::state() const {
  std::map<std::string, torch::Tensor> state;
  for (size_t i = 0; i < masters_.size(); ++i) {
    state["master." + name_of(i)] = masters_[i];
    state["first." + name_of(i)] = first_[i];
    state["second." + name_of(i)] = second_[i];
  }
  return state;
}

void Optimizer::restore(const std::map<std::string, torch::Tensor>& state, int64_t updates) {
  const torch::NoGradGuard no_grad;
  const auto copy = [&](torch::Tensor& target, const std::string& name) {
    const auto found = state.find(name);
    if (found == state.end()) throw Error("expected the tensor {}, found none", name);
    if (found->second.sizes() != target.sizes()) {
      throw Error("{}: expected shape {}, found {}", name, fmt::join(target.sizes(), "x"),
                  fmt::join(found->second.sizes(), "x"));
    }
    target.copy_(found->second);
  };
  for (size_t i = 0; i < masters_.size(); ++i) {
    copy(masters_[i], "master." + name_of(i));
    copy(first_[i], "first." + name_of(i));
    copy(second_[i], "second." + name_of(i));
  }
  if (shares_ != nullptr) {
    shares_->end_update();
  } else {
    for (size_t i = 0; i < masters_.size(); ++i) {
      torch::Tensor& value = model_.parameters()[i].value;
      if (value.data_ptr() != masters_[i].data_ptr()) value.copy_(masters_[i]);
    }
  }
  updates_ = updates;
}

}  // namespace harness
