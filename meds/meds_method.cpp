#include "meds/meds_method.h"

#include <fmt/format.h>

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

// Shares of the penalties of `sizes`, by penalty. Sizes beyond the cap, or beyond the last bin, fall into the last.
void add_penalty_histogram(const std::vector<int64_t>& sizes, const Settings& settings, harness::Metrics& metrics) {
  constexpr int64_t kMostBins = 16;
  std::vector<double> bins;
  for (int64_t size = 0; size < kMostBins; ++size) {
    bins.push_back(penalty(size, settings.alpha, settings.beta));
    if (size > 0 && bins.back() >= settings.beta) break;
  }
  std::vector<int64_t> counts(bins.size(), 0);
  for (const int64_t size : sizes) ++counts[static_cast<size_t>(std::min(size, static_cast<int64_t>(bins.size()) - 1))];
  for (size_t b = 0; b < bins.size(); ++b) {
    metrics[fmt::format("meds_penalty_at/{:.3f}", bins[b])] +=
        static_cast<double>(counts[b]) / std::max(1.0, static_cast<double>(sizes.size()));
  }
}

}  // namespace

harness::Needs MedsMethod::needs() const {
  harness::Needs needs;
  needs.fingerprints = memory_.settings().needs_fingerprints();
  needs.answers = memory_.settings().needs_answers();
  needs.error_labels = memory_.settings().needs_error_labels();
  return needs;
}

void MedsMethod::shape_rewards(const harness::StepBatch& step, std::vector<double>& scores, harness::Metrics& metrics) {
  const Settings& settings = memory_.settings();
  Mean repeated;
  for (const harness::Sample& sample : step.samples) {
    if (!sample.correct && sample.has_answer) repeated.add(memory_.has_stored_answer(sample) ? 1 : 0);
  }
  const std::vector<Recalled> recalled = memory_.recall_and_store(step.samples, step.step);
  const Penalties penalties = penalise(settings, step.samples, recalled, scores);
  scores = penalties.scores;
  Mean history;
  Mean noise;
  Mean size;
  Mean penalty;
  Mean penalised;
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < step.samples.size(); ++i) {
    const bool correct = step.samples[i].correct;
    if (!correct) {
      history.add(recalled[i].had_history ? 1 : 0);
      if (recalled[i].label) noise.add(*recalled[i].label < 0 ? 1 : 0);
    }
    if (!is_targeted(settings.target, correct)) continue;
    size.add(static_cast<double>(penalties.sizes[i]));
    sizes.push_back(penalties.sizes[i]);
    penalty.add(penalties.penalties[i]);
    penalised.add(penalties.penalties[i] > 0 ? 1 : 0);
  }
  metrics["meds_history_share"] = history.value();
  metrics["meds_noise_share"] = noise.value();
  metrics["meds_repeated_answer_share"] = repeated.value();
  metrics["meds_size_mean"] = size.value();
  metrics["meds_penalty_mean"] = penalty.value();
  metrics["meds_penalty_share"] = penalised.value();
  if (settings.target != PenaltyTarget::none) add_penalty_histogram(sizes, settings, metrics);
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
  entry.make = [](harness::MethodKeys& keys) { return std::make_unique<MedsMethod>(read_settings(keys)); };
  return entry;
}

}  // namespace meds
