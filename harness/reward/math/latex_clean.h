// Cleaning of an answer before it is read as mathematics: spelling variants, layout commands, units.
#pragma once

#include <string>
#include <string_view>

namespace harness {

// One spelling for what has several: Unicode mathematics as LaTeX (unicode_forms.h), `\dfrac` as `\frac`, `\mathrm{}` and its
// kin as `\text{}`, thin spaces and layout commands removed, "and" / "or" as commas (between inequalities as `\land`, `\lor`),
// "percent" as %, thousands separators between groups of three digits removed (`{,}`, `,\!`, `\,`, a space), any other `{,}`
// between digits as a decimal point, "all real numbers" and the like as \mathbb{R}, degree marks and quotes around the whole
// removed, halves of the day as `\text{am}`, a unit at the end (answer_units.h, `unit` as given) removed where something is
// left before it.
std::string clean_answer(std::string_view answer, std::string_view unit = {});

// Without white space; one space stays between two digits.
std::string squeeze(std::string_view text);

// Without one pair of quotes around the whole.
std::string without_quotes(std::string_view text);

}  // namespace harness
