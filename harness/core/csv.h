// CSV fields as RFC 4180 has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace harness {

// The field as it stands in a record: quoted where it holds a comma, a quote or a line break.
std::string csv_field(std::string_view text);
// The shortest text that reads back as the number; "" for NaN.
std::string csv_number(double value);
// The record of a CSV text (RFC 4180) that begins at `at` < text.size(), on line `line` (from 1); both are moved behind it.
// Throws Error naming the line for a quote that is not closed.
std::vector<std::string> csv_record(std::string_view text, size_t& at, int64_t& line);
// All records. Throws as csv_record does.
std::vector<std::vector<std::string>> read_csv(std::string_view text);

}  // namespace harness
