#include "harness/core/csv.h"

#include <cmath>

#include "harness/core/error.h"

namespace harness {

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char character : text) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  return quoted + "\"";
}

std::string csv_number(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

std::vector<std::string> csv_record(std::string_view text, size_t& at, int64_t& line) {
  std::vector<std::string> record(1);
  const int64_t first = line;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        record.back() += c;
      } else if (at + 1 < text.size() && text[at + 1] == '"') {
        record.back() += '"';
        ++at;
      } else {
        quoted = false;
      }
    } else if (c == '"' && record.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      record.emplace_back();
    } else if (c == '\n') {
      ++at;
      return record;
    } else if (c != '\r' || at + 1 >= text.size() || text[at + 1] != '\n') {
      record.back() += c;
    }
  }
  if (quoted) throw Error("line {}: expected the quote to be closed, found the end of the file", first);
  return record;
}

std::vector<std::vector<std::string>> read_csv(std::string_view text) {
  std::vector<std::vector<std::string>> records;
  size_t at = 0;
  for (int64_t line = 1; at < text.size();) records.push_back(csv_record(text, at, line));
  return records;
}

}  // namespace harness
