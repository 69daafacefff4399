// PublishedRow: numbers published elsewhere, from a TOML file with [[rows]].
#pragma once

#include <map>
#include <string>
#include <vector>

namespace harness {

struct PublishedRow {
  std::string base_model, name, source;
  std::map<std::string, double> values;  // by "SET METRIC"; of rates in percent
};

// name, base_model, source and values."SET METRIC" = number of each row. Throws Error for a missing key and a value that is no
// number.
std::vector<PublishedRow> read_published_rows(const std::string& path);

}  // namespace harness
