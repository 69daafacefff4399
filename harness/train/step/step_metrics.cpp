#include "harness/train/step/step_metrics.h"

#include <algorithm>
#include <map>
#include <string>

namespace harness {

void record_rollout(const Collected& c, Metrics& metrics) {
  const auto responses = static_cast<double>(std::max<int64_t>(1, c.responses_generated));
  metrics["rollout_pass_rate"] = static_cast<double>(c.tally.count(ResponseKind::right)) / responses;
  metrics["truncated"] = static_cast<double>(c.responses_truncated) / responses;
  metrics["no_answer"] = static_cast<double>(c.responses_without_answer) / responses;
  metrics["response_tokens"] = static_cast<double>(c.tokens_generated) / responses;
  metrics["sampling_entropy"] = c.entropy_sum / static_cast<double>(std::max<int64_t>(1, c.tokens_generated));
  metrics["groups_generated"] = static_cast<double>(c.groups_generated);
  metrics["groups_kept"] = static_cast<double>(c.groups.size());
  metrics["gen_batches"] = static_cast<double>(c.gen_batches);
  metrics["responses_generated"] = static_cast<double>(c.responses_generated);
  metrics["responses_kept"] = static_cast<double>(c.responses_kept());
  metrics["tokens_generated"] = static_cast<double>(c.tokens_generated);
  metrics["starved"] = c.starved ? 1 : 0;
  const auto share = [&](const char* name, int64_t part, int64_t whole) {
    if (whole > 0) metrics[name] = static_cast<double>(part) / static_cast<double>(whole);
  };
  share("one_sided_groups", c.groups_generated - c.groups_mixed, c.groups_generated);
  share("repeated_wrong", c.repeated_wrong_answers, c.wrong_answers);
  share("grader_disagreement", c.graders_disagree, c.graded_twice);
}

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

void record_missing_fingerprints(const Collected& c, Metrics& metrics) {
  bool answered = false;
  for (const RolloutGroup& group : c.groups) {
    for (const Sample& sample : group.samples) {
      if (!sample.fingerprint.empty()) return;
      answered = answered || sample.has_answer;
    }
  }
  if (answered) metrics["no_fingerprints"] = 1;
}

void record_rewards(const StepBatch& batch, const std::vector<double>& scores, Metrics& metrics) {
  double reward = 0, shaped = 0;
  for (const Sample& sample : batch.samples) reward += sample.reward;
  for (const double score : scores) shaped += score;
  metrics["reward"] = reward / static_cast<double>(scores.size());
  metrics["shaped_reward"] = shaped / static_cast<double>(scores.size());
}

void UpdateMetrics::add(const Metrics& update) {
  const double log_ratio = update.at("largest_log_ratio");
  if (updates_ == 0) first_log_ratio_ = log_ratio;
  largest_log_ratio_ = std::max(largest_log_ratio_, log_ratio);
  for (const auto& [name, value] : update) sums_[name] += value;
  ++updates_;
}

void UpdateMetrics::record(Metrics& metrics) const {
  metrics["updates"] = static_cast<double>(updates_);
  if (updates_ == 0) return;
  for (const auto& [name, sum] : sums_) metrics[name] = sum / static_cast<double>(updates_);
  metrics["first_log_ratio"] = first_log_ratio_;
  metrics["largest_log_ratio"] = largest_log_ratio_;
}

void record_sampling_work(const Collected& c, const ModelConfig& shape, Seconds& seconds, Work& work) {
  seconds["readout"] += c.readout_seconds;
  seconds["decode"] += c.decode_seconds;
  work["rollout"].tokens += static_cast<double>(c.tokens_generated);
  work["rollout"].flops += flops_of(shape, c.work);
  work["decode"].tokens += c.decoded.tokens;
  work["decode"].flops += flops_of(shape, c.decoded);
  work["decode"].bytes += c.decode_bytes;
}

void record_training_work(const std::vector<TrainRow>& rows, const ModelConfig& shape, int scored, const Needs& needs,
                          Work& work) {
  const TokenWork tokens = work_of(rows);
  const double forward = flops_of(shape, tokens);
  if (scored > 0) {
    work["score"].tokens += scored * tokens.logits;
    work["score"].flops += scored * forward;
  }
  work["update"].tokens += tokens.logits;
  work["update"].flops += (needs.current_log_probs || needs.current_entropies ? 4 : 3) * forward;
}

}  // namespace harness
