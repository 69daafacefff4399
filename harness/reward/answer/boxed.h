// Where an answer stands in a response: the rules by which each grader finds the last box.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace harness {

// The training recipe's rule. Wherever `\boxed ` (with a space) occurs, the text after the last one, up to the next `$`, is the
// answer. Otherwise the last `\boxed` counts, or, only where there is none, the last `\fbox`; the answer is what stands in its
// braces. None where the braces do not balance, or where what was found does not begin with `\boxed{` (so `\fbox` never
// counts).
std::optional<std::string> recipe_boxed_answer(std::string_view response);

// The content of the last `\boxed` or `\fbox` whose braces balance, white space before them or not. `\boxed 5` without braces
// gives the token that follows. A box with something in braces wins over a later bare word of letters or an empty box: prose
// names the command.
std::optional<std::string> last_balanced_box(std::string_view response);

// The contents of the last box and of those shortly before it (10 characters, or 70 with a comma, "and" or "or" between), in
// their order and joined by commas: "x = \boxed{1} or x = \boxed{2}" gives "1,2". "" where there is no box.
std::string neighbouring_boxes(std::string_view response);

// The index after the brace that closes the one at `open`; none if it is never closed. A brace after a backslash is text.
std::optional<size_t> end_of_braces(std::string_view text, size_t open);

}  // namespace harness
