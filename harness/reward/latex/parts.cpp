#include "harness/reward/latex/parts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "harness/core/text_edit.h"

namespace harness {
namespace {

bool replace_sign(Expression& x, bool upper) {
  if (x.is(Op::symbol) && (x.name == "\\pm" || x.name == "\\mp")) {
    x = make_number((x.name == "\\pm") == upper ? 1 : -1);
    return true;
  }
  bool found = false;
  for (Expression& part : x.parts) found = replace_sign(part, upper) || found;
  return found;
}

// Each member of a set or list with a sign as its two readings.
Expression spread_members(Expression x) {
  for (Expression& part : x.parts) part = spread_members(std::move(part));
  if (!x.is(Op::set)) return x;
  std::vector<Expression> members;
  for (Expression& part : x.parts) {
    Expression upper = part;
    if (replace_sign(upper, true)) {
      replace_sign(part, false);
      members.push_back(std::move(upper));
    }
    members.push_back(std::move(part));
  }
  x.parts = std::move(members);
  return x;
}

}  // namespace

bool is_operator_command(std::string_view command) {
  static constexpr auto kNames = std::to_array<std::string_view>({"\\cdot",
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
                                                                  "\\leftrightarrow",
                                                                  "\\lor",
                                                                  "\\land"});
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

bool is_inequality_sign(std::string_view op) { return op == "!=" || op == "notin" || op[0] == '<' || op[0] == '>'; }

bool repeats_one_letter(std::string_view text) {
  return text.size() > 1 && text.find_first_not_of(text[0]) == std::string_view::npos;
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
  x = spread_members(std::move(x));
  Expression upper = x;
  if (!replace_sign(upper, true)) return x;
  replace_sign(x, false);
  return make_node(Op::set, two_parts(std::move(upper), std::move(x)), ",");
}

}  // namespace harness
