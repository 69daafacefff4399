#include "harness/stats/seed_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "harness/stats/aggregate.h"
#include "harness/stats/undefined.h"

namespace harness {

SeedTable::SeedTable(std::vector<int64_t> seeds_of, std::vector<std::string> problems_of)
    : seeds(std::move(seeds_of)), problems(std::move(problems_of)), values(seeds.size() * problems.size(), kUndefined) {}

SeedTable chosen_seeds(const SeedTable& table, std::span<const size_t> places) {
  SeedTable chosen;
  chosen.problems = table.problems;
  for (const size_t place : places) {
    chosen.seeds.push_back(table.seeds[place]);
    const auto begin = table.values.begin() + static_cast<std::ptrdiff_t>(place * table.problems.size());
    chosen.values.insert(chosen.values.end(), begin, begin + static_cast<std::ptrdiff_t>(table.problems.size()));
  }
  return chosen;
}

std::vector<double> seed_means(const SeedTable& table) {
  std::vector<double> means;
  for (size_t seed = 0; seed < table.seeds.size(); ++seed) {
    std::vector<double> values;
    for (size_t problem = 0; problem < table.problems.size(); ++problem) {
      if (!std::isnan(table.at(seed, problem))) values.push_back(table.at(seed, problem));
    }
    means.push_back(mean_of(values));
  }
  return means;
}

double problem_mean(const SeedTable& table, size_t problem) {
  std::vector<double> values;
  for (size_t seed = 0; seed < table.seeds.size(); ++seed) {
    if (!std::isnan(table.at(seed, problem))) values.push_back(table.at(seed, problem));
  }
  return mean_of(values);
}

SeedTable paired_difference(const SeedTable& row, const SeedTable& base) {
  const bool untrained = base.seeds == std::vector<int64_t>{0};
  std::vector<std::pair<size_t, size_t>> seeds, problems;  // places in either table
  std::vector<int64_t> seeds_of;
  std::vector<std::string> problems_of;
  for (size_t i = 0; i < row.seeds.size(); ++i) {
    const auto found = untrained ? base.seeds.begin() : std::find(base.seeds.begin(), base.seeds.end(), row.seeds[i]);
    if (found == base.seeds.end()) continue;
    seeds.emplace_back(i, found - base.seeds.begin());
    seeds_of.push_back(row.seeds[i]);
  }
  for (size_t i = 0; i < row.problems.size(); ++i) {
    const auto found = std::lower_bound(base.problems.begin(), base.problems.end(), row.problems[i]);
    if (found == base.problems.end() || *found != row.problems[i]) continue;
    problems.emplace_back(i, found - base.problems.begin());
    problems_of.push_back(row.problems[i]);
  }
  SeedTable table(std::move(seeds_of), std::move(problems_of));
  for (size_t s = 0; s < seeds.size(); ++s) {
    for (size_t p = 0; p < problems.size(); ++p) {
      table.at(s, p) = row.at(seeds[s].first, problems[p].first) - base.at(seeds[s].second, problems[p].second);
    }
  }
  return table;
}

}  // namespace harness
