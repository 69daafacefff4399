// Diversity of texts: distinct n-grams and self-BLEU-4 over white-space words or token ids.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace harness {

// Words as numbers, so that n-grams of words and of token ids are counted by the same code.
using WordSequence = std::vector<int64_t>;

// Splits each text at white space (Python's str.split: Unicode white space included); equal words get equal numbers.
std::vector<WordSequence> number_words(std::span<const std::string> texts);

// Unique over all n-grams, the sequences taken together (no n-gram crosses from one to the next); NaN where there are none.
double distinct_share(std::span<const WordSequence> sequences, int64_t order);

// Mean over the sequences of the BLEU-4 of each against all others, 0 to 100, as sacrebleu 2 with tokenize="none",
// smooth_method="none", effective_order=False: counts clipped by the largest count in any one reference, brevity penalty
// against the closest reference length (the shorter of two), 0 where an order has no match (so always below four words). NaN
// of fewer than two sequences.
double self_bleu_4(std::span<const WordSequence> sequences);

}  // namespace harness
