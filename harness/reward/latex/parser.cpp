#include "harness/reward/latex/parser.h"

#include <array>
#include <cctype>
#include <utility>

#include "harness/core/text_edit.h"
#include "harness/reward/answer/boxed.h"
#include "harness/reward/latex/grammar.h"
#include "harness/reward/latex/parts.h"
#include "harness/reward/math/latex_clean.h"

namespace harness {
namespace {

Expression signed_by(const char* sign, Expression x) {
  return make_node(Op::multiply, two_parts(make_symbol(sign), std::move(x)));
}

}  // namespace

Expression LatexGrammar::whole() {
  Expression x = list("");
  if (!at_end()) throw NotMathematics{};
  return x;
}

Expression LatexGrammar::list(std::string_view closers) {
  const Depth depth(*this);
  std::vector<std::vector<Expression>> clauses(1);  // "or" between them
  bool conjunction = false;
  while (true) {
    clauses.back().push_back(relation());
    if (take("\\lor")) {
      clauses.emplace_back();
    } else if (take("\\land")) {
      conjunction = true;
    } else if (!take(",") && !take(";")) {
      break;
    } else if (peek() == '\0' || closers.find(peek()) != std::string_view::npos || rest().starts_with("\\}")) {
      break;
    }
  }
  const auto join = [](std::vector<Expression> parts, const char* name) {
    return parts.size() == 1 ? std::move(parts[0]) : make_node(Op::set, std::move(parts), name);
  };
  if (clauses.size() == 1) return join(std::move(clauses[0]), conjunction ? "and" : ",");
  std::vector<Expression> parts;
  for (std::vector<Expression>& clause : clauses) {
    if (conjunction) {
      parts.push_back(join(std::move(clause), "and"));
    } else {
      for (Expression& part : clause) parts.push_back(std::move(part));
    }
  }
  return make_node(Op::set, std::move(parts), "or");
}

Expression LatexGrammar::relation() {
  const Depth depth(*this);
  std::vector<Expression> parts;
  std::string operators;
  if (const std::string leading = relation_operator(); !leading.empty()) {  // "\approx 3", "= 5"; "> 5" leaves out its variable
    Expression x = relation();
    if (!is_inequality_sign(leading)) return x;
    if (x.is(Op::relation)) throw NotMathematics{};
    return make_node(Op::relation, two_parts(make_symbol(""), std::move(x)), leading);
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
    if (!(builder_ && name == "mid") && take(sign)) return std::string(name);
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
  if (take("+-") || take("+/-")) return signed_by("\\pm", product());
  if (take("-")) return negate(product());
  if (take("\\pm")) return signed_by("\\pm", product());
  if (take("\\mp")) return signed_by("\\mp", product());
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
  skip();
  const size_t begin = at_;
  std::vector<Expression> terms;
  terms.push_back(factors());
  while (!builder_ && take(":")) terms.push_back(factors());
  if (terms.size() == 1) return std::move(terms[0]);
  if (terms.size() == 2) return make_node(Op::multiply, two_parts(std::move(terms[0]), reciprocal(std::move(terms[1]))));
  const std::optional<ClockTime> time = clock_time_at(text_.substr(begin));
  const bool is_time = time && time->second >= 0 && begin + time->size == at_;
  return make_node(Op::function, std::move(terms), is_time ? "ratio time" : "ratio");
}

Expression LatexGrammar::factors() {
  std::vector<Expression> parts;
  parts.push_back(power());
  while (true) {
    if (take("\\cdot") || take("\\times") || take("\\ast") || (!rest().starts_with("**") && take("*"))) {
      parts.push_back(signed_power());
    } else if (take("/") || take("\\div")) {
      parts.push_back(reciprocal(signed_power()));
    } else if (starts_factor()) {
      parts.push_back(power());
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
  const char first = peek();
  Expression x = is_digit(first) || first == '.' ? quantity() : atom();
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

std::optional<Expression> parse_answer(std::string_view text, std::string_view cased, StepBudget& budget) {
  try {
    return expand_plus_minus(LatexGrammar(text, cased, budget).whole());
  } catch (const NotMathematics&) {
    return std::nullopt;
  }
}

std::string letters_of_both_cases(std::string_view text) {
  constexpr std::string_view kText = "\\text{";
  std::array<bool, 256> seen{};
  for (size_t at = 0; at < text.size();) {
    const std::optional<size_t> end =
        text.substr(at).starts_with(kText) ? end_of_braces(text, at + kText.size() - 1) : std::nullopt;
    if (end) {
      at = *end;
    } else if (text[at] == '\\') {
      do ++at;
      while (at < text.size() && is_letter(text[at]));
    } else {
      seen[static_cast<unsigned char>(text[at++])] = true;
    }
  }
  std::string letters;
  for (char c = 'a'; c <= 'z'; ++c) {
    if (seen[static_cast<unsigned char>(c)] && seen[static_cast<unsigned char>(c - 'a' + 'A')]) letters += c;
  }
  return letters;
}

}  // namespace harness
