#include "meds/meds_method.h"

#include <algorithm>

#include "meds/penalty.h"

namespace meds {

namespace {

// Adds up a mean; empty: 0.
struct Mean {
  double sum = 0;
  double count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
  [[nodiscard]] double value() const { return count > 0 ? sum / count : 0; }
};

}  // namespace

harness::Needs MedsMethod::needs() const {
  harness::Needs needs;
  needs.fingerprints = memory_.settings().needs_fingerprints();
  needs.answers = memory_.settings().needs_answers();
  needs.error_labels = memory_.settings().needs_error_labels();
  return needs;
}

void MedsMethod::shape_rewards(const harness::StepBatch& step, std::vector<double>& scores, harness::Metrics& metrics) {
  std::vector<Response> responses;
  for (size_t i = 0; i < step.samples.size(); ++i) {
    const harness::Sample& sample = step.samples[i];
    responses.push_back({sample.problem, sample.correct, scores[i], sample.fingerprint,
                         sample.has_answer ? std::optional<std::string>(sample.answer) : std::nullopt, sample.error_label});
  }
  Mean repeated;
  for (const Response& response : responses) {
    if (!response.correct && response.answer) repeated.add(memory_.has_stored_answer(response) ? 1 : 0);
  }
  const Shaping shaping = memory_.shape(responses, step.step);
  Mean history;
  Mean noise;
  Mean size;
  Mean penalty;
  Mean penalised;
  for (size_t i = 0; i < responses.size(); ++i) {
    if (!responses[i].correct) {
      history.add(shaping.had_history[i]);
      if (shaping.labels[i]) noise.add(*shaping.labels[i] < 0 ? 1 : 0);
    }
    if (is_targeted(memory_.settings().target, responses[i].correct)) {
      size.add(static_cast<double>(shaping.sizes[i]));
      penalty.add(shaping.penalties[i]);
      penalised.add(shaping.penalties[i] > 0 ? 1 : 0);
    }
  }
  scores = shaping.scores;
  metrics["meds_history_share"] = history.value();
  metrics["meds_noise_share"] = noise.value();
  metrics["meds_repeated_answer_share"] = repeated.value();
  metrics["meds_size_mean"] = size.value();
  metrics["meds_penalty_mean"] = penalty.value();
  metrics["meds_penalty_share"] = penalised.value();
}

void MedsMethod::report_state(harness::Metrics& metrics) const {
  metrics["meds_stored"] = static_cast<double>(memory_.size());
  metrics["meds_histories"] = static_cast<double>(memory_.histories().size());
}

harness::MethodEntry meds_entry() {
  harness::MethodEntry entry;
  entry.name = "meds";
  entry.title = "MEDS";
  entry.source = "arXiv 2604.11297";
  entry.hook = "R";
  entry.make = [](harness::MethodKeys& keys) { return std::make_unique<MedsMethod>(read_settings(keys)); };
  return entry;
}

}  // namespace meds
