// Sets prec, mod and lin of the nano suite: order of operations, remainders, linear equations.
#include <string>

#include "datasets/procedural_kind.h"

namespace datasets {
namespace {

using N = const Numbers&;

Numbers digits(Draws& draws, int count) {
  Numbers numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(draws.between(2, 9));
  return numbers;
}

ProceduralKind modulus_kind(int64_t m, std::vector<Strategy> wrong, double right_share) {
  ProceduralKind kind;
  kind.name = "mod" + std::to_string(m);
  kind.set = "mod";
  kind.pattern = "#*#+#%" + std::to_string(m);
  kind.draw = [](Draws& draws) {
    const int64_t a = draws.between(2, 6);
    const int64_t b = draws.between(2, 6);
    return Numbers{a, b, draws.between(1, 9)};
  };
  kind.strategies = std::move(wrong);
  kind.strategies.push_back(
      {"right", right_share, [m](N n, Chain& c) { return c.step(c.step(c.step(n[0], '*', n[1]), '+', n[2]), '%', m); }});
  return kind;
}

Strategy without_modulus(double share) {
  return {"no_modulus", share, [](N n, Chain& c) { return c.step(c.step(n[0], '*', n[1]), '+', n[2]); }};
}

Strategy modulus_less_one(int64_t m, double share) {
  return {"modulus_less_one", share,
          [m](N n, Chain& c) { return c.step(c.step(c.step(n[0], '*', n[1]), '+', n[2]), '%', m - 1); }};
}

Strategy modulus_of_last(int64_t m, double share) {
  return {"modulus_of_last", share, [m](N n, Chain& c) {
            const int64_t product = c.step(n[0], '*', n[1]);
            return c.step(product, '+', c.step(n[2], '%', m));
          }};
}

Strategy subtract_once(int64_t m, double share) {
  return {"subtract_once", share, [m](N n, Chain& c) { return c.step(c.step(c.step(n[0], '*', n[1]), '+', n[2]), '-', m); }};
}

// The strategies of a x + b = c and a x - b = c: undo the sum with `undo`, then divide.
int64_t undo_and_divide(N n, Chain& c, char undo) { return c.step(c.step(n[2], undo, n[1]), '/', n[0]); }

ProceduralKind linear_sum() {
  return {"lin1",
          "lin",
          "#x+#=#",
          [](Draws& draws) {
            const int64_t a = draws.between(2, 6);
            const int64_t x = draws.between(1, 9);
            const int64_t b = draws.between(1, 9);
            return Numbers{a, b, a * x + b};
          },
          {{"wrong_sign", .16, [](N n, Chain& c) { return undo_and_divide(n, c, '+'); }},
           {"no_divide", .12, [](N n, Chain& c) { return c.step(n[2], '-', n[1]); }},
           {"right", .72, [](N n, Chain& c) { return undo_and_divide(n, c, '-'); }}}};
}

ProceduralKind linear_difference() {
  return {"lin2",
          "lin",
          "#x-#=#",
          [](Draws& draws) {
            const int64_t a = draws.between(2, 6);
            const int64_t x = draws.between(2, 9);
            const int64_t b = draws.between(1, std::min<int64_t>(9, a * x - 1));
            return Numbers{a, b, a * x - b};
          },
          {{"wrong_sign", .39, [](N n, Chain& c) { return undo_and_divide(n, c, '-'); }},
           {"no_divide", .25, [](N n, Chain& c) { return c.step(n[2], '+', n[1]); }},
           {"right", .36, [](N n, Chain& c) { return undo_and_divide(n, c, '+'); }}}};
}

ProceduralKind linear_bracket() {
  return {"lin3",
          "lin",
          "#(x+#)=#",
          [](Draws& draws) {
            const int64_t a = draws.between(2, 6);
            const int64_t x = draws.between(1, 6);
            const int64_t b = draws.between(1, 6);
            return Numbers{a, b, a * (x + b)};
          },
          {{"wrong_order", .54, [](N n, Chain& c) { return undo_and_divide(n, c, '-'); }},
           {"no_subtract", .40, [](N n, Chain& c) { return c.step(n[2], '/', n[0]); }},
           {"right", .06, [](N n, Chain& c) { return c.step(c.step(n[2], '/', n[0]), '-', n[1]); }}}};
}

// a x + b = c x + d: gather the x with `gather`, the numbers with `undo`, divide.
int64_t gather_and_divide(N n, Chain& c, char gather, char undo) {
  const int64_t factor = c.step(n[0], gather, n[2]);
  return c.step(c.step(n[3], undo, n[1]), '/', factor);
}

ProceduralKind linear_both_sides() {
  return {"lin4",
          "lin",
          "#x+#=#x+#",
          [](Draws& draws) {
            const int64_t difference = draws.between(1, 4);
            const int64_t c = draws.between(2, 5);
            const int64_t x = draws.between(1, 9);
            const int64_t b = draws.between(1, 9);
            return Numbers{c + difference, b, c, difference * x + b};
          },
          {{"wrong_sign_x", .45, [](N n, Chain& c) { return gather_and_divide(n, c, '+', '-'); }},
           {"wrong_sign_number", .30, [](N n, Chain& c) { return gather_and_divide(n, c, '-', '+'); }},
           {"ignore_right_x", .24, [](N n, Chain& c) { return c.step(c.step(n[3], '-', n[1]), '/', n[0]); }},
           {"right", .01, [](N n, Chain& c) { return gather_and_divide(n, c, '-', '-'); }}}};
}

}  // namespace

std::vector<ProceduralKind> precedence_kinds() {
  const auto three = [](Draws& draws) { return digits(draws, 3); };
  const auto left_to_right = [](N n, Chain& c) { return c.step(c.step(n[0], '+', n[1]), '*', n[2]); };
  return {{"prec1",
           "prec",
           "#*#+#",
           three,
           {{"add_first", .18, [](N n, Chain& c) { return c.step(n[0], '*', c.step(n[1], '+', n[2])); }},
            {"drop_add", .10, [](N n, Chain& c) { return c.step(n[0], '*', n[1]); }},
            {"right", .72, [](N n, Chain& c) { return c.step(c.step(n[0], '*', n[1]), '+', n[2]); }}}},
          {"prec2",
           "prec",
           "#+#*#",
           three,
           {{"left_to_right", .44, left_to_right},
            {"add_only", .20, [](N n, Chain& c) { return c.step(n[0], '+', n[1]); }},
            {"right", .36, [](N n, Chain& c) { return c.step(n[0], '+', c.step(n[1], '*', n[2])); }}}},
          {"prec3",
           "prec",
           "#-#+#",
           [](Draws& draws) {
             const int64_t a = draws.between(20, 39);
             const int64_t b = draws.between(2, 9);
             return Numbers{a, b, draws.between(2, 9)};
           },
           {{"add_first", .64, [](N n, Chain& c) { return c.step(n[0], '-', c.step(n[1], '+', n[2])); }},
            {"drop_add", .30, [](N n, Chain& c) { return c.step(n[0], '-', n[1]); }},
            {"right", .06, [](N n, Chain& c) { return c.step(c.step(n[0], '-', n[1]), '+', n[2]); }}}},
          {"prec4",
           "prec",
           "#+#*#-#",
           [](Draws& draws) { return digits(draws, 4); },
           {{"left_to_right", .525, [left_to_right](N n, Chain& c) { return c.step(left_to_right(n, c), '-', n[3]); }},
            {"drop_subtract", .25, [](N n, Chain& c) { return c.step(n[0], '+', c.step(n[1], '*', n[2])); }},
            {"left_to_right_and_drop", .20, left_to_right},
            {"right", .025, [](N n, Chain& c) { return c.step(c.step(n[0], '+', c.step(n[1], '*', n[2])), '-', n[3]); }}}}};
}

std::vector<ProceduralKind> modulus_kinds() {
  return {modulus_kind(5, {without_modulus(.20), modulus_less_one(5, .10)}, .70),
          modulus_kind(7, {without_modulus(.34), modulus_of_last(7, .30)}, .36),
          modulus_kind(9, {without_modulus(.44), subtract_once(9, .30), modulus_less_one(9, .20)}, .06),
          modulus_kind(8, {without_modulus(.49), modulus_of_last(8, .25), subtract_once(8, .25)}, .01)};
}

std::vector<ProceduralKind> linear_kinds() {
  return {linear_sum(), linear_difference(), linear_bracket(), linear_both_sides()};
}

}  // namespace datasets
