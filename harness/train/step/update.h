// The second half of a step: select -> loss -> update, over the mini-batches of a step.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/model/files/work.h"
#include "harness/model/transformer.h"
#include "harness/train/method/method.h"
#include "harness/train/settings.h"
#include "harness/train/states/optimizer.h"
#include "harness/train/step/collect.h"
#include "harness/train/step/memory_limits.h"

namespace harness {

// One response of a mini-batch with what its loss needs.
struct TrainRow {
  const std::vector<int64_t>* prompt = nullptr;
  int64_t group = 0;
  const SampledResponse* response = nullptr;
  double advantage = 0;
  bool counts = true;                // false: masked (a truncated response under train.mask_truncated)
  uint64_t key = 0;                  // keyed stream identity
  std::vector<float> old_log_probs;  // [T] under the sampling policy, or recomputed
  std::vector<float> ref_log_probs;  // [T]; empty without a reference
  std::vector<float> weights;        // [T] truncated importance weights; empty: 1
};

// Rows begin .. end - 1 packed with each prompt once; where the hidden state of every response token's place stands.
struct PackedRows {
  PackedBatch batch;
  std::vector<int64_t> source;   // [M] row of the batch whose hidden state gives token m
  std::vector<int64_t> targets;  // [M] token m
  std::vector<int64_t> lengths;  // tokens of each response
};
PackedRows pack_rows(const std::vector<TrainRow>& rows, size_t begin, size_t end);

// Work of one forward pass over the rows, each prompt once: logits for every token of the responses.
TokenWork work_of(const std::vector<TrainRow>& rows);

// Log-probs and entropies of every response token, no gradient: [M] each, rows one after another.
struct RowStatistics {
  std::vector<std::vector<float>> log_probs, entropies;  // of each row [T]
};
RowStatistics score_rows(const Transformer& model, const std::vector<TrainRow>& rows, double temperature, int64_t micro_batch);
// The same with train.micro_batch_responses at once, or as many as memory allows, by the processes of the run (null: this one
// alone): each scores an equal part of the rows, then all hold the numbers of all. In strict mode those of a row do not depend
// on the others of its pass, so they are those that one process finds.
RowStatistics score_rows(const Transformer& model, const std::vector<TrainRow>& rows, const TrainSettings& settings,
                         MemoryLimits* limits, const std::string& place, Ranks* ranks = nullptr);

// Updates the policy with one mini-batch: token advantages and selection over the whole of it, then gradients micro-batch by
// micro-batch with the denominators of the whole; where memory ends, anew with smaller micro-batches (no limits: an error).
// `place` names it in errors. Returns its metrics (means over tokens).
Metrics update_mini_batch(Transformer& policy, Optimizer& optimizer, MethodStack& methods, const TrainSettings& settings,
                          const std::vector<TrainRow>& rows, int64_t update, const std::string& place,
                          MemoryLimits* limits = nullptr);

}  // namespace harness
