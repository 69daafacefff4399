// ResponseTally: what became of many responses, right, wrong, without an answer or cut off, with one of each to be read.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "harness/data/correctness.h"
#include "harness/data/problem.h"

namespace harness {

// Each response is of one kind: right; else cut off at the length limit; else without an answer; else wrong (undecided too).
enum class ResponseKind { right, wrong, no_answer, cut_off };

class ResponseTally {
 public:
  // `text`: the response; `answered`: the grader found an answer in it; `stopped`: it ended by itself.
  void add(const Problem& problem, std::string_view text, Correctness verdict, bool answered, bool stopped);

  [[nodiscard]] int64_t count(ResponseKind kind) const { return kinds_[static_cast<size_t>(kind)].count; }
  [[nodiscard]] int64_t total() const;
  [[nodiscard]] double share_right() const;  // 0 of none
  // "of 160 responses 0 right, 3 wrong, 120 without an answer, 37 cut off"
  [[nodiscard]] std::string counts() const;
  // What to change so that a policy that answers so can be trained, for each kind of at least a quarter of the responses.
  [[nodiscard]] std::string advice() const;
  // The first response of each kind with its problem, each cut to a few lines, control characters as spaces; "" of none.
  [[nodiscard]] std::string examples() const;

 private:
  struct Kind {
    int64_t count = 0;
    std::string problem, answer, text;  // of the first; cut
  };
  std::array<Kind, 4> kinds_;
};

}  // namespace harness
