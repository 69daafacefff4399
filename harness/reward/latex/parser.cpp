#include "harness/reward/latex/parser.h"

#include <array>
#include <cctype>
#include <utility>

#include "harness/reward/latex/grammar.h"
#include "harness/reward/latex/parts.h"
#include "harness/reward/math/latex_clean.h"

namespace harness {
namespace {

Expression signed_by(const char* sign, Expression x) {
  return make_node(Op::multiply, two_parts(make_symbol(sign), std::move(x)));
}

bool is_plain_fraction(const Expression& x) {
  return x.is(Op::multiply) && x.parts.size() == 2 && x.parts[0].is(Op::number) && x.parts[1].is(Op::power) &&
         x.parts[1].parts[0].is(Op::number);
}

}  // namespace

Expression LatexGrammar::whole() {
  Expression x = list("");
  if (!at_end()) throw NotMathematics{};
  return x;
}

Expression LatexGrammar::list(std::string_view closers) {
  const Depth depth(*this);
  std::vector<Expression> parts;
  do {
    if (!parts.empty() && (peek() == '\0' || closers.find(peek()) != std::string_view::npos || rest().starts_with("\\}")))
      break;
    parts.push_back(relation());
  } while (take(",") || take(";"));
  if (parts.size() == 1) return std::move(parts[0]);
  return make_node(Op::set, std::move(parts), ",");
}

Expression LatexGrammar::relation() {
  const Depth depth(*this);
  std::vector<Expression> parts;
  std::string operators;
  if (!relation_operator().empty()) {  // "\approx 3", "= 5"
    return relation();
  }
  parts.push_back(set_sum());
  for (std::string op = relation_operator(); !op.empty(); op = relation_operator()) {
    operators += (operators.empty() ? "" : " ") + op;
    parts.push_back(set_sum());
  }
  if (parts.size() == 1) return std::move(parts[0]);
  return make_node(Op::relation, std::move(parts), operators);
}

std::string LatexGrammar::relation_operator() {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kSigns = {{
      {"<=", "<="},
      {">=", ">="},
      {"!=", "!="},
      {"=", "="},
      {"<", "<"},
      {">", ">"},
      {"\\ne", "!="},
      {"\\le", "<="},
      {"\\ge", ">="},
      {"\\approx", "~"},
      {"\\in", "in"},
      {"\\equiv", "=="},
      {"\\to", "to"},
      {"\\rightarrow", "to"},
      {"\\Rightarrow", "=>"},
      {"\\sim", "sim"},
      {"\\cong", "cong"},
      {"\\mid", "mid"},
      {"\\subset", "subset"},
      {"\\subseteq", "subseteq"},
      {"\\notin", "notin"},
      {"\\parallel", "parallel"},
  }};
  for (const auto& [sign, name] : kSigns) {
    if (take(sign)) return std::string(name);
  }
  return {};
}

Expression LatexGrammar::set_sum() {
  Expression left = sum();
  while (true) {
    if (take("\\cup")) {
      Expression right = sum();
      if (!left.is(Op::unite)) left = make_node(Op::unite, one_part(std::move(left)));
      left.parts.push_back(std::move(right));
    } else if (take("\\cap")) {
      left = make_node(Op::function, two_parts(std::move(left), sum()), "cap");
    } else if (take("\\setminus") || take("\\backslash") || take("\\smallsetminus")) {
      left = make_node(Op::function, two_parts(std::move(left), sum()), "minus");
    } else {
      return left;
    }
  }
}

std::optional<Expression> LatexGrammar::signed_product(bool first) {
  if (!first && take("+-")) return signed_by("pm", product());
  if (take("-")) return negate(product());
  if (take("\\pm")) return signed_by("pm", product());
  if (take("\\mp")) return signed_by("mp", product());
  if (take("+") || first) return product();
  return std::nullopt;
}

Expression LatexGrammar::sum() {
  const Depth depth(*this);
  std::vector<Expression> parts;
  while (std::optional<Expression> term = signed_product(parts.empty())) parts.push_back(std::move(*term));
  if (parts.size() == 1) return std::move(parts[0]);
  return make_node(Op::add, std::move(parts));
}

Expression LatexGrammar::product() {
  const Depth depth(*this);
  std::vector<Expression> parts;
  parts.push_back(power());
  while (true) {
    if (take("\\cdot") || take("\\times") || take("\\ast") || (!rest().starts_with("**") && take("*"))) {
      parts.push_back(signed_power());
    } else if (take("/") || take("\\div") || take(":")) {
      parts.push_back(reciprocal(signed_power()));
    } else if (starts_factor()) {
      const bool mixed = parts.size() == 1 && parts[0].is(Op::number) && !parts[0].decimal && rest().starts_with("\\frac");
      Expression factor = power();
      if (mixed && is_plain_fraction(factor)) {
        parts[0] = make_node(Op::add, two_parts(std::move(parts[0]), std::move(factor)));
      } else {
        parts.push_back(std::move(factor));
      }
    } else {
      break;
    }
  }
  if (parts.size() == 1) return std::move(parts[0]);
  return make_node(Op::multiply, std::move(parts));
}

Expression LatexGrammar::signed_power() {
  if (take("-")) return negate(power());
  take("+");
  return power();
}

bool LatexGrammar::starts_factor() {
  const char c = peek();
  if (c == '\0') return false;
  if (c == '|') return bars_ == 0;
  if (c == '\\') {
    const std::string name = command();
    return !is_operator_command(name) && name != "\\rfloor" && name != "\\rceil" && name != "\\}" && name != "\\\\" &&
           name != "\\rangle" && name != "\\end";
  }
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '(' || c == '[' || c == '{' || c == '.' ||
         static_cast<unsigned char>(c) >= 0x80;
}

Expression LatexGrammar::power() {
  const Depth depth(*this);
  Expression x = atom();
  while (true) {
    if (take("^") || take("**")) {
      Expression exponent = take("-") ? negate(script()) : script();
      x = make_node(Op::power, two_parts(std::move(x), std::move(exponent)));
    } else if (peek() == '!' && !rest().starts_with("!=")) {
      take("!");
      x = make_node(Op::function, one_part(std::move(x)), "factorial");
    } else if (take("%")) {
      x = make_node(Op::percent, one_part(std::move(x)));
    } else if (peek() == '_') {
      take("_");
      if (at_end()) throw NotMathematics{};
      const std::string subscript = peek() == '{' ? raw_group() : std::string(1, text_[at_++]);
      if (x.is(Op::number)) x.name = squeeze(subscript);
    } else {
      return x;
    }
    budget_.spend();
  }
}

Expression LatexGrammar::script() {
  const Depth depth(*this);
  Expression x = atom();
  if (take("^")) return make_node(Op::power, two_parts(std::move(x), script()));
  return x;
}

std::optional<Expression> parse_answer(std::string_view text, StepBudget& budget) {
  try {
    return expand_plus_minus(LatexGrammar(text, budget).whole());
  } catch (const NotMathematics&) {
    return std::nullopt;
  }
}

}  // namespace harness
