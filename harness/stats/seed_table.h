// SeedTable: one quantity of one policy on one problem set, a value for each (training seed, problem).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace harness {

struct SeedTable {
  std::vector<int64_t> seeds;         // training seeds, each once; 0 for an untrained policy
  std::vector<std::string> problems;  // ids, sorted
  std::vector<double> values;         // [seeds, problems]; kUndefined where there is none

  SeedTable() = default;
  // All values undefined.
  SeedTable(std::vector<int64_t> seeds_of, std::vector<std::string> problems_of);
  // By place in `seeds` and `problems`.
  double& at(size_t seed, size_t problem) { return values[seed * problems.size() + problem]; }
  [[nodiscard]] double at(size_t seed, size_t problem) const { return values[seed * problems.size() + problem]; }
  [[nodiscard]] bool empty() const { return values.empty(); }
};

// The seeds at these places, in this order.
SeedTable chosen_seeds(const SeedTable& table, std::span<const size_t> places);

// Mean of each seed over the problems that have a value: [seeds], kUndefined for a seed without any.
std::vector<double> seed_means(const SeedTable& table);
// Mean of one problem over the seeds that have a value; kUndefined where none has.
double problem_mean(const SeedTable& table, size_t problem);

// What two rows are compared on: row - base for each (seed, problem) that both have, kUndefined where either is. A base of
// one untrained policy (seed 0 alone) stands against every seed.
SeedTable paired_difference(const SeedTable& row, const SeedTable& base);

}  // namespace harness
