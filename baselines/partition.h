// Partition: the classes that a group's responses fall into, by what stands for "the same": clusters of fingerprints or equal
// answers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/train/method/method.h"

namespace baselines {

class Partition {
 public:
  // Reads the key: "fingerprint" (the default): HDBSCAN on the L2-normalised fingerprints (min_cluster_size 2, min_samples 1);
  // noise is a class of its own, except that bit-identical fingerprints share one. "answer": equal normalised answers.
  Partition(harness::MethodKeys& keys, const std::string& key, std::string method);
  [[nodiscard]] harness::Needs needs() const { return {.fingerprints = !by_answer_, .answers = by_answer_}; }
  // For each response of the group the size of its class among the members, itself included; 0 for those that are none. A
  // member without a fingerprint or an answer is alone. Fingerprints of differing lengths throw Error.
  [[nodiscard]] std::vector<int64_t> sizes(std::span<const harness::Sample> group, const std::vector<bool>& members) const;

 private:
  std::string method_;
  bool by_answer_;
};

// Which responses of the group are right.
std::vector<bool> right_ones(std::span<const harness::Sample> group);

}  // namespace baselines
