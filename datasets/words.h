// Word problems: the procedural set `words`, English problems of one and two steps with true error labels.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "datasets/procedural.h"

namespace datasets {

struct WordSettings {
  int64_t train = 12;      // problems a kind
  int64_t validation = 5;  // problems a kind
  int64_t test = 10;       // problems a kind
  double slips = .02;      // share of demonstrations in which a step is off by 1 or 2
  // Shares of the mixture by name of the strategy for kinds of one and of two steps; the right strategy takes what is left.
  std::map<std::string, double> one_step = {{"wrong_operation", .15}};
  std::map<std::string, double> two_steps = {{"one_step_only", .15}, {"wrong_order", .08}, {"wrong_operation", .07}};
};

// Splits under the one name "words", disjoint by text and by (kind, numbers): a test problem is no training problem in other
// words. Problem::text is the whole English text. A pure function of the arguments.
SuiteSplits make_word_splits(uint64_t data_seed, const WordSettings& settings = {});

// Demonstrations: prompt = the problem's text, response = a short English chain that ends in `\boxed{N}`.
std::unique_ptr<DemonstrationSource> word_demonstrations(uint64_t data_seed, const WordSettings& settings = {});

}  // namespace datasets
