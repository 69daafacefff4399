#include "harness/train/method/method.h"

#include <fmt/ranges.h>
#include <torch/types.h>

#include "harness/core/error.h"
#include "harness/rl/advantages.h"

namespace harness {

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

void refuse_unread_rewards(const std::vector<std::unique_ptr<Method>>& methods) {
  for (const auto& owner : methods) {
    if (!owner->owns_advantages() || owner->reads_scores()) continue;
    for (const auto& method : methods) {
      if (method != owner && method->shapes_rewards()) {
        throw Error(
            "method.name: expected no method that shapes rewards beside {}, whose advantage looks at right and wrong alone; "
            "found {}",
            owner->name(), method->name());
      }
    }
  }
}

void refuse_truth_beside_its_control(const std::vector<std::unique_ptr<Method>>& methods) {
  for (const auto& control : methods) {
    if (!control->ignores_truth()) continue;
    for (const auto& method : methods) {
      if (method != control && (method->shapes_rewards() || method->reshapes_advantages())) {
        throw Error(
            "method.name: expected no method that shapes rewards or reshapes advantages beside {}, whose rewards say nothing "
            "of "
            "right and wrong; found {}",
            control->name(), method->name());
      }
    }
  }
}

void require_tensor(const torch::Tensor& tensor, bool needed, const std::string& method, const std::string& what) {
  if (needed && !tensor.defined()) throw Error("method {}: expected {}, found none", method, what);
}

}  // namespace

std::string seams_of(const Method& method) {
  std::vector<const char*> seams;
  if (method.adjusts_sampling()) seams.push_back("S");
  if (method.shapes_rewards()) seams.push_back(method.remembers() ? "R + memory" : "R");
  if (method.owns_advantages()) seams.push_back("G");
  if (method.reshapes_advantages()) seams.push_back("A");
  if (method.shapes_tokens()) seams.push_back("T");
  if (method.owns_selection()) seams.push_back("Q");
  if (method.owns_policy_terms()) seams.push_back("L");
  if (method.adds_terms()) seams.push_back("E");
  return seams.empty() ? "-" : fmt::format("{}", fmt::join(seams, ","));
}

MethodStack::MethodStack(std::vector<std::unique_ptr<Method>> methods) : methods_(std::move(methods)) {
  refuse_unread_rewards(methods_);
  refuse_truth_beside_its_control(methods_);
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
  for_each_group(samples, [&](size_t begin, size_t end) {
    const std::span<const Sample> group = samples.subspan(begin, end - begin);
    const std::span<const double> own = scores.subspan(begin, end - begin);
    const std::span<double> out = std::span(advantages).subspan(begin, end - begin);
    if (owner != nullptr) {
      owner->group_advantages(group, own, out);
    } else {
      normalised_advantages(own, out);
    }
    for (const auto& method : methods_) method->reshape_advantages(group, own, out);
  });
  return advantages;
}

void MethodStack::shape_token_advantages(TokenBatch& batch) const {
  for (const auto& method : methods_) {
    const Needs needs = method->needs();
    require_tensor(batch.sampling_entropies, needs.sampling_entropies, method->name(), "entropies of the sampling policy");
    require_tensor(batch.current_log_probs, needs.current_log_probs, method->name(), "log-probs of the current policy");
    require_tensor(batch.current_entropies, needs.current_entropies, method->name(), "entropies of the current policy");
    require_tensor(batch.stored, needs.stored_samples > 0, method->name(), "which tokens are of stored answers");
    require_tensor(batch.old_top_log_probs, needs.top_tokens > 0, method->name(), "log-probs of the most likely tokens");
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
    require_tensor(inputs.top_log_probs, method->needs().top_gradient, method->name(),
                   "log-probs of the most likely tokens with a gradient");
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
