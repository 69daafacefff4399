// Sample: one response as rewards and memories see it, and what else of a method's world needs no tensor.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace harness {

// Name -> value of one line of metrics.jsonl.
using Metrics = std::map<std::string, double>;

// What a method must be given; a run that cannot give it is refused, nothing is silently 0.
struct Needs {
  bool fingerprints = false;         // Sample::fingerprint
  bool readouts = false;             // Sample::readout
  bool mean_readouts = false;        // Sample::mean_readout
  bool answers = false;              // Sample::answer
  bool error_labels = false;         // Sample::error_label (procedural suites only)
  bool sampling_entropies = false;   // TokenBatch::sampling_entropies
  bool current_log_probs = false;    // TokenBatch::current_log_probs, from a no-gradient pass at the mini-batch's beginning
  bool current_entropies = false;    // TokenBatch::current_entropies, likewise
  bool entropy_gradient = false;     // LossInputs::entropies with a gradient
  bool reference_log_probs = false;  // LossInputs::ref_log_probs
  int64_t top_tokens = 0;            // the so many most likely tokens of each place: TokenBatch::old_top_log_probs, most_likely
  bool top_gradient = false;         // LossInputs::top_log_probs, with a gradient
  // Before the first step the base model answers each training problem so many times; problems with at least `stored_right`
  // right answers give those in the place of new responses (Sample::stored, TokenBatch::stored). 0: none.
  int64_t stored_samples = 0, stored_right = 0;
  bool stored_right_alone = false;  // the right answers alone

  // What either of two methods needs.
  Needs operator|(const Needs& other) const;
};

// One response of a step, as the reward seams and the memories that outlive a step see it.
struct Sample {
  int64_t group = 0;     // 0 .. groups-1; the responses of a group stand side by side
  uint64_t problem = 0;  // identity of the problem (Problem::hash)
  bool correct = false;  // by the training grader; overlong shaping never changes it
  double reward = 0;     // base reward, overlong shaping included
  std::string answer;    // normalised answer; "" with has_answer false where there is none
  bool has_answer = false;
  std::string error_label;          // true error label, "" where there is none
  std::vector<float> fingerprint;   // [L'] after layer choice; empty: none
  std::vector<float> readout;       // [L] the layers it is chosen from; empty: none, or no method needs them
  std::vector<float> mean_readout;  // [L] mean of the layer readout over the response's tokens; empty: no method needs it
  double mean_log_prob = 0;         // of the sampled tokens under the sampling policy, nats
  int64_t tokens = 0;               // sampled tokens, a stop token included
  bool stored = false;              // an answer that the base model gave before the first step (Needs::stored_samples)
  uint64_t key = 0;                 // keyed stream identity of the response in its step, for random choices
};

// The kept responses of one step, group by group.
struct StepBatch {
  int64_t step = 0;  // 1, 2, ...
  int64_t groups = 0;
  std::vector<Sample> samples;
};

// Calls body(begin, end) for each group: samples begin .. end - 1 are its responses.
template <typename Body>
void for_each_group(std::span<const Sample> samples, Body&& body) {
  for (size_t begin = 0, end = 0; begin < samples.size(); begin = end) {
    for (end = begin + 1; end < samples.size() && samples[end].group == samples[begin].group;) ++end;
    body(begin, end);
  }
}

}  // namespace harness
