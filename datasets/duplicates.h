// Duplicates: which test problems a training set holds already, word for word, in part, or nearly.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/data/problem.h"

namespace datasets {

struct OverlapSettings {
  int64_t ngram = 13;   // words in a row that two problems must not share
  int64_t shingle = 5;  // words of a shingle of the near-duplicate test
  double jaccard = .8;  // share of common shingles from which two problems are near duplicates
};

enum class OverlapKind { same_text, ngram, near_duplicate };
const char* to_string(OverlapKind kind);  // "same text", "13-gram", "near duplicate"

struct Overlap {
  std::string test_id;
  std::string train_set;
  std::string train_id;
  OverlapKind kind = OverlapKind::same_text;
  double jaccard = 0;  // of their shingles
};

struct Contamination {
  std::string test_set;
  int64_t problems = 0;
  // Test problems with at least one such training problem; one may count in all three.
  int64_t same_text = 0;
  int64_t ngram = 0;
  int64_t near_duplicate = 0;
  std::vector<Overlap> overlaps;  // for each test problem that has any: the one with the largest Jaccard similarity
};

// Exact: every pair that shares a shingle or an n-gram is looked at, through an index from shingles to training problems. Words
// are runs of letters and digits, in lower case (ASCII); other bytes than ASCII count as letters. A text shorter than a shingle
// is one shingle; one shorter than the n-gram has none.
Contamination check_contamination(const std::vector<harness::ProblemSet>& train, const harness::ProblemSet& test,
                                  const OverlapSettings& settings = {});

// The words of a text as above.
std::vector<std::string> words_of(std::string_view text);

// One line, as `medsbench data check` prints it: "aime24 0 of 30, math500 3 of 500 (same text 1, 13-gram 3, near duplicate 2)".
std::string contamination_line(const std::vector<Contamination>& all);

}  // namespace datasets
