// MEDS as a Method: memory-enhanced dynamic reward shaping (arXiv 2604.11297).
//
// Differs from its base (DAPO) in:
// 1. R: wrong responses lose b = alpha * min(ln(size + 1), beta / alpha), size = earlier wrong responses to the same problem in
//    the cluster that the response's fingerprint falls into.
// 2. State: the error memory, kept in the checkpoint as meds.json and meds-*.safetensors.
#pragma once

#include <memory>
#include <string>

#include "harness/train/method/method.h"
#include "meds/memory.h"

namespace meds {

class MedsMethod : public harness::Method {
 public:
  explicit MedsMethod(const Settings& settings) : memory_(settings) {}

  [[nodiscard]] std::string name() const override { return "meds"; }
  [[nodiscard]] harness::Needs needs() const override;
  [[nodiscard]] bool shapes_rewards() const override { return true; }
  [[nodiscard]] bool remembers() const override { return true; }
  // The memory looks the step up and stores it, penalty.h says what that costs. Metrics: meds_history_share (of wrong
  // responses: those that met a history), meds_noise_share (of those: in no cluster), meds_repeated_answer_share (of wrong
  // responses with an answer: the same wrong answer was stored by an earlier step), meds_size_mean and meds_penalty_mean (over
  // penalised responses' whole target), meds_penalty_share (penalty above 0), meds_penalty_at/B (share of that target with
  // penalty B, one for each size from 0 to where the penalty is capped); does the size track recurrence: meds_rank_label,
  // meds_rank_answer (over wrong responses that met a history and have a true error label, an answer: rank correlation of the
  // size looked up and of the wrong responses with the same label, answer stored by earlier steps; left out where it is
  // undefined); what the group's normalisation leaves: meds_spread (standard deviation of the penalties among a group's wrong
  // responses, mean over groups with two at least), meds_all_wrong_spread (the same over groups that are all wrong; both left
  // out where there is no such group).
  void shape_rewards(const harness::StepBatch& step, std::vector<double>& scores, harness::Metrics& metrics) override;
  void save_state(const std::string& folder, const std::string& previous) const override {
    memory_.save(folder, "meds", previous);
  }
  void load_state(const std::string& folder) override { memory_.load(folder); }
  // meds_stored (responses) and meds_histories.
  void report_state(harness::Metrics& metrics) const override;

  [[nodiscard]] const ErrorMemory& memory() const { return memory_; }

 private:
  ErrorMemory memory_;
};

// How the program knows it: name "meds", keys method.* of meds/settings.h.
harness::MethodEntry meds_entry();

}  // namespace meds
