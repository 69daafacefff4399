// Procedural suites: the nano sets prec, mod, lin, seq and list, and errors, which the arena has beside them; splits that never
// overlap, and their demonstrations.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "datasets/procedural_kind.h"
#include "harness/data/problem_catalog.h"

namespace datasets {

struct NanoSettings {
  int64_t train = 12;      // problems a kind
  int64_t validation = 5;  // problems a kind
  int64_t test = 10;       // problems a kind
  double slips = .05;      // share of demonstrations in which one of the steps 1 to 3 is off by 1 or 2
  // Other shares of the mixture, kind -> one number a strategy in the order of the kind's table, right last; they sum to 1.
  std::map<std::string, std::vector<double>> shares;
};

// Problem sets by name ("prec", "mod", "lin", "seq", "list", "errors"; or "words"). Problem::set and ProblemSet::name carry the
// name of the catalog ("nano/prec"), Problem::kind the kind ("prec3"), error_labels the wrong strategies' answers.
struct SuiteSplits {
  std::map<std::string, harness::ProblemSet> train;
  std::map<std::string, harness::ProblemSet> validation;
  std::map<std::string, harness::ProblemSet> test;
};

// The names of the nano sets in the order of the suite.
std::vector<std::string> nano_set_names();
// These, then "errors".
std::vector<std::string> arena_set_names();
// The characters of the nano tokenizer, each once, in order; `\boxed{` is one more token of its own and none of these.
std::string nano_characters();

// All sets of the arena: a pure function of the arguments; disjoint by text. The test problems do not depend on the sizes of
// the other splits. Throws Error where a kind has fewer problems than the splits ask for (seqS has 81, seqG 76).
SuiteSplits make_nano_splits(uint64_t data_seed, const NanoSettings& settings = {});

using harness::Demonstration;
using harness::DemonstrationSource;

// prompt: the problem's text and "?"; response: the chain and `\boxed{answer}`.
std::unique_ptr<DemonstrationSource> nano_demonstrations(uint64_t data_seed, const NanoSettings& settings = {});
// The same of all kinds of the arena.
std::unique_ptr<DemonstrationSource> arena_demonstrations(uint64_t data_seed, const NanoSettings& settings = {});

// The answer to a problem by one of `strategies` ("right" last), drawn with their `shares`: the chain and the box, all but
// prompt and kind. With probability `slips` one of its first three steps is off by -2, -1, 1 or 2. `spaced`: as the word
// problems say it.
Demonstration demonstrate(const std::vector<Strategy>& strategies, const std::vector<double>& shares, const Numbers& numbers,
                          double slips, bool spaced, Draws& draws);

}  // namespace datasets
