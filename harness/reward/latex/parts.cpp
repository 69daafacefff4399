#include "harness/reward/latex/parts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "harness/core/text_edit.h"

namespace harness {
namespace {

using boost::multiprecision::cpp_int;

constexpr size_t kMostDigits = 1000;

size_t digits_at(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - at;
}

cpp_int power_of_ten(size_t n) { return boost::multiprecision::pow(cpp_int(10), static_cast<unsigned>(n)); }

cpp_int to_integer(std::string digits) {
  const size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return 0;
  return cpp_int(digits.substr(first));
}

// `\overline{3}`, `\bar{3}`, `\dot{3}` at `at`: its digits, and the bytes it takes.
std::pair<std::string, size_t> repeating_digits(std::string_view text, size_t at) {
  for (const std::string_view command : {"\\overline{", "\\bar{", "\\dot{"}) {
    if (!text.substr(at).starts_with(command)) continue;
    const size_t begin = at + command.size();
    const size_t count = digits_at(text, begin);
    if (count > 0 && begin + count < text.size() && text[begin + count] == '}') {
      return {std::string(text.substr(begin, count)), command.size() + count + 1};
    }
  }
  return {"", 0};
}

bool replace_sign(Expression& x, bool upper) {
  if (x.is(Op::symbol) && (x.name == "pm" || x.name == "mp")) {
    x = make_number((x.name == "pm") == upper ? 1 : -1);
    return true;
  }
  bool found = false;
  for (Expression& part : x.parts) found = replace_sign(part, upper) || found;
  return found;
}

}  // namespace

bool commas_are_thousands(std::string_view text) {
  bool any = false;
  for (size_t at = text.find(','); at != std::string_view::npos; at = text.find(',', at + 1)) {
    size_t before = 0;
    while (before < at && is_digit(text[at - 1 - before])) ++before;
    if (before == 0 || before > 3 || digits_at(text, at + 1) != 3) return false;
    if (text[at - before] == '0') {
      // "0,123" is no group of thousands, but "1,000,000" has a group that begins with 0.
      if (at == before || text[at - before - 1] != ',') return false;
    }
    any = true;
  }
  return any;
}

std::optional<NumberToken> read_number(std::string_view text, bool thousands) {
  NumberToken token;
  size_t at = digits_at(text, 0);
  std::string whole(text.substr(0, at));
  while (thousands && at + 3 < text.size() && text[at] == ',' && digits_at(text, at + 1) == 3) {
    whole += text.substr(at + 1, 3);
    at += 4;
  }
  std::string fraction;
  std::string repeated;
  if (at < text.size() && text[at] == '.') {
    const size_t count = digits_at(text, at + 1);
    auto [digits, size] = repeating_digits(text, at + 1 + count);
    if (count == 0 && size == 0 && whole.empty()) return std::nullopt;
    fraction = text.substr(at + 1, count);
    repeated = std::move(digits);
    token.decimal = repeated.empty() && count > 0;
    at += 1 + count + size;
  }
  if (whole.empty() && fraction.empty() && repeated.empty()) return std::nullopt;
  if (whole.size() + fraction.size() + repeated.size() > kMostDigits) return std::nullopt;
  token.value = Rational(to_integer(whole + fraction), power_of_ten(fraction.size()));
  if (!repeated.empty()) {
    token.value += Rational(to_integer(repeated), power_of_ten(fraction.size()) * (power_of_ten(repeated.size()) - 1));
  }
  if (at + 1 < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const bool sign = text[at + 1] == '-' || text[at + 1] == '+';
    const size_t count = digits_at(text, at + 1 + (sign ? 1 : 0));
    if (count > 0 && count <= 3) {  // "3e8" too: a whole mantissa, as Minerva writes it
      const size_t begin = at + 1 + (sign ? 1 : 0);
      const size_t exponent = std::stoul(std::string(text.substr(begin, count)));
      token.value *= text[at + 1] == '-' ? Rational(1, power_of_ten(exponent)) : Rational(power_of_ten(exponent));
      token.decimal = true;
      at = begin + count;
    }
  }
  token.size = at;
  return token;
}

bool is_operator_command(std::string_view command) {
  static constexpr std::array<std::string_view, 38> kNames = {"\\cdot",
                                                              "\\times",
                                                              "\\ast",
                                                              "\\div",
                                                              "\\pm",
                                                              "\\mp",
                                                              "\\cup",
                                                              "\\cap",
                                                              "\\setminus",
                                                              "\\backslash",
                                                              "\\smallsetminus",
                                                              "\\ne",
                                                              "\\le",
                                                              "\\ge",
                                                              "\\approx",
                                                              "\\in",
                                                              "\\equiv",
                                                              "\\to",
                                                              "\\rightarrow",
                                                              "\\Rightarrow",
                                                              "\\sim",
                                                              "\\cong",
                                                              "\\mid",
                                                              "\\subset",
                                                              "\\subseteq",
                                                              "\\notin",
                                                              "\\parallel",
                                                              "\\}",
                                                              "\\\\",
                                                              "\\rfloor",
                                                              "\\rceil",
                                                              "\\rangle",
                                                              "\\end",
                                                              "\\&",
                                                              "\\iff",
                                                              "\\implies",
                                                              "\\Leftrightarrow",
                                                              "\\leftrightarrow"};
  return std::find(kNames.begin(), kNames.end(), command) != kNames.end();
}

bool is_function_command(std::string_view command) {
  static constexpr std::array<std::string_view, 32> kNames = {
      "\\sin",     "\\cos",     "\\tan",    "\\cot",    "\\sec",  "\\csc",  "\\arcsin", "\\arccos",
      "\\arctan",  "\\arccot",  "\\arcsec", "\\arccsc", "\\sinh", "\\cosh", "\\tanh",   "\\arcsinh",
      "\\arccosh", "\\arctanh", "\\exp",    "\\ln",     "\\log",  "\\lg",   "\\max",    "\\min",
      "\\gcd",     "\\lcm",     "\\Re",     "\\Im",     "\\arg",  "\\det",  "\\coth",   "\\sech"};
  return std::find(kNames.begin(), kNames.end(), command) != kNames.end();
}

bool is_accent_command(std::string_view command) {
  static constexpr std::array<std::string_view, 16> kNames = {
      "\\vec",  "\\overline", "\\overrightarrow", "\\bar",      "\\hat",       "\\widehat", "\\tilde", "\\dot",
      "\\ddot", "\\mathbb",   "\\mathcal",        "\\mathfrak", "\\underline", "\\boxed",   "\\pmod",  "\\mathscr"};
  return std::find(kNames.begin(), kNames.end(), command) != kNames.end();
}

std::vector<Expression> one_part(Expression x) {
  std::vector<Expression> parts;
  parts.push_back(std::move(x));
  return parts;
}

std::vector<Expression> two_parts(Expression a, Expression b) {
  std::vector<Expression> parts;
  parts.push_back(std::move(a));
  parts.push_back(std::move(b));
  return parts;
}

Expression reciprocal(Expression x) { return make_node(Op::power, two_parts(std::move(x), make_number(-1))); }

Expression expand_plus_minus(Expression x) {
  Expression upper = x;
  if (!replace_sign(upper, true)) return x;
  if (x.is(Op::set) && x.name == ",") {
    std::vector<Expression> parts;
    for (const Expression& part : x.parts) {
      Expression both = expand_plus_minus(part);
      if (both.is(Op::set) && both.name == ",") {
        for (Expression& reading : both.parts) parts.push_back(std::move(reading));
      } else {
        parts.push_back(std::move(both));
      }
    }
    return make_node(Op::set, std::move(parts), ",");
  }
  replace_sign(x, false);
  return make_node(Op::set, two_parts(std::move(upper), std::move(x)), ",");
}

}  // namespace harness
