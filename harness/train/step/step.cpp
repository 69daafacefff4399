#include "harness/train/step/step.h"

#include <chrono>
#include <cmath>
#include <numeric>

#include "harness/core/error.h"
#include "harness/core/random.h"

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

std::vector<TrainRow> make_rows(const Collected& collected, const TrainSettings& settings, int64_t step) {
  std::vector<TrainRow> rows;
  for (const RolloutGroup& group : collected.groups) {
    for (size_t k = 0; k < group.responses.size(); ++k) {
      TrainRow row;
      row.prompt = &group.prompt;
      row.group = group.samples[k].group;
      row.response = &group.responses[k];
      row.counts = !(settings.mask_truncated && !group.responses[k].stopped);
      row.key = RandomStream("row", {settings.seed, group.samples[k].problem, static_cast<uint64_t>(step), k}).key();
      row.old_log_probs = group.responses[k].log_probs;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

// Recomputed log-probs and those of the reference policy; the largest difference between sampling and scoring.
void score(const StepParts& p, std::vector<TrainRow>& rows, const std::string& place, Metrics& metrics) {
  if (p.settings.recompute_old_log_probs) {
    RowStatistics now = score_rows(p.policy, rows, p.settings, p.inputs.limits, place, p.inputs.ranks);
    double largest = 0;
    for (size_t b = 0; b < rows.size(); ++b) {
      TrainRow& row = rows[b];
      for (size_t t = 0; t < now.log_probs[b].size(); ++t) {
        const float difference = now.log_probs[b][t] - row.old_log_probs[t];
        largest = std::max(largest, static_cast<double>(std::abs(difference)));
        if (p.settings.importance_cap > 0) {
          row.weights.push_back(std::min(std::exp(difference), static_cast<float>(p.settings.importance_cap)));
        }
      }
      row.old_log_probs = std::move(now.log_probs[b]);
    }
    metrics["sampling_scoring_difference"] = largest;
  }
  if (p.reference != nullptr) {
    RowStatistics reference = score_rows(*p.reference->on_device(), rows, p.settings, p.inputs.limits, place, p.inputs.ranks);
    for (size_t b = 0; b < rows.size(); ++b) rows[b].ref_log_probs = std::move(reference.log_probs[b]);
  }
}

void record_rollout(const Collected& c, const TrainSettings& settings, Metrics& metrics) {
  const auto responses = static_cast<double>(std::max<int64_t>(1, c.responses_generated));
  metrics["train_pass_rate"] = static_cast<double>(c.responses_right) / responses;
  metrics["truncated"] = static_cast<double>(c.responses_truncated) / responses;
  metrics["no_answer"] = static_cast<double>(c.responses_without_answer) / responses;
  metrics["response_tokens"] = static_cast<double>(c.tokens_generated) / responses;
  metrics["sampling_entropy"] = c.entropy_sum / static_cast<double>(std::max<int64_t>(1, c.tokens_generated));
  metrics["groups_generated"] = static_cast<double>(c.groups_generated);
  metrics["groups_kept"] = static_cast<double>(c.groups.size());
  metrics["gen_batches"] = static_cast<double>(c.gen_batches);
  metrics["responses_generated"] = static_cast<double>(c.responses_generated);
  metrics["responses_kept"] = static_cast<double>(c.groups.size()) * static_cast<double>(settings.responses_per_prompt);
  metrics["tokens_generated"] = static_cast<double>(c.tokens_generated);
  metrics["starved"] = c.starved ? 1 : 0;
}

// Distinct answers and the largest group of equal wrong answers, means over the kept groups: diversity as training goes on.
void record_diversity(const Collected& c, Metrics& metrics) {
  double distinct = 0, share = 0;
  int64_t with_wrong = 0;
  for (const RolloutGroup& group : c.groups) {
    std::map<std::string, int64_t> answers, wrong;
    int64_t wrong_count = 0;
    for (const Sample& sample : group.samples) {
      if (sample.has_answer) ++answers[sample.answer];
      if (sample.correct) continue;
      ++wrong_count;
      ++wrong[sample.has_answer ? "=" + sample.answer : ""];
    }
    distinct += static_cast<double>(answers.size());
    if (wrong_count == 0) continue;
    ++with_wrong;
    int64_t largest = 0;
    for (const auto& [answer, count] : wrong) largest = std::max(largest, count);
    share += static_cast<double>(largest) / static_cast<double>(wrong_count);
  }
  if (!c.groups.empty()) metrics["distinct_answers"] = distinct / static_cast<double>(c.groups.size());
  if (with_wrong > 0) metrics["largest_wrong_share"] = share / static_cast<double>(with_wrong);
}

// A memory without fingerprints punishes nothing: said by the trainer.
void record_missing_fingerprints(const Collected& c, const CollectInputs& inputs, Metrics& metrics) {
  if (!inputs.fingerprints) return;
  bool answered = false;
  for (const RolloutGroup& group : c.groups) {
    for (const Sample& sample : group.samples) {
      if (!sample.fingerprint.empty()) return;
      answered = answered || sample.has_answer;
    }
  }
  if (answered) metrics["no_fingerprints"] = 1;
}

void record_error_labels(const Collected& c, Metrics& metrics) {
  std::map<std::string, int64_t> labels;
  int64_t labelled = 0;
  for (const RolloutGroup& group : c.groups) {
    for (const Sample& sample : group.samples) {
      if (sample.error_label.empty()) continue;
      ++labels[sample.error_label];
      ++labelled;
    }
  }
  for (const auto& [label, count] : labels) {
    metrics["error_label/" + label] = static_cast<double>(count) / static_cast<double>(labelled);
  }
}

void record_sampling_work(const Collected& c, const ModelConfig& shape, Seconds& seconds, Work& work) {
  seconds["decode"] += c.decode_seconds;
  work["rollout"].tokens += static_cast<double>(c.tokens_generated);
  work["rollout"].flops += flops_of(shape, c.work);
  work["decode"].tokens += c.decoded.tokens;
  work["decode"].flops += flops_of(shape, c.decoded);
  work["decode"].bytes += c.decode_bytes;
}

// Scoring passes are forward ones; an update is a forward pass and twice as much backward, after a forward one where a method
// asks for the current policy's log-probs or entropies.
void record_training_work(const StepParts& p, const std::vector<TrainRow>& rows, Work& work) {
  const Needs needs = p.methods.needs();
  const TokenWork tokens = work_of(rows);
  const double forward = flops_of(p.policy.config(), tokens);
  const int scored = (p.settings.recompute_old_log_probs ? 1 : 0) + (p.reference != nullptr ? 1 : 0);
  if (scored > 0) {
    work["score"].tokens += scored * tokens.logits;
    work["score"].flops += scored * forward;
  }
  work["update"].tokens += tokens.logits;
  work["update"].flops += (needs.current_log_probs || needs.current_entropies ? 4 : 3) * forward;
}

}  // namespace

Metrics run_step(StepParts& p, int64_t step, Seconds& seconds, Work& work) {
  Metrics metrics;

  // problems -> sample -> verify -> filter
  Collected collected;
  {
    const Stopwatch watch(seconds, "rollout");
    const WholeParameters whole(p.policy);
    collected = collect_groups(p.policy, p.inputs, p.cursor, step);
  }
  seconds["readout"] += collected.readout_seconds;
  record_sampling_work(collected, p.policy.config(), seconds, work);
  record_rollout(collected, p.settings, metrics);
  record_diversity(collected, metrics);
  record_error_labels(collected, metrics);
  record_missing_fingerprints(collected, p.inputs, metrics);
  if (collected.groups.empty()) return metrics;

  // -> score
  std::vector<TrainRow> rows = make_rows(collected, p.settings, step);
  {
    const Stopwatch watch(seconds, "score");
    score(p, rows, fmt::format("step {}", step), metrics);
  }

  record_training_work(p, rows, work);

  // -> shape -> advantage
  StepBatch batch;
  batch.step = step;
  batch.groups = static_cast<int64_t>(collected.groups.size());
  for (const RolloutGroup& group : collected.groups) {
    batch.samples.insert(batch.samples.end(), group.samples.begin(), group.samples.end());
  }
  std::vector<double> scores;
  for (const Sample& sample : batch.samples) scores.push_back(sample.reward);
  {
    const Stopwatch watch(seconds, "shape");
    metrics["reward"] = std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
    p.methods.shape_rewards(batch, scores, metrics);
    metrics["shaped_reward"] = std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
  }
  const std::vector<double> advantages = p.methods.advantages(batch, scores);
  for (size_t b = 0; b < rows.size(); ++b) rows[b].advantage = advantages[b];

  // -> select -> loss -> update, mini-batch by mini-batch
  const Stopwatch watch(seconds, "update");
  Metrics sums;
  int64_t updates = 0;
  for (size_t begin = 0; begin < rows.size();) {
    size_t end = begin;
    const int64_t last_group = rows[begin].group + p.settings.mini_batch_prompts;
    while (end < rows.size() && rows[end].group < last_group) ++end;
    const std::vector<TrainRow> mini_batch(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                           rows.begin() + static_cast<std::ptrdiff_t>(end));
    const std::string place = fmt::format("step {}, mini-batch {}", step, updates + 1);
    const Metrics update = update_mini_batch(p.policy, p.optimizer, p.methods, p.settings, mini_batch, p.optimizer.updates(),
                                             place, p.inputs.limits);
    if (!metrics.contains("first_log_ratio") && update.contains("largest_log_ratio")) {
      // Before the first update (one whose responses are all masked is none) sampling and training policy are one: what is left
      // is numerics, 0 in strict mode.
      metrics["first_log_ratio"] = update.at("largest_log_ratio");
    }
    for (const auto& [name, value] : update) sums[name] += value;
    ++updates;
    begin = end;
  }
  for (const auto& [name, value] : sums) metrics[name] = value / static_cast<double>(updates);
  metrics["updates"] = static_cast<double>(updates);
  p.methods.report_state(metrics);
  return metrics;
}

}  // namespace harness
