#include "harness/reward/math/real_set.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "harness/core/text_edit.h"
#include "harness/reward/latex/parts.h"

namespace harness {
namespace {

constexpr long double kInfinite = HUGE_VALL;
constexpr std::string_view kReals = "\\mathbb{R}";
constexpr size_t kMostIntervals = 100;

using Intervals = std::vector<RealInterval>;

// Ends that come from the same number by different ways.
bool same_value(long double a, long double b) {
  return a == b || (std::isfinite(a) && std::isfinite(b) && std::abs(a - b) <= 1e-13L * std::max({1.0L, std::abs(a)}));
}

RealEnd infinite_end(int sign) {
  Expression written = make_symbol("infinity");
  return {sign * kInfinite, true, sign < 0 ? negate(std::move(written)) : std::move(written)};
}

Intervals all_reals() { return {{infinite_end(-1), infinite_end(1)}}; }

bool is_empty(const RealInterval& x) {
  if (same_value(x.low.value, x.high.value)) return x.low.open || x.high.open;
  return x.low.value > x.high.value;
}

Intervals intersection(const Intervals& a, const Intervals& b) {
  Intervals result;
  for (const RealInterval& x : a) {
    for (const RealInterval& y : b) {
      const bool same_low = same_value(x.low.value, y.low.value);
      const bool same_high = same_value(x.high.value, y.high.value);
      RealInterval both{same_low ? x.low : std::max(x.low, y.low, [](auto& p, auto& q) { return p.value < q.value; }),
                        same_high ? x.high : std::min(x.high, y.high, [](auto& p, auto& q) { return p.value < q.value; })};
      if (same_low) both.low.open = x.low.open || y.low.open;
      if (same_high) both.high.open = x.high.open || y.high.open;
      if (!is_empty(both)) result.push_back(std::move(both));
    }
  }
  return result;
}

Intervals complement(const Intervals& x) {
  Intervals result = all_reals();
  for (const RealInterval& taken : x) {
    RealInterval below{infinite_end(-1), taken.low};
    RealInterval above{taken.high, infinite_end(1)};
    below.high.open = !taken.low.open || std::isinf(taken.low.value);
    above.low.open = !taken.high.open || std::isinf(taken.high.value);
    result = intersection(result, {std::move(below), std::move(above)});
  }
  return result;
}

// Sorted, with what overlaps or touches made one.
Intervals merged(Intervals x) {
  std::sort(x.begin(), x.end(), [](const RealInterval& a, const RealInterval& b) {
    if (!same_value(a.low.value, b.low.value)) return a.low.value < b.low.value;
    return !a.low.open && b.low.open;
  });
  Intervals result;
  for (RealInterval& next : x) {
    if (!result.empty()) {
      RealEnd& high = result.back().high;
      const bool touch = same_value(high.value, next.low.value) ? !high.open || !next.low.open : next.low.value < high.value;
      if (touch) {
        if (same_value(high.value, next.high.value)) {
          high.open = high.open && next.high.open;
        } else if (next.high.value > high.value) {
          high = std::move(next.high);
        }
        continue;
      }
    }
    result.push_back(std::move(next));
  }
  return result;
}

void collect_symbols(const Expression& x, std::vector<std::string>& names) {
  if (x.is(Op::symbol) && has_free_symbol(x) && std::find(names.begin(), names.end(), x.name) == names.end()) {
    names.push_back(x.name);
  }
  for (const Expression& part : x.parts) collect_symbols(part, names);
}

Expression with_value(const Expression& x, const std::string& name, int value) {
  if (x.is(Op::symbol) && x.name == name) return make_number(value);
  Expression result = x;
  for (Expression& part : result.parts) part = with_value(part, name, value);
  return result;
}

bool is_set(const Expression& x) { return x.is(Op::tuple) || x.is(Op::set) || says_real_set(x); }

Expression sum_of(Expression a, Expression b) { return make_node(Op::add, two_parts(std::move(a), std::move(b))); }

std::string mirrored(const std::string& op) {
  if (op[0] == '<') return ">" + op.substr(1);
  return op[0] == '>' ? "<" + op.substr(1) : op;
}

// Reads one answer; the members give none where it says no set that can be held.
class RealSetReader {
 public:
  explicit RealSetReader(StepBudget& budget) : budget_(budget) {}

  std::optional<Intervals> read(const Expression& x) {
    budget_.spend(10);
    std::optional<Intervals> result = read_form(x);
    if (result && result->size() > kMostIntervals) return std::nullopt;
    return result;
  }
  [[nodiscard]] const std::string& variable() const { return variable_; }

 private:
  std::optional<Intervals> read_form(const Expression& x) {
    if (x.is(Op::symbol) && x.name == kReals) return all_reals();
    if (x.is(Op::tuple)) return interval(x);
    if (x.is(Op::relation)) return relation(x);
    if (x.is_list()) return list(x);
    if (x.is(Op::set)) return x.parts.size() == 1 && says_real_set(x.parts[0]) ? read(x.parts[0]) : points(x.parts);
    if (x.is(Op::unite)) return all_of(x.parts);
    if (x.is_function("cap")) return pair(x.parts[0], x.parts[1], false);
    if (x.is_function("minus")) return pair(x.parts[0], x.parts[1], true);
    if (x.is_function("builder")) return builder(x);
    if (x.is(Op::add) && x.parts.size() == 2 && x.parts[1].is(Op::multiply) && x.parts[1].parts.size() == 2 &&
        is_set(x.parts[1].parts[1])) {
      return pair(x.parts[0], x.parts[1].parts[1], true);  // R - {3}
    }
    return std::nullopt;
  }

  std::optional<RealEnd> end_of(const Expression& x, bool open) {
    if (const int sign = infinity_sign(x); sign != 0) return infinite_end(sign);
    if (has_free_symbol(x)) return std::nullopt;
    const std::optional<Complex> value = probe_value(x, 0, budget_);
    if (!value || std::abs(value->imag()) > 1e-15L) return std::nullopt;
    return RealEnd{value->real(), open, x};
  }

  std::optional<Intervals> interval(const Expression& x) {
    if (x.parts.size() != 2 || x.name.size() != 2) return std::nullopt;
    const std::optional<RealEnd> low = end_of(x.parts[0], x.name[0] == '(');
    const std::optional<RealEnd> high = end_of(x.parts[1], x.name[1] == ')');
    if (!low || !high || low->value > high->value) return std::nullopt;
    const RealInterval result{*low, *high};
    return is_empty(result) ? Intervals{} : Intervals{result};
  }

  std::optional<Intervals> points(const std::vector<Expression>& values) {
    Intervals result;
    if (values.size() > kMostIntervals) return std::nullopt;
    for (const Expression& value : values) {
      const std::optional<RealEnd> end = end_of(value, false);
      if (!end || std::isinf(end->value)) return std::nullopt;
      result.push_back({*end, *end});
    }
    return result;
  }

  std::optional<Intervals> all_of(const std::vector<Expression>& sets) {
    Intervals result;
    if (sets.size() > kMostIntervals) return std::nullopt;
    for (const Expression& set : sets) {
      std::optional<Intervals> next = read(set);
      if (!next) return std::nullopt;
      result.insert(result.end(), next->begin(), next->end());
    }
    return result;
  }

  std::optional<Intervals> pair(const Expression& a, const Expression& b, bool without) {
    const std::optional<Intervals> x = read(a);
    const std::optional<Intervals> y = without && !is_set(b) ? points({b}) : read(b);
    if (!x || !y) return std::nullopt;
    return intersection(*x, without ? complement(*y) : *y);
  }

  std::optional<Intervals> builder(const Expression& x) {
    std::optional<Intervals> result = read(x.parts[1]);
    if (result && x.parts[0].is(Op::relation)) {
      const std::optional<Intervals> whole = read(x.parts[0]);
      if (!whole) return std::nullopt;
      result = intersection(*result, *whole);
    }
    variable_.clear();  // bound
    return result;
  }

  // Points behind `x \ne 1` or `\mathbb{R} \setminus 1` are left out too.
  std::optional<Intervals> list(const Expression& x) {
    const bool tuples = std::all_of(x.parts.begin(), x.parts.end(), [](const Expression& part) { return part.is(Op::tuple); });
    if (tuples || x.name == "or") return all_of(x.parts);
    std::optional<Intervals> common = all_reals();
    Intervals any;
    bool excludes = false;
    for (const Expression& part : x.parts) {
      const bool value = excludes && !part.is(Op::relation) && !is_set(part);
      std::optional<Intervals> next = value ? points({part}) : read(part);
      if (!next || common->size() > kMostIntervals) return std::nullopt;
      if (value) next = complement(*next);
      excludes = value || part.is_function("minus") || (part.is(Op::relation) && part.name == "!=");
      common = intersection(*common, *next);
      any.insert(any.end(), next->begin(), next->end());
    }
    return common->empty() && x.name == "," ? any : *common;
  }

  std::optional<Intervals> relation(const Expression& x) {
    const std::vector<std::string> operators = split_text(x.name, " ");
    if (x.name == "in" || x.name == "notin" || (x.name == "=" && is_set(x.parts[1]))) {
      if (!x.parts[0].is(Op::symbol) || !takes_variable(x.parts[0].name)) return std::nullopt;
      const std::optional<Intervals> set = read(x.parts[1]);
      if (!set) return std::nullopt;
      return x.name == "notin" ? complement(*set) : *set;
    }
    Intervals result = all_reals();
    for (size_t i = 0; i < operators.size(); ++i) {
      const std::optional<Intervals> next = condition(x.parts[i], operators[i], x.parts[i + 1]);
      if (!next) return std::nullopt;
      result = intersection(result, *next);
    }
    return result;
  }

  // Whether the conditions are all on this symbol.
  bool takes_variable(const std::string& name) {
    if (!variable_.empty() && !name.empty() && variable_ != name) return false;
    if (variable_.empty()) variable_ = name;
    return true;
  }

  // left op right
  std::optional<Intervals> condition(const Expression& left, const std::string& op, const Expression& right) {
    if (op != "=" && (op == "notin" || !is_inequality_sign(op))) return std::nullopt;
    std::vector<std::string> names;
    collect_symbols(left, names);
    collect_symbols(right, names);
    if (names.size() != 1 || !takes_variable(names[0])) return std::nullopt;
    if (!has_free_symbol(left)) return condition(right, mirrored(op), left);
    if (const int sign = infinity_sign(right); sign != 0) {
      if ((op[0] == '<' && sign > 0) || (op[0] == '>' && sign < 0)) return all_reals();
      return std::nullopt;
    }
    if (!left.is_function("abs") || has_free_symbol(right)) return linear(sum_of(left, negate(right)), op, names[0]);
    const std::optional<Intervals> upper = linear(sum_of(left.parts[0], negate(right)), op, names[0]);
    const std::optional<Intervals> lower = linear(sum_of(left.parts[0], right), mirrored(op), names[0]);
    if (!upper || !lower) return std::nullopt;
    if (op[0] == '<' || op == "!=") return intersection(*upper, *lower);
    Intervals both = *upper;
    both.insert(both.end(), lower->begin(), lower->end());
    return both;
  }

  // x op 0, where x = a * name + b
  std::optional<Intervals> linear(const Expression& x, std::string op, const std::string& name) {
    const Expression at_zero = with_value(x, name, 0);
    const Expression slope = sum_of(with_value(x, name, 1), negate(at_zero));
    const std::optional<Complex> b = probe_value(at_zero, 0, budget_);
    const std::optional<Complex> a = probe_value(slope, 0, budget_);
    if (!a || !b || std::abs(a->imag()) > 1e-15L || std::abs(a->real()) < 1e-12L) return std::nullopt;
    for (const int point : {2, -3}) {
      const std::optional<Complex> value = probe_value(with_value(x, name, point), 0, budget_);
      const Complex expected = *b + *a * static_cast<long double>(point);
      if (!value || std::abs(*value - expected) > 1e-12L * (1 + std::abs(expected))) return std::nullopt;
    }
    if (a->real() < 0) op = mirrored(op);
    const std::optional<RealEnd> root = end_of(make_node(Op::multiply, two_parts(negate(at_zero), reciprocal(slope))), true);
    if (!root) return std::nullopt;
    RealEnd closed = *root;
    closed.open = false;
    if (op == "=") return Intervals{{closed, closed}};
    const RealEnd& end = op.size() == 2 && op != "!=" ? closed : *root;
    Intervals result;
    if (op[0] == '<' || op == "!=") result.push_back({infinite_end(-1), end});
    if (op[0] == '>' || op == "!=") result.push_back({end, infinite_end(1)});
    return result;
  }

  StepBudget& budget_;
  std::string variable_;
};

}  // namespace

bool says_real_set(const Expression& x) {
  if (x.is(Op::relation)) {
    const std::vector<std::string> operators = split_text(x.name, " ");
    return std::any_of(operators.begin(), operators.end(), is_inequality_sign);
  }
  if (x.is(Op::symbol)) return x.name == kReals;
  if (x.is(Op::set)) return std::any_of(x.parts.begin(), x.parts.end(), says_real_set);
  if (x.is(Op::add)) return says_real_set(x.parts[0]);
  return x.is(Op::unite) || x.is_function("cap") || x.is_function("minus") || x.is_function("builder");
}

std::optional<RealSet> read_real_set(const Expression& x, StepBudget& budget) {
  RealSetReader reader(budget);
  std::optional<Intervals> intervals = reader.read(x);
  if (!intervals) return std::nullopt;
  return RealSet{merged(std::move(*intervals)), reader.variable()};
}

Equality compare_real_sets(const RealSet& gold, const RealSet& found, const EqualityRule& rule, StepBudget& budget) {
  if (!gold.variable.empty() && !found.variable.empty() && gold.variable != found.variable) return Equality::different;
  if (gold.intervals.size() != found.intervals.size()) return Equality::different;
  for (size_t i = 0; i < gold.intervals.size(); ++i) {
    for (const auto end : {&RealInterval::low, &RealInterval::high}) {
      const RealEnd& a = gold.intervals[i].*end;
      const RealEnd& b = found.intervals[i].*end;
      if (a.open != b.open) return Equality::different;
      const Equality equality = compare_scalars(a.written, b.written, rule, budget);
      if (equality != Equality::equal) return equality;
    }
  }
  return Equality::equal;
}

}  // namespace harness
