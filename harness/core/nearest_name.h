// The known name that a mistaken one is meant to be, for messages.
#pragma once

#include <string>
#include <vector>

namespace harness {

// The candidate that `word` is nearest to, the first of several: the fewest letters added, left out, changed or swapped,
// whatever the case. "" where none is near: more than a third of the letters after its last dot, unless one goes on where the
// word ends.
std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates);

// "; the nearest is NAME", or "" where none is near.
std::string nearest_text(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace harness
