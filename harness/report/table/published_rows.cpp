#include "harness/report/table/published_rows.h"

#include <limits>
#include <utility>

#include "harness/core/config_reader.h"

namespace harness {

std::vector<PublishedRow> read_published_rows(const std::string& path) {
  constexpr std::string_view kValues = "values.";
  std::vector<PublishedRow> rows;
  Config file = Config::from_toml_file(path);
  for (const Config& published : file.take_tables("rows")) {
    ConfigReader keys(published);
    PublishedRow row;
    row.name = keys.required_text("name", "of the row");
    row.base_model = keys.required_text("base_model", "of the row");
    row.source = keys.required_text("source", "where the numbers stand");
    for (const auto& [key, entry] : published.entries()) {
      if (!key.starts_with(kValues)) continue;
      row.values[key.substr(kValues.size())] =
          keys.number(key, 0, -std::numeric_limits<double>::infinity(), "a published number");
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace harness
