// CSV fields as RFC 4180 has them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harness {

// Quoted where it holds a comma, a quote or a line break.
std::string csv_field(std::string_view text);
// The shortest text that reads back as the number; "" for NaN.
std::string csv_number(double value);
// The records of a CSV text. Throws Error for a quote that is not closed.
std::vector<std::vector<std::string>> read_csv(std::string_view text);

}  // namespace harness
