#include "harness/reward/latex_parser.h"

#include <array>
#include <cctype>
#include <utility>

#include "harness/reward/boxed.h"
#include "harness/reward/latex_parts.h"
#include "harness/reward/latex_clean.h"
#include "harness/reward/text_edit.h"

namespace harness {
namespace {

struct NotMathematics {};

constexpr int kDeepest = 60;

// Recursive descent over the text; throws NotMathematics.
class Parser {
 public:
  Parser(std::string_view text, StepBudget& budget) : text_(text), budget_(budget), thousands_(commas_are_thousands(text)) {}

  Expression whole() {
    Expression x = list("");
    skip();
    if (at_ != text_.size()) throw NotMathematics{};
    return x;
  }

 private:
  class Depth {
   public:
    explicit Depth(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kDeepest) throw NotMathematics{};
      parser_.budget_.spend();
    }
    ~Depth() { --parser_.depth_; }

   private:
    Parser& parser_;
  };

  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  [[nodiscard]] char peek() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  bool take(std::string_view token) {
    skip();
    if (!rest().starts_with(token)) return false;
    if (token[0] == '\\' && token.size() > 1 && std::isalpha(static_cast<unsigned char>(token[1])) != 0) {
      const size_t end = at_ + token.size();
      if (end < text_.size() && std::isalpha(static_cast<unsigned char>(text_[end])) != 0) return false;
    }
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) throw NotMathematics{};
  }
  // The command at the cursor, "\frac"; "" if there is none. The cursor stays.
  [[nodiscard]] std::string command() {
    skip();
    if (at_ >= text_.size() || text_[at_] != '\\') return {};
    size_t end = at_ + 1;
    while (end < text_.size() && std::isalpha(static_cast<unsigned char>(text_[end])) != 0) ++end;
    if (end == at_ + 1 && end < text_.size()) ++end;
    return std::string(text_.substr(at_, end - at_));
  }
  // The raw content of a `{...}` at the cursor.
  std::string raw_group() {
    skip();
    if (at_ >= text_.size() || text_[at_] != '{') throw NotMathematics{};
    const std::optional<size_t> end = end_of_braces(text_, at_);
    if (!end) throw NotMathematics{};
    std::string content(text_.substr(at_ + 1, *end - at_ - 2));
    at_ = *end;
    return content;
  }

  // element (, element)*; a bare list of two or more is a set with the name ",".
  Expression list(std::string_view closers) {
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

  Expression relation() {
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

  // Takes a relation sign and gives its one spelling; "" if there is none.
  std::string relation_operator() {
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

  Expression set_sum() {
    Expression left = sum();
    while (true) {
      if (take("\\cup")) {
        Expression right = sum();
        if (!left.is(Op::unite)) left = pack(Op::unite, std::move(left));
        left.parts.push_back(std::move(right));
      } else if (take("\\cap")) {
        left = make_node(Op::function, pair(std::move(left), sum()), "cap");
      } else if (take("\\setminus") || take("\\backslash") || take("\\smallsetminus")) {
        left = make_node(Op::function, pair(std::move(left), sum()), "minus");
      } else {
        return left;
      }
    }
  }

  static std::vector<Expression> pair(Expression a, Expression b) {
    std::vector<Expression> parts;
    parts.push_back(std::move(a));
    parts.push_back(std::move(b));
    return parts;
  }
  static Expression pack(Op op, Expression x) {
    std::vector<Expression> parts;
    parts.push_back(std::move(x));
    return make_node(op, std::move(parts));
  }
  static Expression signed_by(const char* sign, Expression x) {
    return make_node(Op::multiply, pair(make_symbol(sign), std::move(x)));
  }

  Expression sum() {
    const Depth depth(*this);
    std::vector<Expression> parts;
    if (take("-")) {
      parts.push_back(negate(product()));
    } else if (take("\\pm")) {
      parts.push_back(signed_by("pm", product()));
    } else if (take("\\mp")) {
      parts.push_back(signed_by("mp", product()));
    } else {
      take("+");
      parts.push_back(product());
    }
    while (true) {
      if (take("+-")) {
        parts.push_back(signed_by("pm", product()));
      } else if (take("+")) {
        parts.push_back(product());
      } else if (take("-")) {
        parts.push_back(negate(product()));
      } else if (take("\\pm")) {
        parts.push_back(signed_by("pm", product()));
      } else if (take("\\mp")) {
        parts.push_back(signed_by("mp", product()));
      } else {
        break;
      }
    }
    if (parts.size() == 1) return std::move(parts[0]);
    return make_node(Op::add, std::move(parts));
  }

  Expression product() {
    const Depth depth(*this);
    std::vector<Expression> parts;
    parts.push_back(power());
    while (true) {
      if (take("\\cdot") || take("\\times") || take("\\ast") || (!rest().starts_with("**") && take("*"))) {
        parts.push_back(signed_power());
      } else if (take("/") || take("\\div") || take(":")) {
        parts.push_back(make_node(Op::power, pair(signed_power(), make_number(-1))));
      } else if (starts_factor()) {
        const bool mixed = parts.size() == 1 && parts[0].is(Op::number) && !parts[0].decimal && rest().starts_with("\\frac");
        Expression factor = power();
        if (mixed && is_plain_fraction(factor)) {
          parts[0] = make_node(Op::add, pair(std::move(parts[0]), std::move(factor)));
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

  static bool is_plain_fraction(const Expression& x) {
    return x.is(Op::multiply) && x.parts.size() == 2 && x.parts[0].is(Op::number) && x.parts[1].is(Op::power) &&
           x.parts[1].parts[0].is(Op::number);
  }

  Expression signed_power() {
    if (take("-")) return negate(power());
    take("+");
    return power();
  }

  [[nodiscard]] bool starts_factor() {
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

  // atom with its postfix operators.
  Expression power() {
    const Depth depth(*this);
    Expression x = atom();
    while (true) {
      if (take("^") || take("**")) {
        Expression exponent = take("-") ? negate(script()) : script();
        x = make_node(Op::power, pair(std::move(x), std::move(exponent)));
      } else if (peek() == '!' && !rest().starts_with("!=")) {
        take("!");
        x = make_node(Op::function, one(std::move(x)), "factorial");
      } else if (take("%")) {
        x = pack(Op::percent, std::move(x));
      } else if (peek() == '_') {
        take("_");
        if (peek() == '\0') throw NotMathematics{};
        const std::string subscript = peek() == '{' ? raw_group() : std::string(1, text_[at_++]);
        if (x.is(Op::number)) x.name = squeeze(subscript);
      } else {
        return x;
      }
      budget_.spend();
    }
  }

  static std::vector<Expression> one(Expression x) {
    std::vector<Expression> parts;
    parts.push_back(std::move(x));
    return parts;
  }

  // What `^` takes: a group, a number, or one atom with its own power.
  Expression script() {
    const Depth depth(*this);
    Expression x = atom();
    if (take("^")) return make_node(Op::power, pair(std::move(x), script()));
    return x;
  }

  Expression atom() {
    const Depth depth(*this);
    const char c = peek();
    if (c == '\0') throw NotMathematics{};
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.') return number();
    if (c == '\\') return command_atom();
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) return letter();
    if (c == '{') return braces();
    if (c == '(' || c == '[') return brackets();
    if (c == '|') return bars();
    if (static_cast<unsigned char>(c) >= 0x80) {
      const size_t size = character_size(text_, at_);
      Expression x = make_symbol(std::string(text_.substr(at_, size)));
      at_ += size;
      return x;
    }
    throw NotMathematics{};
  }

  Expression number() {
    const std::optional<NumberToken> token = read_number(rest(), thousands_ && brackets_ == 0);
    if (!token) throw NotMathematics{};
    budget_.spend(static_cast<int64_t>(token->size * token->size / 64));
    at_ += token->size;
    return make_number(token->value, token->decimal);
  }

  Expression letter() {
    // Function names typed without a backslash.
    for (const std::string_view name : {"arcsin", "arccos", "arctan", "sqrt", "sin", "cos", "tan", "cot", "sec", "csc", "log",
                                        "ln", "exp", "pi", "infinity", "inf"}) {
      if (!rest().starts_with(name)) continue;
      at_ += name.size();
      if (name == "pi") return make_symbol("pi");
      if (name.starts_with("inf")) return make_symbol("infinity");
      if (name == "sqrt") return root();
      return function_call(std::string(name));
    }
    std::string name(1, static_cast<char>(std::tolower(static_cast<unsigned char>(text_[at_++]))));
    return subscripted(std::move(name));
  }

  // A symbol with its subscript and primes.
  Expression subscripted(std::string name) {
    while (at_ < text_.size() && (text_[at_] == '_' || text_[at_] == '\'')) {
      if (text_[at_] == '\'') {
        name += text_[at_++];
        continue;
      }
      ++at_;
      if (peek() == '{') {
        name += "_" + squeeze(raw_group());
      } else if (peek() == '\\') {
        name += "_" + command();
        at_ += command().size();
      } else if (at_ < text_.size()) {
        name += std::string("_") + text_[at_++];
      }
    }
    return make_symbol(std::move(name));
  }

  Expression braces() {
    expect("{");
    const int outer = std::exchange(bars_, 0);
    Expression x = list("}");
    expect("}");
    bars_ = outer;
    return x;
  }

  Expression brackets() {
    const char open = text_[at_++];
    const int outer = std::exchange(bars_, 0);
    ++brackets_;
    Expression x = list(")]");
    --brackets_;
    bars_ = outer;
    const char close = peek();
    if (close != ')' && close != ']') throw NotMathematics{};
    ++at_;
    if (!x.is(Op::set) || x.name != ",") return x;
    x.op = Op::tuple;
    x.name = std::string{open, close};
    return x;
  }

  Expression bars() {
    expect("|");
    ++bars_;
    Expression x = sum();
    expect("|");
    --bars_;
    return make_node(Op::function, one(std::move(x)), "abs");
  }

  Expression root() {
    Expression degree = make_number(2);
    if (take("[")) {
      degree = sum();
      expect("]");
    }
    Expression x = script_argument();
    return make_node(Op::power, pair(std::move(x), make_node(Op::power, pair(std::move(degree), make_number(-1)))));
  }

  // `{...}`, `(...)` or one character: the argument of \frac and \sqrt.
  Expression script_argument() {
    const char c = peek();
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      ++at_;
      return make_number(c - '0');
    }
    return atom();
  }

  Expression function_call(const std::string& name) {
    std::optional<Expression> exponent;
    std::optional<Expression> base;
    while (peek() == '^' || peek() == '_') {
      const bool up = take("^");
      if (!up) take("_");
      Expression x = take("-") ? negate(script()) : (up ? script() : script_argument());
      (up ? exponent : base) = std::move(x);
    }
    Expression argument = function_argument();
    std::string real_name = name;
    const bool inverse = exponent && exponent->is(Op::number) && exponent->value == -1 && name != "log" && name != "ln";
    if (inverse) real_name = "arc" + name;
    Expression x = base ? make_node(Op::function, pair(std::move(argument), std::move(*base)), "log_base")
                        : make_node(Op::function, arguments_of(std::move(argument)), real_name);
    if (exponent && !inverse) x = make_node(Op::power, pair(std::move(x), std::move(*exponent)));
    return x;
  }

  // The members of a parenthesised list are arguments: \max(a, b).
  static std::vector<Expression> arguments_of(Expression x) {
    if (x.is(Op::tuple) || (x.is(Op::set) && x.name == ",")) return std::move(x.parts);
    return one(std::move(x));
  }

  // A bracketed argument, or the factors up to the next operator or function.
  Expression function_argument() {
    const char c = peek();
    if (c == '(' || c == '{' || c == '[') return power();
    std::vector<Expression> parts;
    if (take("-")) parts.push_back(make_number(-1));
    parts.push_back(power());
    while (starts_factor() && peek() != '(' && !is_function_command(command())) parts.push_back(power());
    if (parts.size() == 1) return std::move(parts[0]);
    return make_node(Op::multiply, std::move(parts));
  }

  Expression fraction() {
    Expression top = script_argument();
    Expression bottom = script_argument();
    return make_node(Op::multiply, pair(std::move(top), make_node(Op::power, pair(std::move(bottom), make_number(-1)))));
  }

  Expression command_atom() {
    const std::string name = command();
    if (is_operator_command(name) || name.size() < 2) throw NotMathematics{};
    at_ += name.size();
    if (name == "\\frac") return fraction();
    if (name == "\\sqrt") return root();
    if (name == "\\binom") {
      Expression top = script_argument();
      return make_node(Op::function, pair(std::move(top), script_argument()), "binomial");
    }
    if (name == "\\{") return braced_set();
    if (name == "\\lfloor" || name == "\\lceil") {
      Expression x = sum();
      expect(name == "\\lfloor" ? "\\rfloor" : "\\rceil");
      return make_node(Op::function, one(std::move(x)), name == "\\lfloor" ? "floor" : "ceil");
    }
    if (name == "\\langle") {
      Expression x = list("");
      expect("\\rangle");
      if (x.is(Op::set) && x.name == ",") {
        x.op = Op::tuple;
        x.name = "()";
      }
      return x;
    }
    if (name == "\\begin") return matrix();
    if (name == "\\text") return text_atom(raw_group());
    if (name == "\\emptyset") return make_node(Op::set, {}, "{}");
    if (name == "\\infty") return make_symbol("infinity");
    if (name == "\\pi") return make_symbol("pi");
    if (is_function_command(name)) return function_call(name.substr(1));
    if (std::isalpha(static_cast<unsigned char>(name[1])) == 0) throw NotMathematics{};
    if (peek() == '{' && is_accent_command(name)) return subscripted(name + "{" + squeeze(raw_group()) + "}");
    return subscripted(name);
  }

  // A number or a formula in text is read as such, words are a symbol.
  Expression text_atom(const std::string& content) {
    const Depth depth(*this);
    const bool has_digit = content.find_first_of("0123456789") != std::string::npos;
    if (has_digit && depth_ < kDeepest / 4) {
      try {
        return Parser(content, budget_).whole();
      } catch (const NotMathematics&) {
        return text_symbol(content);
      }
    }
    return text_symbol(content);
  }

  static Expression text_symbol(const std::string& content) {
    const std::string name = lower_ascii(squeeze(content));
    if (name.size() > 2 && name.front() == '(' && name.back() == ')') return make_symbol(name.substr(1, name.size() - 2));
    return make_symbol(name);
  }

  Expression braced_set() {
    if (take("\\}")) return make_node(Op::set, {}, "{}");
    const int outer = std::exchange(bars_, 0);
    ++brackets_;
    Expression x = list("");
    --brackets_;
    expect("\\}");
    bars_ = outer;
    if (x.is(Op::set) && x.name == ",") {
      x.name = "{}";
      return x;
    }
    return make_node(Op::set, one(std::move(x)), "{}");
  }

  Expression matrix() {
    const std::string kind = raw_group();
    if (!kind.ends_with("matrix") && kind != "array") throw NotMathematics{};
    if (kind == "array" && peek() == '{') raw_group();
    std::vector<Expression> rows;
    std::vector<Expression> cells;
    while (!take("\\end")) {
      if (take("\\\\")) {
        rows.push_back(make_node(Op::tuple, std::exchange(cells, {}), "row"));
      } else {
        take("&");
        cells.push_back(relation());
      }
      budget_.spend();
    }
    if (!cells.empty()) rows.push_back(make_node(Op::tuple, std::move(cells), "row"));
    raw_group();
    Expression x = make_node(Op::matrix, std::move(rows));
    if (kind == "vmatrix") return make_node(Op::function, one(std::move(x)), "determinant");
    return x;
  }

  std::string_view text_;
  StepBudget& budget_;
  size_t at_ = 0;
  int depth_ = 0;
  int bars_ = 0;
  int brackets_ = 0;
  bool thousands_;
};

}  // namespace

std::optional<Expression> parse_answer(std::string_view text, StepBudget& budget) {
  try {
    return expand_plus_minus(Parser(text, budget).whole());
  } catch (const NotMathematics&) {
    return std::nullopt;
  }
}

}  // namespace harness
