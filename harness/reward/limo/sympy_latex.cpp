#include "harness/reward/limo/sympy_latex.h"

#include <array>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/text_edit.h"
#include "harness/reward/latex/number_forms.h"
#include "harness/reward/latex/parts.h"
#include "harness/reward/limo/sympy_cursor.h"

namespace harness {
namespace {

constexpr int kDeepest = 80;

// Backtracking descent: an operand that cannot be read puts the cursor back before its operator.
class SympyParser : private SympyCursor {
 public:
  SympyParser(std::string_view text, LeadingZeros zeros, StepBudget& budget)
      : SympyCursor(text), zeros_(zeros), budget_(budget) {}

  Expression relation() {
    Expression left = sum();
    std::string op = relation_operator();
    if (op.empty()) return left;
    Expression right = sum();
    if (!relation_operator().empty()) throw SympyRaise{};  // chains do not compare with anything
    return make_node(Op::relation, two_parts(std::move(left), std::move(right)), op);
  }

 private:
  class Depth {
   public:
    explicit Depth(SympyParser& parser) : parser_(parser) {
      if (++parser_.depth_ > kDeepest) throw SympyRaise{};
      parser_.budget_.spend();
    }
    ~Depth() { --parser_.depth_; }

   private:
    SympyParser& parser_;
  };

  // Runs `rule`; where it stops, the cursor goes back to `at` and the answer is none.
  template <typename Rule>
  std::optional<Expression> attempt(size_t at, Rule&& rule) {
    const int depth = depth_;
    try {
      return rule();
    } catch (const SympyStop&) {
      budget_.spend(50);  // exceptions cost more than steps
      at_ = at;
      depth_ = depth;
      return std::nullopt;
    }
  }

  Expression sum() {
    const Depth depth(*this);
    std::vector<Expression> parts;
    parts.push_back(product(true));
    while (true) {
      const size_t before = at_;
      const char c = peek();
      if (c != '+' && c != '-') break;
      ++at_;
      std::optional<Expression> next = attempt(before, [&] { return product(true); });
      if (!next) break;
      parts.push_back(c == '-' ? negate(std::move(*next)) : std::move(*next));
    }
    if (parts.size() == 1) return std::move(parts[0]);
    return make_node(Op::add, std::move(parts));
  }

  // +1: times, -1: over, 0: no operator at the cursor.
  int product_operator() {
    if (take('*') || take_command("\\times") || take_command("\\cdot")) return 1;
    if (take('/') || take(':') || take_command("\\div")) return -1;
    return 0;
  }

  Expression product(bool functions) {
    const Depth depth(*this);
    std::vector<Expression> parts;
    parts.push_back(unary(functions));
    while (true) {
      const size_t before = at_;
      const int op = product_operator();
      if (op == 0) break;
      std::optional<Expression> next = attempt(before, [&] { return unary(functions); });
      if (!next) break;
      parts.push_back(op > 0 ? std::move(*next) : reciprocal(std::move(*next)));
    }
    if (parts.size() == 1) return std::move(parts[0]);
    return make_node(Op::multiply, std::move(parts));
  }

  Expression unary(bool functions) {
    const Depth depth(*this);
    if (take('+')) return unary(functions);
    if (take('-')) return negate(unary(functions));
    std::vector<Expression> parts;
    parts.push_back(postfix(functions));
    while (true) {
      const size_t before = at_;
      if (!starts_atom()) break;
      std::optional<Expression> next = attempt(before, [&] { return postfix(functions); });
      if (!next) break;
      parts.push_back(std::move(*next));
    }
    if (parts.size() == 1) return std::move(parts[0]);
    return make_node(Op::multiply, std::move(parts));
  }

  bool starts_atom() {
    const char c = peek();
    if (c == '\\') {
      const std::string name = command();
      return name != "\\times" && name != "\\cdot" && name != "\\div" && name != "\\}" && name != "\\neq" && name != "\\le" &&
             name != "\\leq" && name != "\\ge" && name != "\\geq" && name != "\\leqslant" && name != "\\geqslant" &&
             name != "\\rfloor" && name != "\\rceil" && name != "\\to" && name != "\\rightarrow" && name != "\\Rightarrow" &&
             name != "\\rangle";
    }
    return is_letter(c) || is_digit(c) || c == '(' || c == '[' || c == '{' || c == '|';
  }

  Expression postfix(bool functions) {
    const Depth depth(*this);
    Expression x = power(functions);
    while (take('!')) x = make_node(Op::function, one_part(std::move(x)), "factorial");
    return x;
  }

  Expression power(bool functions) {
    const Depth depth(*this);
    Expression x = component(functions);
    while (true) {
      const size_t before = at_;
      if (!take('^')) return x;
      std::optional<Expression> exponent = attempt(before, [&] { return script(); });
      if (!exponent) return x;
      x = make_node(Op::power, two_parts(std::move(x), std::move(*exponent)));
      if (peek() == '_') {  // a subscript after an exponent is read and dropped
        const size_t mark = at_++;
        attempt(mark, [&] { return script(); });
        if (at_ == mark) return x;
      }
    }
  }

  // One atom or a braced expression.
  Expression script() {
    if (peek() != '{') return atom();
    return bracketed('{', '}');
  }

  Expression bracketed(char open, char close) {
    expect(open);
    Expression x = sum();
    expect(close);
    return x;
  }

  Expression component(bool functions) {
    const char c = peek();
    if (c == '(') return bracketed('(', ')');
    if (c == '[') return bracketed('[', ']');
    if (c == '{') return bracketed('{', '}');
    if (c == '|') {
      return make_node(Op::function, one_part(bracketed('|', '|')), "abs");
    }
    const std::string name = command();
    if (name == "\\{") {
      at_ += 2;
      Expression x = sum();
      if (!take_command("\\}")) throw SympyStop{};
      return x;
    }
    if (name == "\\lfloor" || name == "\\lceil") {
      at_ += name.size();
      Expression x = sum();
      if (!take_command(name == "\\lfloor" ? "\\rfloor" : "\\rceil")) throw SympyStop{};
      return make_node(Op::function, one_part(std::move(x)), name == "\\lfloor" ? "floor" : "ceil");
    }
    if (is_plain_function(name)) {
      if (!functions) throw SympyStop{};
      return function(name);
    }
    if (name == "\\sqrt" || name == "\\overline") {
      if (!functions) throw SympyStop{};
      return name == "\\sqrt" ? root() : conjugate();
    }
    if (name == "\\int" || name == "\\sum" || name == "\\prod" || name == "\\lim") throw SympyRaise{};
    return atom(functions);
  }

  static bool is_plain_function(std::string_view name) {
    static constexpr auto kNames = std::to_array<std::string_view>(
        {"\\exp",  "\\log",  "\\lg",     "\\ln",     "\\sin",    "\\cos",    "\\tan",    "\\csc",
         "\\sec",  "\\cot",  "\\arcsin", "\\arccos", "\\arctan", "\\arccsc", "\\arcsec", "\\arccot",
         "\\sinh", "\\cosh", "\\tanh",   "\\arsinh", "\\arcosh", "\\artanh"});
    for (const std::string_view known : kNames) {
      if (known == name) return true;
    }
    return false;
  }

  Expression function(const std::string& command_name) {
    at_ += command_name.size();
    std::optional<Expression> base;
    std::optional<Expression> exponent;
    for (int i = 0; i < 2; ++i) {
      if (!base && take('_')) base = script();
      if (!exponent && take('^')) exponent = script();
    }
    Expression argument = peek() == '(' ? bracketed('(', ')') : product(false);
    std::string name = command_name.substr(1);
    if (name == "log") name = "ln";
    if (name == "arsinh" || name == "arcosh" || name == "artanh") name = "arc" + name.substr(2);
    const bool trigonometric =
        name == "sin" || name == "cos" || name == "tan" || name == "csc" || name == "sec" || name == "cot";
    const bool inverse = exponent && trigonometric && exponent->is(Op::number) && exponent->value == -1;
    if (inverse) name = "arc" + name;
    const bool logarithm = base && (name == "ln" || name == "lg");
    Expression x = logarithm ? make_node(Op::function, two_parts(std::move(argument), std::move(*base)), "log_base")
                             : make_node(Op::function, one_part(std::move(argument)), name);
    if (exponent && !inverse) x = make_node(Op::power, two_parts(std::move(x), std::move(*exponent)));
    return x;
  }

  Expression root() {
    at_ += 5;
    Expression degree = make_number(2);
    if (peek() == '[') degree = bracketed('[', ']');
    Expression x = bracketed('{', '}');
    return make_node(Op::power, two_parts(std::move(x), reciprocal(std::move(degree))));
  }

  // A bar is the complex conjugate: a value of its own.
  Expression conjugate() {
    const size_t begin = at_;
    at_ += 9;
    bracketed('{', '}');
    return make_symbol("$" + std::string(text_.substr(begin, at_ - begin)));
  }

  Expression number() {
    std::string digits;
    const auto read_digits = [&] {
      while (is_digit(peek())) digits += text_[at_++];
    };
    read_digits();
    while (peek() == ',') {
      const size_t mark = at_++;
      std::string group;
      while (group.size() < 3 && is_digit(peek())) group += text_[at_++];
      if (group.size() < 3) {
        at_ = mark;
        break;
      }
      digits += group;
    }
    if (peek() == '.') {
      ++at_;
      if (!is_digit(peek())) throw SympyRaise{};
      digits += '.';
      read_digits();
    }
    const bool leading_zero = zeros_ == LeadingZeros::raise && digits.size() > 1 && digits[0] == '0' &&
                              digits.find_first_not_of('0') != std::string::npos;
    if (leading_zero && digits.find('.') == std::string::npos) throw SympyRaise{};  // "02" is no number to sympy
    const std::optional<NumberToken> token = read_number(digits, false);
    if (!token) throw SympyRaise{};
    budget_.spend(static_cast<int64_t>(digits.size() * digits.size() / 64));
    return make_number(token->value, token->decimal);
  }

  Expression group_of_frac() {
    if (is_digit(peek())) return make_number(text_[at_++] - '0');
    return bracketed('{', '}');
  }

  Expression atom(bool functions = false) {
    const Depth depth(*this);
    const char c = peek();
    if (is_digit(c)) return number();
    if (is_letter(c)) return name_atom(functions);
    if (c != '\\') throw SympyStop{};
    const std::string name = command();
    if (!starts_atom() || name.size() < 2 || !is_letter(name[1])) throw SympyStop{};
    if (name == "\\frac" || name == "\\dfrac" || name == "\\tfrac") {
      at_ += name.size();
      Expression top = group_of_frac();
      return make_node(Op::multiply, two_parts(std::move(top), reciprocal(group_of_frac())));
    }
    if (name == "\\binom" || name == "\\dbinom" || name == "\\tbinom") {
      at_ += name.size();
      Expression top = bracketed('{', '}');
      return make_node(Op::function, two_parts(std::move(top), bracketed('{', '}')), "binomial");
    }
    if (is_plain_function(name) || name == "\\sqrt" || name == "\\overline" || name == "\\lfloor" || name == "\\lceil")
      throw SympyStop{};
    return name_atom(functions);
  }

  // A letter, a command, or a differential "dx", with subscript and primes; with `(...)` a function.
  Expression name_atom(bool functions) {
    std::string name;
    if (text_[at_] == '\\') {
      name = command().substr(1);
      at_ += name.size() + 1;
    } else {
      name = text_[at_++];
      if (name == "d" && (is_letter(peek()) || (peek() == '\\' && is_letter(command().back())))) {
        if (text_[at_] == '\\') {
          const std::string rest = command();
          at_ += rest.size();
          return make_symbol("$d" + rest);
        }
        return make_symbol(std::string("$d") + text_[at_++]);
      }
    }
    if (name == "infty") return make_symbol("infinity");
    while (take('\'')) name += '\'';
    if (take('_')) {
      const size_t begin = at_;
      script();
      std::string subscript = replace_all(std::string(text_.substr(begin, at_ - begin)), " ", "");
      if (subscript.size() > 2 && subscript.front() == '{') subscript = subscript.substr(1, subscript.size() - 2);
      name += "_{" + subscript + "}";
      while (take('\'')) name += '\'';
    }
    if (functions && peek() == '(') {
      std::optional<Expression> call = attempt(at_, [&] { return arguments(name); });
      if (call) return std::move(*call);
    }
    return make_symbol("$" + name);
  }

  Expression arguments(const std::string& name) {
    expect('(');
    std::vector<Expression> parts;
    do parts.push_back(sum());
    while (take(','));
    expect(')');
    return make_node(Op::function, std::move(parts), "call:" + name);
  }

  LeadingZeros zeros_;
  StepBudget& budget_;
  int depth_ = 0;
};

}  // namespace

std::optional<Expression> parse_sympy_latex(std::string_view text, StepBudget& budget, LeadingZeros zeros) {
  try {
    return SympyParser(text, zeros, budget).relation();
  } catch (const SympyStop&) {
    return std::nullopt;
  } catch (const SympyRaise&) {
    return std::nullopt;
  }
}

}  // namespace harness
