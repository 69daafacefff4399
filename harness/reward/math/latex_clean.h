// Cleaning of an answer before it is read as mathematics: spelling variants, layout commands, units.
#pragma once

#include <string>
#include <string_view>

namespace harness {

// One spelling for what has several: Unicode mathematics as LaTeX, `\dfrac` as `\frac`, `\mathrm{}` and its kin as `\text{}`,
// thin spaces and layout commands removed, "and" / "or" as commas, "percent" as %, thousands separators `{,}` and `,\!` and
// `\,` between digits removed, degree marks removed, a unit at the end (`\text{ cm}^2`, " hours", `unit` as given) removed
// where something is left before it.
std::string clean_answer(std::string_view answer, std::string_view unit = {});

// Without any white space.
std::string squeeze(std::string_view text);

}  // namespace harness
