// Parts of reading LaTeX mathematics: kinds of commands, nodes, `\pm`.
#pragma once

#include <string_view>
#include <vector>

#include "harness/reward/latex/expression.h"

namespace harness {

bool is_operator_command(std::string_view command);  // "\cdot", "\le", "\cup", ...: no factor begins with it
bool is_function_command(std::string_view command);  // "\sin", "\log", ...
bool is_accent_command(std::string_view command);    // "\vec", "\overline", "\mathbb", ...: with its group one symbol

// The name of a relation's sign: "<", "<=", ">", ">=", "!=" or "notin".
bool is_inequality_sign(std::string_view op);

// "tt": two or more of the same character.
bool repeats_one_letter(std::string_view text);

// The parts of a node.
std::vector<Expression> one_part(Expression x);
std::vector<Expression> two_parts(Expression a, Expression b);
// x to the power -1.
Expression reciprocal(Expression x);

// x with `\pm` becomes the bare list of both readings (`\mp` the other way round); inside a set or list, the member alone.
Expression expand_plus_minus(Expression x);

}  // namespace harness
