// The known name that a mistaken one is nearest to, for messages.
#pragma once

#include <string>
#include <vector>

namespace harness {

// The candidate with the smallest edit distance to `word`, the first of several; empty if there are none.
std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace harness
