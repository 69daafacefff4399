// Letter case: texts in upper, lower and title case as Python's str has them, special casing and the final sigma included.
#pragma once

#include <string>
#include <string_view>

namespace harness {

// Texts are valid UTF-8.
std::string upper_text(std::string_view text);
std::string lower_text(std::string_view text);
// Letters behind a cased character in lower case, others in title case.
std::string title_text(std::string_view text);
// The first character in title case, the rest in lower case.
std::string capitalize_text(std::string_view text);

// Unicode's Cased and Case_Ignorable.
bool is_cased(char32_t value);
bool is_case_ignorable(char32_t value);

}  // namespace harness
