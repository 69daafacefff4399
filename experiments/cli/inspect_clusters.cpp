// inspect clusters: {"vectors": [[d] x n]} -> {"labels": [n]}.
#include <iostream>

#include "experiments/cli/verbs.h"
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

void add_inspect_clusters(CLI::App& inspect, Chosen& chosen) {
  struct Options {
    harness::HdbscanSettings settings;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb = inspect.add_subcommand("clusters", "HDBSCAN labels of vectors: {\"vectors\"} -> {\"labels\"}");
  verb->add_option("--min-cluster-size", options->settings.min_cluster_size, "smallest cluster")->check(CLI::Range(2, 1 << 30));
  verb->add_option("--min-samples", options->settings.min_samples, "neighbours of the core distance")
      ->check(CLI::Range(1, 1 << 30));
  verb->callback([&chosen, options] {
    chosen = [options] {
      return harness::answer_lines(std::cin, std::cout, [&](const harness::Json& line) {
        int64_t n = 0;
        int64_t d = 0;
        const std::vector<double> rows = read_vectors(line, n, d);
        harness::require_finite(rows, d);
        return harness::OrderedJson{
            {"labels", harness::hdbscan(harness::normalised_rows(rows, n, d), n, d, options->settings)}};
      });
    };
  });
}

}  // namespace experiments
