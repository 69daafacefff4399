// Problem: a question with its gold answer, and ProblemSet: an ordered list of them with a content hash.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace harness {

struct Problem {
  std::string id;      // unique in its set, e.g. "prec1-0007"
  std::string set;     // name of the set it belongs to
  std::string kind;    // subject, level or procedural kind; may be empty
  std::string text;    // the statement
  std::string answer;  // the gold answer as published (several: all of them joined by ", ")
  // Error labels that the generator knows (procedural suites): normalised wrong answer -> name of the strategy that gives it,
  // or "ambiguous". A wrong answer not in the map is a "slip" where `has_error_labels`, and has no label otherwise.
  std::map<std::string, std::string> error_labels;
  bool has_error_labels = false;
  // Where answers do not tell strategies apart: how the worked steps of each begin, up to the first result ("6*9=") -> its
  // name.
  std::map<std::string, std::string> error_openings;
  std::vector<std::string> answers;  // all gold answers, where a set has several; else empty
  std::string unit;                  // unit of the answer, "" if none
  std::string answer_type;           // as the set says ("Numerical", "Expression", ...), "" if it does not
  std::string tolerance;             // the set's own tolerance ("1e-2" or "0.01,0.1" one an answer), "" if none

  // Identity of the problem across steps, epochs and sets: 64 bits of SHA-256 over the text with white space collapsed.
  [[nodiscard]] uint64_t hash() const;
};

struct ProblemSet {
  std::string name;
  std::vector<Problem> problems;

  // SHA-256 over the sorted lines "text \x1f answer \n" (white space collapsed): the same whatever the file format or order.
  [[nodiscard]] std::string content_hash() const;
};

// The problems of epoch `epoch` = 0, 1, ... in their keyed random order: indices into the set [problems].
std::vector<int64_t> epoch_order(int64_t problems, uint64_t run_seed, int64_t epoch);

}  // namespace harness
