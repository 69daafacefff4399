// TrainRow: one response as the loss sees it; mini-batches of them packed for a pass and scored without a gradient.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/model/files/work.h"
#include "harness/model/transformer.h"
#include "harness/train/settings.h"
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
  bool stored = false;               // a stored answer of the base model
  uint64_t key = 0;                  // keyed stream identity
  std::vector<float> old_log_probs;  // [T] nats, under the sampling policy, or recomputed
  std::vector<float> ref_log_probs;  // [T] nats; empty without a reference
  std::vector<float> weights;        // [T] truncated importance weights; empty: 1
  // [T, K] the most likely tokens of each place when the step began, most likely first (an id is exact below 2^24), and their
  // log-probs, nats; empty unless a method needs them.
  std::vector<float> top_ids, top_log_probs;
};

// The rows of a step's kept responses, group by group, advantages not yet set. What was collected outlives them.
std::vector<TrainRow> make_rows(const Collected& collected, const TrainSettings& settings);

// How far the policy's log-probs now lie from those recorded while sampling.
struct ScoringDifference {
  double largest = 0;           // |now - sampled| of a token, nats
  double chi_square = 0;        // mean over tokens of ratio^2 - 1, ratio = exp(now - sampled)
  double perplexity_ratio = 1;  // mean over responses of exp(mean over its tokens of sampled - now)
};

// Each row's old log-probs (but for stored answers, whose are the base model's) become those that the policy gives now ([T] of
// each row, nats); where cap > 0 its weights become min(exp(now - sampled), cap), the truncated importance weights between
// sampling and training numerics.
ScoringDifference replace_old_log_probs(std::vector<TrainRow>& rows, std::vector<std::vector<float>> now, double cap);

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

// Rows that are scored or learnt from together, and under what.
struct MiniBatch {
  const std::vector<TrainRow>& rows;
  const TrainSettings& settings;
  std::string place{};             // "step 3, mini-batch 1", for errors
  MemoryLimits* limits = nullptr;  // null: memory that ends is an error
  Ranks* ranks = nullptr;          // the processes that share the rows; null: this one alone
};

// Log-probs and entropies (nats) of every response token at the sampling temperature, no gradient, with
// train.micro_batch_responses at once or as many as memory allows. Of several processes each scores an equal part of the rows,
// then all hold the numbers of all. In strict mode those of a row do not depend on the others of its pass, so they are those
// that one process finds.
struct RowStatistics {
  std::vector<std::vector<float>> log_probs, entropies;    // of each row [T]
  std::vector<std::vector<float>> top_ids, top_log_probs;  // of each row [T, K], as TrainRow has them; none for `top` 0
};
RowStatistics score_rows(const Transformer& model, const MiniBatch& batch, int64_t top = 0);

}  // namespace harness
