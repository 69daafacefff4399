// LIMO's extraction and cleaning of answers, quirks included.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace harness {

// The text after the last "boxed" of any kind: the content of its braces (to the end of the text where they never close), or,
// without braces, what stands before the next `$`. None without "boxed". Newlines, one leading `:`, one final `.`, one final
// `/` are removed.
std::optional<std::string> limo_extract(std::string_view response);

// The published cleaning: layout commands, `\text{...}` at the end, about 270 unit words wherever they stand between
// non-letters (single letters such as "m" or "h" too, so variables of that name go), number words, `%`, month names, "x=",
// ".0".
std::string limo_clean(std::string_view answer);

}  // namespace harness
