#include "harness/train/step/step.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "harness/train/step/batch_loss.h"
#include "harness/train/step/step_metrics.h"

namespace harness {

namespace {

// Adds the time until it is destroyed to one entry.
class Stopwatch {
 public:
  Stopwatch(Seconds& seconds, const std::string& part) : total_(seconds[part]), begin_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() { total_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& total_;
  std::chrono::steady_clock::time_point begin_;
};

MiniBatch mini_batch_of(const StepParts& p, const std::vector<TrainRow>& rows, std::string place) {
  return {rows, p.settings, std::move(place), p.inputs.limits, p.inputs.ranks};
}

// Recomputed log-probs, the most likely tokens, and log-probs of the reference policy. Returns the number of passes.
int score(const StepParts& p, std::vector<TrainRow>& rows, const std::string& place, Metrics& metrics) {
  int passes = 0;
  const int64_t top = p.methods.needs().top_tokens;
  if (p.settings.recompute_old_log_probs || top > 0) {
    RowStatistics now = score_rows(p.policy, mini_batch_of(p, rows, place), top);
    for (size_t b = 0; b < now.top_ids.size(); ++b) {
      rows[b].top_ids = std::move(now.top_ids[b]);
      rows[b].top_log_probs = std::move(now.top_log_probs[b]);
    }
    if (p.settings.recompute_old_log_probs) {
      const ScoringDifference found = replace_old_log_probs(rows, std::move(now.log_probs), p.settings.importance_cap);
      metrics["sampling_scoring_difference"] = found.largest;
      metrics["sampling_scoring_chi_square"] = found.chi_square;
      metrics["sampling_scoring_perplexity"] = found.perplexity_ratio;
    }
    ++passes;
  }
  if (p.reference != nullptr) {
    RowStatistics reference = score_rows(*p.reference->on_device(), mini_batch_of(p, rows, place));
    for (size_t b = 0; b < rows.size(); ++b) rows[b].ref_log_probs = std::move(reference.log_probs[b]);
    ++passes;
  }
  return passes;
}

StepBatch step_batch_of(const Collected& collected, int64_t step) {
  StepBatch batch{.step = step, .groups = static_cast<int64_t>(collected.groups.size()), .samples = {}};
  for (const RolloutGroup& group : collected.groups) {
    batch.samples.insert(batch.samples.end(), group.samples.begin(), group.samples.end());
  }
  return batch;
}

// The rows of mini_batch_prompts groups after another.
std::vector<std::vector<TrainRow>> mini_batches(std::vector<TrainRow> rows, int64_t mini_batch_prompts) {
  std::vector<std::vector<TrainRow>> parts;
  for (TrainRow& row : rows) {
    const auto part = static_cast<size_t>(row.group / mini_batch_prompts);
    if (part >= parts.size()) parts.resize(part + 1);
    parts[part].push_back(std::move(row));
  }
  return parts;
}

}  // namespace

StepResult run_step(StepParts& p, int64_t step) {
  StepResult result;
  Metrics& metrics = result.metrics;

  // problems -> sample -> verify -> filter
  Collected collected;
  {
    const Stopwatch watch(result.seconds, "rollout");
    const WholeParameters whole(p.policy);
    collected = collect_groups(p.policy, p.inputs, p.cursor, step);
  }
  result.tokens_generated = collected.tokens_generated;
  result.responses_generated = collected.responses_generated;
  result.responses_kept = collected.responses_kept();
  record_sampling_work(collected, p.policy.config(), result.seconds, result.work);
  record_rollout(collected, metrics);
  record_diversity(collected, metrics);
  record_error_labels(collected, metrics);
  if (p.inputs.stored != nullptr) metrics["stored_groups"] = static_cast<double>(collected.groups_stored);
  if (p.inputs.fingerprints) record_missing_fingerprints(collected, metrics);
  if (collected.groups.empty()) return result;

  // -> score
  std::vector<TrainRow> rows = make_rows(collected, p.settings);
  {
    const Stopwatch watch(result.seconds, "score");
    const int passes = score(p, rows, fmt::format("step {}", step), metrics);
    record_training_work(rows, p.policy.config(), passes, p.methods.needs(), result.work);
  }

  // -> shape -> advantage -> reshape
  {
    const Stopwatch watch(result.seconds, "shape");
    const StepBatch batch = step_batch_of(collected, step);
    const ShapedRewards shaped = shape_rewards(p.methods, batch, metrics);
    record_rewards(batch, shaped.scores, metrics);
    for (size_t b = 0; b < rows.size(); ++b) rows[b].advantage = shaped.advantages[b];
  }

  // -> select -> loss -> update, mini-batch by mini-batch
  {
    const Stopwatch watch(result.seconds, "update");
    UpdateMetrics updates;
    int64_t number = 0;
    for (const std::vector<TrainRow>& part : mini_batches(std::move(rows), p.settings.mini_batch_prompts)) {
      const std::string place = fmt::format("step {}, mini-batch {}", step, ++number);
      const auto update = update_mini_batch(p.policy, p.optimizer, p.methods, mini_batch_of(p, part, place));
      if (update) updates.add(*update);
    }
    updates.record(metrics);
  }
  p.methods.report_state(metrics);
  return result;
}

}  // namespace harness
