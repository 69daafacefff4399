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

std::vector<std::vector<std::string>> read_csv(std::string_view text) {
  std::vector<std::vector<std::string>> records;
  std::vector<std::string> record;
  std::string field;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char character = text[i];
    if (quoted) {
      if (character == '"' && i + 1 < text.size() && text[i + 1] == '"') {
        field += text[i++];
      } else if (character == '"') {
        quoted = false;
      } else {
        field += character;
      }
    } else if (character == '"') {
      quoted = true;
    } else if (character == ',') {
      record.push_back(std::move(field));
      field.clear();
    } else if (character == '\n') {
      record.push_back(std::move(field));
      field.clear();
      records.push_back(std::move(record));
      record.clear();
    } else if (character != '\r') {
      field += character;
    }
  }
  if (quoted) throw Error("record {}: expected a closing quote, found the end", records.size() + 1);
  if (!field.empty() || !record.empty()) {
    record.push_back(std::move(field));
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace harness
