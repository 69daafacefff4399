#include "harness/reward/math/math_equality.h"

#include <algorithm>
#include <utility>

#include "harness/core/text_edit.h"
#include "harness/reward/latex/parts.h"
#include "harness/reward/math/real_set.h"

namespace harness {
namespace {

constexpr size_t kMostElements = 100;

bool is_ratio(const Expression& x) { return x.is_function("ratio") || x.is_function("ratio time"); }

bool has_structure(const Expression& x) {
  return x.is(Op::set) || x.is(Op::tuple) || x.is(Op::unite) || x.is(Op::matrix) || x.is(Op::relation) ||
         x.is_function("cap") || x.is_function("minus") || x.is_function("builder") || is_ratio(x);
}

bool only_symbols(const Expression& x) {
  if (x.is(Op::symbol)) return true;
  if (x.is(Op::tuple) || x.is(Op::multiply) || x.is(Op::function)) {
    return !x.parts.empty() && std::all_of(x.parts.begin(), x.parts.end(), only_symbols);
  }
  return x.is(Op::power) && only_symbols(x.parts[0]) && x.parts[1].is(Op::number) && x.parts[1].value == -1;
}

bool is_equation(const Expression& x) {
  return x.is(Op::relation) && x.name.find_first_not_of("= ~in") == std::string::npos && !contains(x.name, "<=") &&
         !contains(x.name, "==");
}

bool is_assignment(const Expression& x) { return is_equation(x) && only_symbols(x.parts[0]); }

Equality both(Equality a, Equality b) {
  if (a == Equality::different || b == Equality::different) return Equality::different;
  return a == Equality::equal ? b : a;
}

// "x = 1/3 \approx 0.333" says x = 1/3; "1/3 \approx 0.333" says 1/3; "x \approx 3" says x = 3; "x = a = b" says x = b.
Expression without_approximation(const Expression& x) {
  if (!is_equation(x)) return x;
  const std::vector<std::string> operators = split_text(x.name, " ");
  std::vector<Expression> kept{x.parts[0]};
  for (size_t i = 0; i < operators.size(); ++i) {
    if (operators[i] == "~" && !(i == 0 && only_symbols(x.parts[0]))) break;
    kept.push_back(x.parts[i + 1]);
  }
  if (kept.size() == 1) return std::move(kept[0]);
  std::string name = "=";
  if (only_symbols(kept[0])) {
    std::vector<Expression> ends;
    ends.push_back(std::move(kept.front()));
    ends.push_back(std::move(kept.back()));
    kept = std::move(ends);
  }
  for (size_t i = 2; i < kept.size(); ++i) name += " =";
  return make_node(Op::relation, std::move(kept), name);
}

// The set that an inequality in one symbol describes, as an interval; none for anything else.
std::optional<Expression> interval_of(const Expression& x) {
  if (!x.is(Op::relation)) return std::nullopt;
  const std::vector<std::string> operators = split_text(x.name, " ");
  const auto is_less = [](const std::string& op) { return op == "<" || op == "<="; };
  const auto is_more = [](const std::string& op) { return op == ">" || op == ">="; };
  const auto build = [](Expression low, Expression high, bool low_open, bool high_open) {
    std::vector<Expression> ends;
    ends.push_back(std::move(low));
    ends.push_back(std::move(high));
    return make_node(Op::tuple, std::move(ends), std::string{low_open ? '(' : '[', high_open ? ')' : ']'});
  };
  if (operators.size() == 2 && only_symbols(x.parts[1])) {
    if (is_less(operators[0]) && is_less(operators[1])) {
      return build(x.parts[0], x.parts[2], operators[0] == "<", operators[1] == "<");
    }
    if (is_more(operators[0]) && is_more(operators[1])) {
      return build(x.parts[2], x.parts[0], operators[1] == ">", operators[0] == ">");
    }
  }
  if (operators.size() == 1 && (is_less(operators[0]) || is_more(operators[0]))) {
    const bool symbol_first = only_symbols(x.parts[0]);
    if (symbol_first == only_symbols(x.parts[1])) return std::nullopt;
    const Expression& bound = x.parts[symbol_first ? 1 : 0];
    const bool open = operators[0].size() == 1;
    if (is_less(operators[0]) == symbol_first) return build(negate(make_symbol("infinity")), bound, true, open);
    return build(bound, make_symbol("infinity"), open, true);
  }
  return std::nullopt;
}

Expression difference(const Expression& a, const Expression& b) {
  std::vector<Expression> parts;
  parts.push_back(a);
  parts.push_back(negate(b));
  return make_node(Op::add, std::move(parts));
}

// a > b as b < a, chains too.
Expression ascending(const Expression& x) {
  Expression result = x;
  if (!contains(x.name, ">")) return result;
  std::vector<std::string> operators = split_text(x.name, " ");
  std::reverse(operators.begin(), operators.end());
  std::reverse(result.parts.begin(), result.parts.end());
  result.name.clear();
  for (std::string& op : operators) {
    if (op[0] == '>') {
      op[0] = '<';
    } else if (op[0] == '<') {
      op[0] = '>';
    }
    result.name += (result.name.empty() ? "" : " ") + op;
  }
  return result;
}

Equality compare_in_order(const std::vector<Expression>& a, const std::vector<Expression>& b, const EqualityRule& rule,
                          StepBudget& budget) {
  if (a.size() != b.size()) return Equality::different;
  Equality result = Equality::equal;
  for (size_t i = 0; i < a.size() && result != Equality::different; ++i) {
    result = both(result, compare_answers(a[i], b[i], rule, budget));
  }
  return result;
}

Equality compare_relations(const Expression& gold, const Expression& found, const EqualityRule& rule, StepBudget& budget) {
  const Expression a = ascending(gold);
  const Expression b = ascending(found);
  if (a.name != b.name) return Equality::different;
  const Equality sides = compare_in_order(a.parts, b.parts, rule, budget);
  if (sides == Equality::equal || a.parts.size() != 2) return sides;
  if (has_structure(a.parts[0]) || has_structure(a.parts[1]) || has_structure(b.parts[0]) || has_structure(b.parts[1])) {
    return sides;
  }
  if (a.name != "=" && a.name != "<" && a.name != "<=" && a.name != "!=") return sides;
  return compare_up_to_factor(difference(a.parts[0], a.parts[1]), difference(b.parts[0], b.parts[1]), a.name[0] == '<', budget);
}

// A pair whose first end is not above its second; "(3, 1)" can only be a point.
bool could_be_interval(const Expression& x, StepBudget& budget) {
  if (!x.is(Op::tuple) || x.parts.size() != 2 || x.name == "row") return false;
  const std::optional<Complex> low = probe_value(x.parts[0], 0, budget);
  const std::optional<Complex> high = probe_value(x.parts[1], 0, budget);
  return !low || !high || has_free_symbol(x) || low->real() < high->real();
}

// The brackets of a pair; an infinite end is open however it is written.
std::string brackets_of(const Expression& x) {
  std::string brackets = x.name;
  if (x.parts.size() == 2 && brackets.size() == 2) {
    if (infinity_sign(x.parts[0]) != 0) brackets[0] = '(';
    if (infinity_sign(x.parts[1]) != 0) brackets[1] = ')';
  }
  return brackets;
}

Equality compare_tuples(const Expression& gold, const Expression& found, const EqualityRule& rule, StepBudget& budget) {
  if (brackets_of(gold) != brackets_of(found) && could_be_interval(gold, budget) && could_be_interval(found, budget)) {
    return Equality::different;
  }
  return compare_in_order(gold.parts, found.parts, rule, budget);
}

// a : b : c is 2a : 2b : 2c, but two times with seconds are as they stand.
Equality compare_ratios(const Expression& gold, const Expression& found, const EqualityRule& rule, StepBudget& budget) {
  if (!is_ratio(gold) || !is_ratio(found) || gold.parts.size() != found.parts.size()) return Equality::different;
  if (gold.name == "ratio time" && found.name == "ratio time") return compare_in_order(gold.parts, found.parts, rule, budget);
  Equality result = Equality::equal;
  for (size_t i = 1; i < gold.parts.size() && result != Equality::different; ++i) {
    const Expression a = make_node(Op::multiply, two_parts(gold.parts[i], found.parts[0]));
    const Expression b = make_node(Op::multiply, two_parts(found.parts[i], gold.parts[0]));
    result = both(result, compare_answers(a, b, rule, budget));
  }
  return result;
}

std::vector<Expression> members_of(const Expression& x) {
  if (x.is(Op::set) || x.is(Op::unite)) return x.parts;
  return {x};
}

Equality compare_structures(const Expression& gold, const Expression& found, const EqualityRule& rule, StepBudget& budget) {
  if (gold.is(Op::matrix) || found.is(Op::matrix)) {
    if (!gold.is(Op::matrix) || !found.is(Op::matrix)) return Equality::different;
    return compare_in_order(gold.parts, found.parts, rule, budget);
  }
  if (gold.is(Op::tuple) && found.is(Op::tuple)) return compare_tuples(gold, found, rule, budget);
  if (gold.is(Op::tuple) && found.is(Op::set) && gold.name == "()" && found.parts.size() == gold.parts.size()) {
    return compare_in_order(gold.parts, found.parts, rule, budget);
  }
  if (gold.is(Op::set) && found.is(Op::tuple) && found.name == "()" && found.parts.size() == gold.parts.size()) {
    return compare_unordered(gold.parts, found.parts, rule, budget);
  }
  if (is_ratio(gold) || is_ratio(found)) return compare_ratios(gold, found, rule, budget);
  if (gold.op == Op::function || found.op == Op::function) {
    if (gold.op != found.op || gold.name != found.name) return Equality::different;
    return compare_in_order(gold.parts, found.parts, rule, budget);
  }
  if (gold.is(Op::unite) != found.is(Op::unite)) return Equality::different;
  if (!gold.is(Op::set) && !gold.is(Op::unite) && !found.is(Op::set)) return Equality::different;
  return compare_unordered(members_of(gold), members_of(found), rule, budget);
}

}  // namespace

Equality compare_unordered(const std::vector<Expression>& gold, const std::vector<Expression>& found, const EqualityRule& rule,
                           StepBudget& budget) {
  if (gold.size() != found.size() || gold.size() > kMostElements) return Equality::different;
  std::vector<bool> used(found.size(), false);
  for (const Expression& wanted : gold) {
    bool met = false;
    for (size_t i = 0; i < found.size() && !met; ++i) {
      if (used[i] || compare_answers(wanted, found[i], rule, budget) != Equality::equal) continue;
      used[i] = met = true;
    }
    if (!met) return Equality::different;
  }
  return Equality::equal;
}

Equality compare_answers(const Expression& raw_gold, const Expression& raw_found, const EqualityRule& rule,
                         StepBudget& budget) {
  budget.spend();
  Expression gold = without_approximation(raw_gold);
  Expression found = without_approximation(raw_found);
  const bool gold_assigns = is_assignment(gold);
  const bool found_assigns = is_assignment(found);
  if (is_equation(found) && !gold.is(Op::relation)) {
    Expression last = found.parts.back();
    found = std::move(last);
  } else if (gold_assigns && !found.is(Op::relation)) {
    Expression last = gold.parts.back();
    gold = std::move(last);
  } else if (gold_assigns && found_assigns) {
    const Equality sides = compare_in_order(gold.parts, found.parts, rule, budget);
    if (sides == Equality::equal || !only_symbols(gold.parts[1]) || !only_symbols(found.parts[1])) return sides;
    std::reverse(found.parts.begin(), found.parts.end());
    return compare_in_order(gold.parts, found.parts, rule, budget);
  }
  if (says_real_set(gold) || says_real_set(found)) {
    const std::optional<RealSet> a = read_real_set(gold, budget);
    const std::optional<RealSet> b = read_real_set(found, budget);
    if (a && b) return compare_real_sets(*a, *b, rule, budget);
  }
  if (gold.is(Op::relation) != found.is(Op::relation)) {
    const std::optional<Expression> interval = interval_of(gold.is(Op::relation) ? gold : found);
    if (!interval) return Equality::different;
    (gold.is(Op::relation) ? gold : found) = *interval;
  }
  if (gold.is(Op::relation)) return compare_relations(gold, found, rule, budget);
  if (has_structure(gold) || has_structure(found)) return compare_structures(gold, found, rule, budget);
  return compare_scalars(gold, found, rule, budget);
}

}  // namespace harness
