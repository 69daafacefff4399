// The first half of a step: problems -> sample -> verify -> filter.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/data/problem.h"
#include "harness/data/response_tally.h"
#include "harness/model/files/work.h"
#include "harness/ranks/ranks.h"
#include "harness/reward/grader.h"
#include "harness/rollout/generator.h"
#include "harness/train/method/method.h"
#include "harness/train/settings.h"
#include "harness/train/step/memory_limits.h"

namespace harness {

// Where the run stands in its problems: part of the checkpoint.
struct DataCursor {
  int64_t epoch = 0;
  int64_t index = 0;                   // next place in the epoch's order
  std::map<uint64_t, int64_t> visits;  // problem identity -> times sampled
};

// One prompt's responses with all that the rest of the step needs.
struct RolloutGroup {
  int64_t problem = 0;          // index into the training problems
  std::vector<int64_t> prompt;  // ids
  std::vector<SampledResponse> responses;
  std::vector<Verdict> verdicts;
  std::vector<Sample> samples;       // group number set when kept
  [[nodiscard]] bool mixed() const;  // both right and wrong responses
};

// What a step sampled: the groups it keeps, and counts over all.
struct Collected {
  std::vector<RolloutGroup> groups;  // kept, at most prompts_per_step
  bool starved = false;              // fewer than prompts_per_step
  int64_t gen_batches = 0;
  int64_t groups_generated = 0;
  int64_t groups_stored = 0;  // kept, of stored answers
  int64_t groups_mixed = 0;   // of them, with right and wrong responses
  int64_t responses_generated = 0;
  int64_t tokens_generated = 0;
  int64_t responses_truncated = 0;
  int64_t responses_without_answer = 0;
  ResponseTally tally;                 // of all responses
  int64_t wrong_answers = 0;           // wrong responses with an answer
  int64_t repeated_wrong_answers = 0;  // of them, those whose answer another response of their group gives too
  int64_t graded_twice = 0;            // responses drawn for alarm.second_grader
  int64_t graders_disagree = 0;        // of them, right by one grader alone
  double entropy_sum = 0;              // over all generated tokens, nats
  // For timing.json, never for metrics: of all that was generated.
  double readout_seconds = 0;  // layer readout and fingerprints
  double decode_seconds = 0;
  TokenWork work;                                // prompts and responses
  TokenWork decoded;                             // responses after their first token
  double decode_bytes = 0;                       // that decoding must read at least: weights each step, keys and values
  [[nodiscard]] int64_t responses_kept() const;  // of all groups kept
};

// By training problem: the group of answers that the base model gave before the first step to a problem that it masters.
using StoredAnswers = std::map<int64_t, RolloutGroup>;

// What collecting needs beside the settings; all references outlive it.
struct CollectInputs {
  const TrainSettings& settings;
  const PromptMaker& prompts;
  const Grader& grader;
  const std::vector<Problem>& problems;
  const std::vector<std::vector<int64_t>>& prompt_ids;  // of each problem
  bool fingerprints = false;                            // Sample::fingerprint is wanted
  bool readouts = false;                                // Sample::readout is wanted
  bool mean_readouts = false;                           // Sample::mean_readout is wanted
  Ranks* ranks = nullptr;                               // the processes that share the sampling; null: this one alone
  MemoryLimits* limits = nullptr;                       // null: memory that ends is an error
  const Grader* second_grader = nullptr;                // of alarm.second_grader; null: none
  const StoredAnswers* stored = nullptr;                // given in the place of new responses; null: none
  std::string starved_file{};                           // where a starved step that ends the run says what it saw; "": nowhere
};

// Samples until prompts_per_step groups are kept, or filter.max_gen_batches batches of prompts have been met. Step number
// `step` is for messages and the draws of the second grader. Throws Error when starved and the settings say "stop" (counts of
// what was sampled and what to change in its first line, then one response of each kind), and where memory does not hold one
// response.
// Groups of stored answers are kept whatever the filter says, and count in nothing that was generated.
Collected collect_groups(const Transformer& policy, const CollectInputs& inputs, DataCursor& cursor, int64_t step);

// The `samples` answers of the base model to each training problem, of problems with at least `right` right ones;
// `right_alone`: the right ones among them. Keyed by the run's seed, the problem and the sample: the same at every start of a
// run.
StoredAnswers sample_stored_answers(const Transformer& base, const CollectInputs& inputs, int64_t samples, int64_t right,
                                    bool right_alone = false);

}  // namespace harness
