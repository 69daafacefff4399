// Set errors of the arena: kinds in which a method that sees repeated answers and one that sees repeated errors see different
// things. In "same" kinds two errors with different worked steps come to one answer; in "many" kinds one error's answers
// scatter.
#include <string>

#include "datasets/procedural_kind.h"

namespace datasets {
namespace {

using N = const Numbers&;

// 7*(2+8): the bracket is dropped, at once or by parts.
ProceduralKind same_dropped_bracket() {
  return {"same1",
          "errors",
          "#*(#+#)",
          [](Draws& draws) {
            return Numbers{draws.between(2, 9), draws.between(2, 9), draws.between(2, 9)};
          },
          {{"bracket_dropped", .40, [](N n, Chain& c) { return c.step(c.step(n[0], '*', n[1]), '+', n[2]); }},
           {"bracket_dropped_by_parts", .40,
            [](N n, Chain& c) {
              const int64_t part = c.step(n[0], '*', c.step(n[1], '-', 1));
              return c.step(c.step(part, '+', n[0]), '+', n[2]);
            }},
           {"wrong_factor", .12, [](N n, Chain& c) { return c.step(c.step(n[0], '*', n[2]), '+', n[1]); }},
           {"right", .08, [](N n, Chain& c) { return c.step(n[0], '*', c.step(n[1], '+', n[2])); }}},
          false,
          true};
}

// 25-3*4: from left to right, at once or distributed.
ProceduralKind same_left_to_right() {
  return {"same2",
          "errors",
          "#-#*#",
          [](Draws& draws) {
            const int64_t b = draws.between(2, 6);
            const int64_t c = draws.between(2, 6);
            return Numbers{b * c + draws.between(1, 19), b, c};
          },
          {{"left_to_right", .46, [](N n, Chain& c) { return c.step(c.step(n[0], '-', n[1]), '*', n[2]); }},
           {"left_to_right_by_parts", .46,
            [](N n, Chain& c) {
              const int64_t whole = c.step(n[0], '*', n[2]);
              return c.step(whole, '-', c.step(n[1], '*', n[2]));
            }},
           {"right", .08, [](N n, Chain& c) { return c.step(n[0], '-', c.step(n[1], '*', n[2])); }}},
          false,
          true};
}

// (2+5)*(9-3): brackets ignored, carelessly; or only the first and last numbers, with care.
ProceduralKind many_ignored_brackets() {
  return {"many1",
          "errors",
          "(#+#)*(#-#)",
          [](Draws& draws) {
            const int64_t d = draws.between(1, 4);
            return Numbers{draws.between(1, 9), draws.between(2, 9), d + draws.between(2, 5), d};
          },
          {{"brackets_ignored", .50,
            [](N n, Chain& c) {
              const int64_t product = c.step(n[1], '*', n[2]);
              return c.step(c.step(n[0], '+', product), '-', n[3]);
            },
            .9},
           {"outer_only", .42, [](N n, Chain& c) { return c.step(n[0], '*', n[3]); }},
           {"right", .08,
            [](N n, Chain& c) {
              const int64_t sum = c.step(n[0], '+', n[1]);
              return c.step(sum, '*', c.step(n[2], '-', n[3]));
            }}},
          false,
          true};
}

// 17%5+3*4: the sum first, carelessly; or the remainder last, with care.
ProceduralKind many_sum_first() {
  return {"many2",
          "errors",
          "#%#+#*#",
          [](Draws& draws) {
            return Numbers{draws.between(11, 49), draws.between(3, 9), draws.between(2, 9), draws.between(2, 9)};
          },
          {{"sum_first", .50, [](N n, Chain& c) { return c.step(c.step(n[0], '%', c.step(n[1], '+', n[2])), '*', n[3]); }, .9},
           {"remainder_last", .42,
            [](N n, Chain& c) {
              const int64_t product = c.step(n[2], '*', n[3]);
              return c.step(c.step(n[0], '+', product), '%', n[1]);
            }},
           {"right", .08,
            [](N n, Chain& c) {
              const int64_t rest = c.step(n[0], '%', n[1]);
              return c.step(rest, '+', c.step(n[2], '*', n[3]));
            }}},
          false,
          true};
}

}  // namespace

std::vector<ProceduralKind> error_kinds() {
  return {same_dropped_bracket(), same_left_to_right(), many_ignored_brackets(), many_sum_first()};
}

}  // namespace datasets
