// Hendrycks-style normalisation of an answer, as the published training recipe applies it, failures included.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace harness {

// The normalised text; none where the published code raises (two or more "\text{ ", a `\frac` or `\sqrt` with nothing after
// it): there the recipe compares the raw strings. In order: newlines, `\!`, `\\` to `\`, tfrac and dfrac, `\left`, `\right`,
// degree marks, `\$`, units after "\text{ ", `\%`; a 0 before a leading point (at the start, after a space, after `{`); a
// prefix of at most 2 characters before the only `=`; `\sqrt3`; spaces; `\frac12`; 0.5; a/b of plain integers.
std::optional<std::string> hendrycks_normalise(std::string_view answer);

}  // namespace harness
