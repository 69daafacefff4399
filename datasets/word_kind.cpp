#include "datasets/word_kind.h"

#include <algorithm>
#include <utility>

#include "harness/core/error.h"
#include "harness/core/text_edit.h"

namespace datasets {
namespace {

using N = const Numbers&;

const std::vector<std::string> kNames = {"Tom",  "Anna", "Ben",  "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Ida",
                                         "Jack", "Kate", "Liam", "Mia",   "Noah",  "Olga", "Paul",  "Rosa",  "Sam",   "Vera"};
const std::vector<std::string> kThings = {"apples", "marbles", "stickers", "pencils", "cookies", "coins", "shells", "buttons",
                                          "cards",  "stamps",  "books",    "beads",   "nuts",    "pears", "stones", "plums"};
// Singular and plural.
const std::vector<std::pair<std::string, std::string>> kContainers = {
    {"box", "boxes"}, {"bag", "bags"}, {"jar", "jars"}, {"basket", "baskets"}, {"drawer", "drawers"}, {"crate", "crates"}};

// Writes one step, with a word before it where it is not the first.
int64_t work(Chain& c, int64_t left, char operation, int64_t right) {
  if (c.steps() > 0) c.say("Then ");
  return c.step(left, operation, right);
}

int64_t difference(Chain& c, int64_t one, int64_t other) {
  return one >= other ? work(c, one, '-', other) : work(c, other, '-', one);
}

// ((a first b) second c)
std::function<int64_t(N, Chain&)> in_order(char first, char second) {
  return [=](N n, Chain& c) { return work(c, work(c, n[0], first, n[1]), second, n[2]); };
}
// (a outer (b inner c))
std::function<int64_t(N, Chain&)> last_pair_first(char outer, char inner) {
  return [=](N n, Chain& c) {
    const int64_t pair = work(c, n[1], inner, n[2]);
    return work(c, n[0], outer, pair);
  };
}
std::function<int64_t(N, Chain&)> only(char operation) {
  return [=](N n, Chain& c) { return work(c, n[0], operation, n[1]); };
}

std::function<Numbers(Draws&)> uniform_numbers(std::vector<std::pair<int64_t, int64_t>> ranges) {
  return [ranges = std::move(ranges)](Draws& draws) {
    Numbers numbers;
    for (const auto& [low, high] : ranges) numbers.push_back(draws.between(low, high));
    return numbers;
  };
}

std::vector<WordKind> one_step_kinds() {
  return {{"add",
           {"{N} has {a} {things} and buys {b} more. How many {things} does {N} have now?",
            "There are {a} {things} in a {box}. {N} puts in {b} more. How many {things} are in the {box} now?",
            "{N} finds {a} {things} in the morning and {b} {things} in the evening. How many {things} does {N} find in all?",
            "{N} has {a} {things} and {M} has {b} {things}. How many {things} do they have together?"},
           uniform_numbers({{2, 20}, {2, 20}}),
           {{"wrong_operation", 0, [](N n, Chain& c) { return difference(c, n[0], n[1]); }}, {"right", 0, only('+')}}},
          {"take",
           {"{N} has {a} {things} and gives {b} of them to {M}. How many {things} does {N} have left?",
            "There are {a} {things} in a {box}. {N} takes out {b}. How many {things} are left in the {box}?",
            "{N} had {a} {things} but lost {b}. How many {things} does {N} still have?"},
           [](Draws& draws) {
             const int64_t a = draws.between(6, 30);
             return Numbers{a, draws.between(2, a - 2)};
           },
           {{"wrong_operation", 0, only('+')}, {"right", 0, only('-')}}},
          {"multiply",
           {"{N} has {a} {boxes} with {b} {things} in each. How many {things} does {N} have?",
            "Each {box} holds {b} {things}. How many {things} are in {a} {boxes}?",
            "{N} buys {b} {things} every day for {a} days. How many {things} does {N} buy in all?"},
           uniform_numbers({{2, 9}, {2, 9}}),
           {{"wrong_operation", 0, only('+')}, {"right", 0, only('*')}}},
          {"share",
           {"{N} shares {a} {things} equally among {b} friends. How many {things} does each friend get?",
            "{N} puts {a} {things} into {b} {boxes}, the same number in each. How many {things} are in each {box}?",
            "{b} children split {a} {things} equally. How many {things} does each child get?"},
           [](Draws& draws) {
             const int64_t b = draws.between(2, 9);
             return Numbers{b * draws.between(2, 9), b};
           },
           {{"wrong_operation", 0, only('-')}, {"right", 0, only('/')}}}};
}

std::vector<WordKind> sum_kinds() {
  const auto two_sums = uniform_numbers({{8, 20}, {2, 9}, {2, 9}});
  return {{"add_take",
           {"{N} has {a} {things}, buys {b} more and then gives {c} to {M}. How many {things} does {N} have now?",
            "There are {a} {things} in a {box}. {N} puts in {b} more and {M} takes out {c}. How many {things} are in the {box} "
            "now?",
            "{N} picks {a} {things} and {M} picks {b}. They eat {c} of them. How many {things} are left?"},
           two_sums,
           {{"one_step_only", 0, only('+')}, {"wrong_operation", 0, in_order('+', '+')}, {"right", 0, in_order('+', '-')}}},
          {"take_add",
           {"{N} has {a} {things}, gives {b} to {M} and then finds {c} more. How many {things} does {N} have now?",
            "There are {a} {things} in a {box}. {N} takes out {b} and {M} puts in {c}. How many {things} are in the {box} now?",
            "{N} had {a} {things}. {N} lost {b} of them and later bought {c}. How many {things} does {N} have now?"},
           [](Draws& draws) {
             const int64_t b = draws.between(2, 7);
             const int64_t c = draws.between(2, 7);
             return Numbers{b + c + draws.between(1, 10), b, c};
           },
           {{"one_step_only", 0, only('-')},
            {"wrong_order", 0, last_pair_first('-', '+')},
            {"wrong_operation", 0, in_order('+', '+')},
            {"right", 0, in_order('-', '+')}}}};
}

std::vector<WordKind> product_kinds() {
  return {
      {"multiply_add",
       {"{N} has {a} {boxes} with {b} {things} in each and {c} more {things}. How many {things} does {N} have?",
        "{N} buys {a} {boxes} of {b} {things} and then finds {c} {things}. How many {things} does {N} have in all?",
        "Each {box} holds {b} {things}. There are {a} full {boxes} and {c} {things} on the table. How many {things} are "
        "there?"},
       uniform_numbers({{2, 9}, {2, 9}, {2, 9}}),
       {{"one_step_only", 0, only('*')},
        {"wrong_order", 0, last_pair_first('*', '+')},
        {"wrong_operation", 0, in_order('+', '+')},
        {"right", 0, in_order('*', '+')}}},
      {"multiply_take",
       {"{N} has {a} {boxes} with {b} {things} in each and gives {c} {things} to {M}. How many {things} does {N} have left?",
        "{N} buys {a} {boxes} of {b} {things} and loses {c} {things}. How many {things} does {N} have now?",
        "Each {box} holds {b} {things}. {N} fills {a} {boxes} and then takes out {c} {things}. How many {things} are left in "
        "them?"},
       [](Draws& draws) {
         const int64_t a = draws.between(2, 9);
         const int64_t b = draws.between(3, 9);
         return Numbers{a, b, draws.between(2, b - 1)};
       },
       {{"one_step_only", 0, only('*')},
        {"wrong_order", 0, last_pair_first('*', '-')},
        {"wrong_operation", 0, in_order('*', '+')},
        {"right", 0, in_order('*', '-')}}},
      {"add_multiply",
       {"Every day {N} buys {a} red and {b} blue {things}. How many {things} does {N} buy in {c} days?",
        "Each {box} holds {a} big and {b} small {things}. How many {things} are in {c} {boxes}?",
        "{N} gives {a} {things} in the morning and {b} in the evening to each of {c} friends. How many {things} does {N} "
        "give?"},
       uniform_numbers({{2, 9}, {2, 9}, {2, 9}}),
       {{"one_step_only", 0, only('+')},
        {"wrong_order", 0, last_pair_first('+', '*')},
        {"wrong_operation", 0, in_order('+', '+')},
        {"right", 0, in_order('+', '*')}}}};
}

// Numbers that are all multiples of the divisor, so that every order of the two steps comes out whole.
std::vector<WordKind> quotient_kinds() {
  return {
      {"add_share",
       {"{N} has {a} {things} and buys {b} more. {N} shares all of them equally among {c} friends. How many {things} does each "
        "friend get?",
        "{N} has {a} {things} and {M} has {b}. They put all of them into {c} {boxes}, the same number in each. How many "
        "{things} "
        "are in each {box}?"},
       [](Draws& draws) {
         const int64_t c = draws.between(2, 6);
         const int64_t a = c * draws.between(1, 6);
         return Numbers{a, c * draws.between(1, 6), c};
       },
       {{"one_step_only", 0, only('+')},
        {"wrong_order", 0, last_pair_first('+', '/')},
        {"wrong_operation", 0, in_order('+', '-')},
        {"right", 0, in_order('+', '/')}}},
      {"take_share",
       {"{N} has {a} {things} and keeps {b} of them. {N} shares the rest equally among {c} friends. How many {things} does "
        "each "
        "friend get?",
        "There are {a} {things}, but {b} are broken. {N} puts the good ones into {c} {boxes}, the same number in each. How "
        "many "
        "{things} are in each {box}?"},
       [](Draws& draws) {
         const int64_t c = draws.between(2, 6);
         const int64_t b = draws.between(1, 4);
         return Numbers{c * (b + draws.between(1, 6)), c * b, c};
       },
       {{"one_step_only", 0, only('-')},
        {"wrong_order", 0, last_pair_first('-', '/')},
        {"wrong_operation", 0, in_order('+', '/')},
        {"right", 0, in_order('-', '/')}}},
      {"share_add",
       {"{b} children split {a} {things} equally. {N} is one of them and then gets {c} more. How many {things} does {N} have?",
        "{N} puts {a} {things} into {b} {boxes}, the same number in each, and then {c} more into the first {box}. How many "
        "{things} are in the first {box}?"},
       [](Draws& draws) {
         const int64_t b = draws.between(2, 6);
         const int64_t a = b * draws.between(2, 8);
         return Numbers{a, b, b * draws.between(1, 3)};
       },
       {{"one_step_only", 0, only('/')},
        {"wrong_order", 0,
         [](N n, Chain& c) {
           const int64_t all = work(c, n[0], '+', n[2]);
           return work(c, all, '/', n[1]);
         }},
        {"wrong_operation", 0, in_order('-', '+')},
        {"right", 0, in_order('/', '+')}}}};
}

}  // namespace

std::vector<WordKind> word_kind_tables() {
  std::vector<WordKind> all;
  for (const auto& part : {one_step_kinds(), sum_kinds(), product_kinds(), quotient_kinds()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::string WordKind::text(const Numbers& numbers, uint64_t wording) const {
  Draws draws(harness::RandomStream("words wording", {wording}));
  const auto pick = [&](size_t size) { return static_cast<size_t>(draws.between(0, static_cast<int64_t>(size) - 1)); };
  std::string out = wordings[pick(wordings.size())];
  const size_t first = pick(kNames.size());
  const size_t second = (first + 1 + pick(kNames.size() - 1)) % kNames.size();
  const auto& [box, boxes] = kContainers[pick(kContainers.size())];
  const auto put = [&](std::string_view place, std::string_view what) { out = harness::replace_all(out, place, what); };
  put("{N}", kNames[first]);
  put("{M}", kNames[second]);
  put("{things}", kThings[pick(kThings.size())]);
  put("{box}", box);
  put("{boxes}", boxes);
  for (size_t i = 0; i < numbers.size(); ++i) {
    put(fmt::format("{{{}}}", static_cast<char>('a' + i)), std::to_string(numbers[i]));
  }
  return out;
}

}  // namespace datasets
