// WordKind: one kind of English word problem with its wordings and strategies.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "datasets/procedural_kind.h"

namespace datasets {

struct WordKind {
  std::string name;
  // {N} and {M} are names, {things} and {box}, {boxes} nouns, {a} {b} {c} the numbers.
  std::vector<std::string> wordings;
  std::function<Numbers(Draws&)> draw;  // the numbers of a random problem; `accepts` may refuse them
  std::vector<Strategy> strategies;     // wrong ones first, "right" last; shares are the settings' matter

  // The problem in English; `wording` chooses names, things and phrasing.
  [[nodiscard]] std::string text(const Numbers& numbers, uint64_t wording) const;
  // False: the problem is to be drawn again.
  [[nodiscard]] bool accepts(const Numbers& numbers) const { return wrong_answers_differ(strategies, numbers); }
};

// All kinds, those of one step first: "add", "take", "multiply", "share", then "add_take", "take_add", "multiply_add",
// "multiply_take", "add_multiply", "add_share", "take_share", "share_add".
std::vector<WordKind> word_kind_tables();

}  // namespace datasets
