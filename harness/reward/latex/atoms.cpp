#include <algorithm>
#include <cctype>
#include <utility>

#include "harness/core/text_edit.h"
#include "harness/core/utf8.h"
#include "harness/reward/latex/grammar.h"
#include "harness/reward/latex/number_forms.h"
#include "harness/reward/latex/parts.h"
#include "harness/reward/math/latex_clean.h"

namespace harness {
namespace {

// The members of a parenthesised list are arguments: \max(a, b).
std::vector<Expression> arguments_of(Expression x) {
  if (x.is(Op::tuple) || x.is_list()) return std::move(x.parts);
  return one_part(std::move(x));
}

// A word without its case; `Tt` and `tt` are two names.
Expression text_symbol(const std::string& content) {
  std::string name = squeeze(content);
  const std::string lower = lower_ascii(name);
  if (!repeats_one_letter(lower)) name = lower;
  if (name.size() > 2 && name.front() == '(' && name.back() == ')') return make_symbol(name.substr(1, name.size() - 2));
  return make_symbol(name);
}

}  // namespace

Expression LatexGrammar::atom() {
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

Expression LatexGrammar::number() {
  std::optional<NumberToken> token = read_number(rest(), thousands_ && brackets_ == 0);
  if (!token) throw NotMathematics{};
  budget_.spend(static_cast<int64_t>(token->size * token->size / 64));
  at_ += token->size;
  Expression x = make_number(std::move(token->value), token->decimal);
  if (!token->exponent) return x;
  Expression scale = make_node(Op::power, two_parts(make_number(10), make_number(std::move(*token->exponent))));
  return make_node(Op::multiply, two_parts(std::move(x), std::move(scale)));
}

Expression LatexGrammar::quantity() {
  const bool behind_colon = at_ > 0 && text_[at_ - 1] == ':';
  if (const std::optional<ClockTime> time = clock_time_at(rest()); time && time->second < 0 && !behind_colon) {
    at_ += time->size;
    return make_clock(time->hour, time->minute, day_half());
  }
  const size_t begin = at_;
  Expression x = number();
  if (text_.substr(begin, at_ - begin).find_first_not_of("0123456789,") == std::string_view::npos) {
    if (const std::optional<NumberToken> fraction = mixed_fraction_at(rest())) {
      at_ += fraction->size;
      x.value += fraction->value;
    } else if (const int half = day_half(); half != 0 && x.value <= 12) {
      x = make_clock(x.value.convert_to<int>(), 0, half);
    }
  }
  // Digits beside digits are no product.
  const bool braced = peek() == '{' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
  if (braced || is_digit(peek()) || peek() == '.') throw NotMathematics{};
  return x;
}

int LatexGrammar::day_half() {
  if (take("\\text{am}")) return 1;
  return take("\\text{pm}") ? 2 : 0;
}

Expression LatexGrammar::letter() {
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
  const char c = text_[at_++];
  const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool kept = cased_.find(lower) != std::string_view::npos;
  Expression x = subscripted(std::string(1, kept ? c : lower));
  if (c != lower && (x.name == "e" || x.name == "i")) x.name = std::string(1, c);  // E and I are no constants
  return x;
}

Expression LatexGrammar::subscripted(std::string name) {
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

Expression LatexGrammar::braces() {
  expect("{");
  const int outer = std::exchange(bars_, 0);
  Expression x = list("}");
  expect("}");
  bars_ = outer;
  return x;
}

Expression LatexGrammar::brackets() {
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

Expression LatexGrammar::bars() {
  expect("|");
  ++bars_;
  Expression x = sum();
  expect("|");
  --bars_;
  return make_node(Op::function, one_part(std::move(x)), "abs");
}

Expression LatexGrammar::root() {
  Expression degree = make_number(2);
  if (take("[")) {
    degree = sum();
    expect("]");
  }
  Expression x = script_argument();
  return make_node(Op::power, two_parts(std::move(x), reciprocal(std::move(degree))));
}

Expression LatexGrammar::script_argument() {
  const char c = peek();
  if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
    ++at_;
    return make_number(c - '0');
  }
  return atom();
}

Expression LatexGrammar::function_call(const std::string& name) {
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
  Expression x = base ? make_node(Op::function, two_parts(std::move(argument), std::move(*base)), "log_base")
                      : make_node(Op::function, arguments_of(std::move(argument)), real_name);
  if (exponent && !inverse) x = make_node(Op::power, two_parts(std::move(x), std::move(*exponent)));
  return x;
}

Expression LatexGrammar::function_argument() {
  const char c = peek();
  if (c == '(' || c == '{' || c == '[') return power();
  std::vector<Expression> parts;
  if (take("-")) parts.push_back(make_number(-1));
  parts.push_back(power());
  while (starts_factor() && peek() != '(' && !is_function_command(command())) parts.push_back(power());
  if (parts.size() == 1) return std::move(parts[0]);
  return make_node(Op::multiply, std::move(parts));
}

Expression LatexGrammar::fraction() {
  Expression top = script_argument();
  Expression bottom = script_argument();
  return make_node(Op::multiply, two_parts(std::move(top), reciprocal(std::move(bottom))));
}

Expression LatexGrammar::command_atom() {
  const std::string name = command();
  if (is_operator_command(name) || name.size() < 2) throw NotMathematics{};
  at_ += name.size();
  if (name == "\\frac") return fraction();
  if (name == "\\sqrt") return root();
  if (name == "\\binom") {
    Expression top = script_argument();
    return make_node(Op::function, two_parts(std::move(top), script_argument()), "binomial");
  }
  if (name == "\\{") return braced_set();
  if (name == "\\lfloor" || name == "\\lceil") {
    Expression x = sum();
    expect(name == "\\lfloor" ? "\\rfloor" : "\\rceil");
    return make_node(Op::function, one_part(std::move(x)), name == "\\lfloor" ? "floor" : "ceil");
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

Expression LatexGrammar::text_atom(const std::string& content) {
  const Depth depth(*this);
  const std::string unquoted = without_quotes(content);
  const bool has_digit = content.find_first_of("0123456789") != std::string::npos;
  if (has_digit && depth_ < kDeepest / 4) {
    try {
      return LatexGrammar(unquoted, cased_, budget_).whole();
    } catch (const NotMathematics&) {
      return text_symbol(unquoted);
    }
  }
  return text_symbol(unquoted);
}

std::optional<Expression> LatexGrammar::builder_element() {
  const std::string_view text = rest();
  const size_t bar = std::min({text.find(':'), text.find('|'), text.find("\\mid")});
  if (bar == std::string_view::npos) return std::nullopt;
  const std::string element = trim(text.substr(0, bar));
  size_t symbol = element.empty() ? 0 : 1;
  if (symbol > 0 && element[0] == '\\') {
    while (symbol < element.size() && is_letter(element[symbol])) ++symbol;
  }
  const std::string set = trim(std::string_view(element).substr(symbol));
  const bool is_symbol = symbol > 1 || (symbol == 1 && is_letter(element[0]));
  if (!is_symbol || !(set.empty() || set.starts_with("\\in"))) return std::nullopt;
  builder_ = true;
  bars_ = 1;  // no factor begins with `|`
  Expression x = relation();
  builder_ = false;
  bars_ = 0;
  if (!take(":") && !take("|")) expect("\\mid");
  return x;
}

Expression LatexGrammar::braced_set() {
  if (take("\\}")) return make_node(Op::set, {}, "{}");
  const int outer = std::exchange(bars_, 0);
  ++brackets_;
  std::optional<Expression> element = builder_element();
  Expression x = list("");
  --brackets_;
  expect("\\}");
  bars_ = outer;
  if (element) return make_node(Op::function, two_parts(std::move(*element), std::move(x)), "builder");
  if (x.is(Op::set) && x.name == ",") {
    x.name = "{}";
    return x;
  }
  return make_node(Op::set, one_part(std::move(x)), "{}");
}

Expression LatexGrammar::matrix() {
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
  if (kind == "vmatrix") return make_node(Op::function, one_part(std::move(x)), "determinant");
  return x;
}

}  // namespace harness
