// Parts of reading LaTeX mathematics: numbers, kinds of commands, `\pm`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/reward/latex/expression.h"

namespace harness {

struct NumberToken {
  Rational value = 0;
  bool decimal = false;  // written with a point or an exponent
  size_t size = 0;       // bytes read
};

// The number at the beginning of the text: digits, thousands commas if asked, a point, repeating digits (`0.\overline{3}`), an
// exponent (`1.6e-19`). None if there is no digit, or more than 1000.
std::optional<NumberToken> read_number(std::string_view text, bool thousands);

// Whether the commas of a text read best as thousands separators: each between 1 to 3 digits and groups of exactly 3, no space.
bool commas_are_thousands(std::string_view text);

bool is_operator_command(std::string_view command);  // "\cdot", "\le", "\cup", ...: no factor begins with it
bool is_function_command(std::string_view command);  // "\sin", "\log", ...
bool is_accent_command(std::string_view command);    // "\vec", "\overline", "\mathbb", ...: with its group one symbol

// The parts of a node.
std::vector<Expression> one_part(Expression x);
std::vector<Expression> two_parts(Expression a, Expression b);
// x to the power -1.
Expression reciprocal(Expression x);

// x with `\pm` becomes the bare list of both readings (`\mp` the other way round).
Expression expand_plus_minus(Expression x);

}  // namespace harness
