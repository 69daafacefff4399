#include "harness/train/method/method.h"

#include <torch/types.h>

#include <algorithm>

#include "harness/core/error.h"
#include "harness/rl/advantages.h"

namespace harness {

Needs Needs::operator|(const Needs& other) const {
  return {.fingerprints = fingerprints || other.fingerprints,
          .readouts = readouts || other.readouts,
          .answers = answers || other.answers,
          .error_labels = error_labels || other.error_labels,
          .sampling_entropies = sampling_entropies || other.sampling_entropies,
          .current_log_probs = current_log_probs || other.current_log_probs,
          .current_entropies = current_entropies || other.current_entropies,
          .entropy_gradient = entropy_gradient || other.entropy_gradient,
          .reference_log_probs = reference_log_probs || other.reference_log_probs};
}

namespace {

using Owns = bool (Method::*)() const;

const Method* owner_of(const std::vector<std::unique_ptr<Method>>& methods, Owns owns) {
  for (const auto& method : methods) {
    if (((*method).*owns)()) return method.get();
  }
  return nullptr;
}

void refuse_two_owners(const std::vector<std::unique_ptr<Method>>& methods, Owns owns, const std::string& seam) {
  const Method* first = owner_of(methods, owns);
  for (const auto& method : methods) {
    if (method.get() != first && ((*method).*owns)()) {
      throw Error("method.name: expected one method that owns {}, found {} and {}", seam, first->name(), method->name());
    }
  }
}

void require_tensor(const torch::Tensor& tensor, bool needed, const std::string& method, const std::string& what) {
  if (needed && !tensor.defined()) throw Error("method {}: expected {}, found none", method, what);
}

}  // namespace

MethodStack::MethodStack(std::vector<std::unique_ptr<Method>> methods) : methods_(std::move(methods)) {
  for (size_t i = 0; i < methods_.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (methods_[i]->name() == methods_[j]->name()) {
        throw Error("method.name: expected each method once, found {} twice", methods_[i]->name());
      }
    }
    if (i > 0 && methods_[i]->replaces_rewards()) {
      throw Error("method.name: expected {} first, because it replaces the rewards that {} shapes; found it after {}",
                  methods_[i]->name(), methods_[i - 1]->name(), methods_[i - 1]->name());
    }
  }
  refuse_two_owners(methods_, &Method::owns_advantages, "the group advantage");
  refuse_two_owners(methods_, &Method::owns_selection, "the token selection");
  refuse_two_owners(methods_, &Method::owns_policy_terms, "the loss form");
}

Needs MethodStack::needs() const {
  Needs needs;
  for (const auto& method : methods_) needs = needs | method->needs();
  return needs;
}

void MethodStack::adjust_sampling(SamplingSettings& settings) const {
  for (const auto& method : methods_) method->adjust_sampling(settings);
}

void MethodStack::shape_rewards(const StepBatch& step, std::vector<double>& scores, Metrics& metrics) {
  MEDSBENCH_CHECK(scores.size() == step.samples.size(), "{} scores for {} samples", scores.size(), step.samples.size());
  for (const auto& method : methods_) method->shape_rewards(step, scores, metrics);
}

std::vector<double> MethodStack::advantages(const StepBatch& step, std::span<const double> scores) const {
  const size_t count = step.samples.size();
  MEDSBENCH_CHECK(scores.size() == count, "{} scores for {} samples", scores.size(), count);
  const Method* owner = owner_of(methods_, &Method::owns_advantages);
  const std::span<const Sample> samples(step.samples);
  std::vector<double> advantages(count, 0.0);
  for (size_t begin = 0; begin < count;) {
    size_t end = begin + 1;
    while (end < count && samples[end].group == samples[begin].group) ++end;
    const std::span<double> out = std::span(advantages).subspan(begin, end - begin);
    if (owner != nullptr) {
      owner->group_advantages(samples.subspan(begin, end - begin), scores.subspan(begin, end - begin), out);
    } else {
      normalised_advantages(scores.subspan(begin, end - begin), out);
    }
    begin = end;
  }
  return advantages;
}

void MethodStack::shape_token_advantages(TokenBatch& batch) const {
  for (const auto& method : methods_) {
    const Needs needs = method->needs();
    require_tensor(batch.sampling_entropies, needs.sampling_entropies, method->name(), "entropies of the sampling policy");
    require_tensor(batch.current_log_probs, needs.current_log_probs, method->name(), "log-probs of the current policy");
    require_tensor(batch.current_entropies, needs.current_entropies, method->name(), "entropies of the current policy");
  }
  for (const auto& method : methods_) method->observe(batch);
  for (const auto& method : methods_) method->shape_token_advantages(batch);
}

torch::Tensor MethodStack::select_tokens(const TokenBatch& batch) const {
  const Method* owner = owner_of(methods_, &Method::owns_selection);
  return owner == nullptr ? torch::Tensor() : owner->select_tokens(batch);
}

torch::Tensor MethodStack::loss(const LossSettings& settings, const LossInputs& inputs, const Denominators& global,
                                LossSums& sums) const {
  for (const auto& method : methods_) {
    require_tensor(inputs.entropies, method->needs().entropy_gradient, method->name(), "entropies with a gradient");
    require_tensor(inputs.ref_log_probs, method->needs().reference_log_probs, method->name(),
                   "log-probs of the reference policy");
    require_tensor(inputs.selected, method->owns_selection(), method->name(), "the selected tokens");
  }
  if (settings.kl_coef > 0 && !inputs.ref_log_probs.defined()) {
    throw Error("loss.kl_coef: expected log-probs of the reference policy because it is {}, found none", settings.kl_coef);
  }
  record_divergence(inputs, sums);
  if (inputs.selected.defined()) sums["selected_fraction"] += (inputs.selected * inputs.mask).sum().item<double>();

  const Method* owner = owner_of(methods_, &Method::owns_policy_terms);
  torch::Tensor terms =
      owner == nullptr ? clipped_surrogate(settings, inputs, sums) : owner->policy_terms(settings, inputs, sums);
  if (settings.kl_coef > 0) terms = terms + settings.kl_coef * k3_kl(inputs);
  for (const auto& method : methods_) {
    const torch::Tensor extra = method->extra_terms(settings, inputs, sums);
    if (extra.defined()) terms = terms + extra;
  }
  return aggregate(settings, terms, inputs.mask, global);
}

void MethodStack::after_update(const Metrics& metrics) {
  for (const auto& method : methods_) method->after_update(metrics);
}

void MethodStack::save_state(const std::string& folder, const std::string& previous) const {
  for (const auto& method : methods_) method->save_state(folder, previous);
}

void MethodStack::load_state(const std::string& folder) {
  for (const auto& method : methods_) method->load_state(folder);
}

void MethodStack::report_state(Metrics& metrics) const {
  for (const auto& method : methods_) method->report_state(metrics);
}

}  // namespace harness
