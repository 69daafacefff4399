// inspect clusters: {"vectors": [[d] x n]} -> {"labels": [n]}.
#include <iostream>

#include "experiments/lines/lines.h"
#include "harness/cluster/hdbscan.h"
#include "harness/core/error.h"
#include "harness/core/json.h"

namespace experiments {

namespace {

// The numbers of "vectors", row by row; sets n and d.
std::vector<double> read_vectors(const harness::Json& line, int64_t& n, int64_t& d) {
  const auto found = line.find("vectors");
  if (found == line.end() || !found->is_array()) throw harness::Error("expected the field \"vectors\", a list of vectors");
  std::vector<double> rows;
  n = static_cast<int64_t>(found->size());
  d = 0;
  for (const harness::Json& vector : *found) {
    if (!vector.is_array()) throw harness::Error("\"vectors\": expected lists of numbers, found {}", vector.type_name());
    if (&vector == &found->front()) d = static_cast<int64_t>(vector.size());
    if (static_cast<int64_t>(vector.size()) != d) {
      throw harness::Error("\"vectors\": expected vectors of one length {}, found one of {}", d, vector.size());
    }
    for (const harness::Json& number : vector) {
      if (!number.is_number()) throw harness::Error("\"vectors\": expected numbers, found {}", number.type_name());
      rows.push_back(number.get<double>());
    }
  }
  return rows;
}

}  // namespace

int cluster_lines(const harness::HdbscanSettings& settings) {
  return harness::answer_lines(std::cin, std::cout, [&](const harness::Json& line) {
    int64_t n = 0, d = 0;
    const std::vector<double> rows = read_vectors(line, n, d);
    harness::require_finite(rows, d);
    return harness::OrderedJson{{"labels", harness::hdbscan(harness::normalised_rows(rows, n, d), n, d, settings)}};
  });
}

}  // namespace experiments
