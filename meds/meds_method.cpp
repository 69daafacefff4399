#include "meds/meds_method.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/stats/rank_correlation.h"
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

// Sizes looked up beside how often the same came before.
struct Recurrence {
  std::vector<double> sizes, times;
  void add(int64_t size, int64_t times_before) {
    sizes.push_back(static_cast<double>(size));
    times.push_back(static_cast<double>(times_before));
  }
  void report(const std::string& name, harness::Metrics& metrics) const {
    const double correlation = harness::rank_correlation(sizes, times);
    if (!std::isnan(correlation)) metrics[name] = correlation;
  }
};

// What a group's normalisation leaves of the penalties: their standard deviation over a group's wrong responses, mean over the
// groups with two at least.
void add_spreads(const harness::StepBatch& step, const std::vector<double>& penalties, harness::Metrics& metrics) {
  Mean spread, all_wrong_spread;
  harness::for_each_group(step.samples, [&](size_t begin, size_t end) {
    Mean penalty, square;
    for (size_t i = begin; i < end; ++i) {
      if (!step.samples[i].correct) penalty.add(penalties[i]);
    }
    if (penalty.count < 2) return;
    for (size_t i = begin; i < end; ++i) {
      if (!step.samples[i].correct) square.add(std::pow(penalties[i] - penalty.value(), 2));
    }
    spread.add(std::sqrt(square.value()));
    if (penalty.count == static_cast<double>(end - begin)) all_wrong_spread.add(std::sqrt(square.value()));
  });
  if (spread.count > 0) metrics["meds_spread"] = spread.value();
  if (all_wrong_spread.count > 0) metrics["meds_all_wrong_spread"] = all_wrong_spread.value();
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
  std::vector<int64_t> times_answered, times_labelled;  // before this step
  for (const harness::Sample& sample : step.samples) {
    times_answered.push_back(memory_.times_answered(sample));
    times_labelled.push_back(memory_.times_labelled(sample));
    if (!sample.correct && sample.has_answer) repeated.add(times_answered.back() > 0 ? 1 : 0);
  }
  const std::vector<Recalled> recalled = memory_.recall_and_store(step.samples, step.step);
  const Penalties penalties = penalise(settings, step.samples, recalled, scores);
  scores = penalties.scores;
  Mean history;
  Mean noise;
  Mean size;
  Mean penalty;
  Mean penalised;
  Recurrence of_labels, of_answers;
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < step.samples.size(); ++i) {
    const harness::Sample& sample = step.samples[i];
    const bool correct = sample.correct;
    if (!correct && recalled[i].had_history) {
      if (!sample.error_label.empty()) of_labels.add(recalled[i].size, times_labelled[i]);
      if (sample.has_answer) of_answers.add(recalled[i].size, times_answered[i]);
    }
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
  of_labels.report("meds_rank_label", metrics);
  of_answers.report("meds_rank_answer", metrics);
  add_spreads(step, penalties.penalties, metrics);
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
