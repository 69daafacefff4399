// Units behind an answer, and the halves of the day.
#pragma once

#include <string>

namespace harness {

// Cuts units off the end (`\text{ cm}^2`, " hours", `厘米`) where a value is left before them.
std::string cut_units(std::string text);

// `4:30 PM`, `4:30\text{ p.m.}`, `5 a.m.`: the half of the day as `\text{pm}` and `\text{am}`, behind a time or at the end.
std::string spell_day_halves(const std::string& text);

}  // namespace harness
