// What metrics.jsonl and timing.json say of a step, by the names that stand there.
#pragma once

#include <cstdint>

#include "harness/model/transformer.h"
#include "harness/train/step/collect.h"
#include "harness/train/step/rows.h"
#include "harness/train/step/timing.h"

namespace harness {

// Means over all that was sampled, kept or not (rollout_pass_rate, truncated, no_answer, response_tokens; sampling_entropy in
// nats a token), counts (groups_*, responses_*, tokens_generated, gen_batches) and whether the step starved. Where they are
// defined: one_sided_groups (share of the groups that are all right or all wrong), repeated_wrong (of the wrong answers, those
// that another response of the group gives too), grader_disagreement (of the responses that the second grader graded).
void record_rollout(const Collected& collected, Metrics& metrics);
// Diversity as training goes on: distinct_answers (a kept group) and largest_wrong_share (the share of a group's wrong
// responses that give its most frequent wrong answer, no answer being one), means over the groups where they are defined.
void record_diversity(const Collected& collected, Metrics& metrics);
// error_label/LABEL: share of the kept responses that have a true error label.
void record_error_labels(const Collected& collected, Metrics& metrics);
// no_fingerprints = 1 where kept responses have answers and none has a fingerprint: a memory then punishes nothing.
void record_missing_fingerprints(const Collected& collected, Metrics& metrics);
// Means over the kept responses: reward, shaped_reward (`scores`: [samples]).
void record_rewards(const StepBatch& batch, const std::vector<double>& scores, Metrics& metrics);

// The metrics of a step's updates: means over them, but largest_log_ratio is the largest of all and first_log_ratio that of
// the first, before which sampling and training policy are one: what is left of it is numerics, 0 in strict mode. `updates`
// counts them.
class UpdateMetrics {
 public:
  // What update_mini_batch returned.
  void add(const Metrics& update);
  void record(Metrics& metrics) const;

 private:
  Metrics sums_;
  double largest_log_ratio_ = 0, first_log_ratio_ = 0;
  int64_t updates_ = 0;
};

// Seconds and work of sampling.
void record_sampling_work(const Collected& collected, const ModelConfig& shape, Seconds& seconds, Work& work);
// Work of scoring (`scored` forward passes over the rows) and of the updates: a forward pass and twice as much backward, after
// a forward one where a method asks for the current policy's log-probs or entropies.
void record_training_work(const std::vector<TrainRow>& rows, const ModelConfig& shape, int scored, const Needs& needs,
                          Work& work);

}  // namespace harness
