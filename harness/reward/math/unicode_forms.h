// Unicode mathematics and full-width writing as LaTeX.
#pragma once

#include <string>
#include <string_view>

namespace harness {

// Signs, Greek letters, fractions, superscripts and subscripts as LaTeX; every dash and minus as `-`, typographic quotes as `"`
// and `'`; full-width letters, digits and punctuation as their ASCII forms; between values, Chinese "or" and "and" as words. A
// Chinese numeral that multiplies (`3万`) is the product that it stands for. Bytes that are not valid UTF-8 stay.
std::string unicode_as_latex(std::string_view text);

// The bytes of the East Asian letters that end `text`: a counter or a unit behind a number.
size_t east_asian_tail(std::string_view text);

}  // namespace harness
