// maj@k: the chance that the most frequent answer of k samples is right.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/core/random.h"

namespace harness {

// The samples of one problem, as votes.
struct Votes {
  std::vector<int64_t> answers;  // [n] index of each sample's answer in `right`, -1: no answer, which does not vote
  std::vector<double> right;     // [answers] share of the samples with that answer that were graded right (0 or 1 as a rule)
};

// Expectation over random k-subsets of the samples of the correctness of the majority answer, for each k in `ks` (1 <= k <= n);
// a tie averages over the tied answers, a subset without any vote counts 0. Exact at k = 1, at k = n and wherever there are
// no more than `subsets` k-subsets, else the mean over `subsets` keyed ones; the subsets of one draw are nested over k.
std::vector<double> majority_at_k(const Votes& votes, std::span<const int64_t> ks, const RandomStream& stream,
                                  int64_t subsets = 1000);

}  // namespace harness
