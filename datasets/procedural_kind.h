// ProceduralKind: one kind of generated problem, with its right strategy and its plausible wrong ones.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "datasets/chain.h"
#include "harness/core/random.h"

namespace datasets {

using Numbers = std::vector<int64_t>;  // the numbers that stand in a problem's text, in the order of the text

// Draws of one keyed stream in order.
class Draws {
 public:
  explicit Draws(harness::RandomStream stream) : stream_(stream) {}
  // An integer uniform on [low, high].
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(stream_.below(counter_++, static_cast<uint64_t>(high - low + 1)));
  }
  // Uniform on [0, 1).
  double uniform() { return stream_.uniform(counter_++); }

 private:
  harness::RandomStream stream_;
  uint64_t counter_ = 0;
};

struct Strategy {
  std::string name;  // "right", or what goes wrong
  double share = 0;  // of the demonstrations of its kind
  // Writes the worked steps into the chain and returns the answer that they come to.
  std::function<int64_t(const Numbers&, Chain&)> answer;
  double slips = -1;  // share of its demonstrations with a slip; below 0: the suite's
};

// The answer of a strategy without a slip.
int64_t answer_of(const Strategy& strategy, const Numbers& numbers);
// Of strategies with "right" last: wrong answer -> name of the strategy that gives it, "ambiguous" where two do; the right
// answer is never a key.
std::map<std::string, std::string> error_labels(const std::vector<Strategy>& strategies, const Numbers& numbers);
// False where a wrong strategy gives the right answer.
bool wrong_answers_differ(const std::vector<Strategy>& strategies, const Numbers& numbers);
// The worked steps of each strategy up to the first result, "6*9=" -> name, the right strategy's left out; empty where two of
// all begin alike.
std::map<std::string, std::string> error_openings(const std::vector<Strategy>& strategies, const Numbers& numbers);

struct ProceduralKind {
  std::string name;                     // "prec1"
  std::string set;                      // "prec"
  std::string pattern;                  // of the text: `#` stands for a number, `@` for one digit
  std::function<Numbers(Draws&)> draw;  // the numbers of a random problem; `accepts` may refuse them
  std::vector<Strategy> strategies;     // wrong ones first, "right" last
  // Where a wrong strategy may be right by luck, the problem is kept and not drawn again.
  bool wrong_may_be_right = false;
  // The kind is made so that answers do not tell errors apart: a response's label is that of its opening.
  bool labels_by_opening = false;

  // The pattern with the numbers in the places of `#` and `@`, in order.
  [[nodiscard]] std::string text(const Numbers& numbers) const;
  // False: the problem is to be drawn again.
  [[nodiscard]] bool accepts(const Numbers& numbers) const {
    if (labels_by_opening && error_openings(strategies, numbers).empty()) return false;
    return wrong_may_be_right || wrong_answers_differ(strategies, numbers);
  }
};

// The 20 kinds of the nano suite in the order of its table.
std::vector<ProceduralKind> nano_kinds();
// Its parts.
std::vector<ProceduralKind> precedence_kinds();
std::vector<ProceduralKind> modulus_kinds();
std::vector<ProceduralKind> linear_kinds();
std::vector<ProceduralKind> sequence_kinds();
std::vector<ProceduralKind> list_kinds();
// The 24 kinds of the arena: those of the nano suite, then those of the set "errors", in which equal answers and equal errors
// are two things.
std::vector<ProceduralKind> arena_kinds();
std::vector<ProceduralKind> error_kinds();

}  // namespace datasets
