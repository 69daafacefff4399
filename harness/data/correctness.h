// Correctness: what a grader says of a response, an enum in memory and a word in files.
#pragma once

#include <string_view>

namespace harness {

enum class Correctness { right, wrong, undecided };

const char* to_string(Correctness correctness);  // "right", "wrong", "undecided"
// Throws Error for another word.
Correctness parse_correctness(std::string_view word);

}  // namespace harness
