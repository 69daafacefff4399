// Numbers written as English words, read as the word2number package reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace harness {

// "five" -> "5", "two hundred thirty" -> "230", "three point one" -> "3.1", "007" -> "7". Words that are no numbers are
// passed over. None where there is no number word, or where the package refuses.
std::optional<std::string> number_from_words(std::string_view text);

}  // namespace harness
