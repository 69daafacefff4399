// Character tokenizer: one token a character, as a tokenizer.json that Hugging Face libraries read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harness {

// Ids in order: `special` (left out of a decoded text on request), `added` (strings such as \boxed{ that are one token), then
// each character of `characters` (UTF-8). Characters outside the vocabulary are left out of an encoding. Throws Error for a
// token that is empty or stands twice.
std::string character_tokenizer_json(std::string_view characters, const std::vector<std::string>& special,
                                     const std::vector<std::string>& added);

}  // namespace harness
