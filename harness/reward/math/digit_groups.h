// Marks between the digits of a number.
#pragma once

#include <string>

namespace harness {

// `{,}` and `,\!`: gone between groups of three digits (`1{,}234`), a decimal point elsewhere inside a number (`3{,}14`), a
// comma where no digits stand around it.
std::string drop_braced_commas(std::string text);

// Without spaces between groups of three digits; others stay: `5 7` is no 57, `1 234/567` a mixed number.
std::string join_thousands(const std::string& text);

}  // namespace harness
