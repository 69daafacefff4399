#include "harness/exchange/import_rows.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "harness/core/error.h"

namespace harness {

namespace {

using Problems = std::map<std::string, std::set<std::string>>;  // by set

void check_problems(const std::string& set, const std::set<std::string>& mine, const std::set<std::string>& all, int64_t seed,
                    const std::string& place) {
  if (mine == all && !all.empty()) return;
  const auto missing = std::find_if(all.begin(), all.end(), [&](const std::string& one) { return !mine.contains(one); });
  throw Error("{}: seed {}: expected the {} problems of {} that the rows have together, found {}{}", place, seed, all.size(),
              set, mine.size(), missing == all.end() ? "" : fmt::format(" (no {})", *missing));
}

}  // namespace

std::vector<std::string> sets_of(const std::vector<ImportedRow>& rows) {
  std::vector<std::string> sets;
  for (const ImportedRow& row : rows) {
    for (const auto& [seed, files] : row.seeds) {
      for (const Outcome& outcome : files.file.outcomes) {
        if (std::find(sets.begin(), sets.end(), outcome.set) == sets.end()) sets.push_back(outcome.set);
      }
    }
  }
  return sets;
}

void require_same_problems(const std::vector<ImportedRow>& rows, const std::vector<std::string>& sets) {
  std::map<std::pair<size_t, int64_t>, Problems> of_seed;  // by row and seed
  Problems all;
  for (size_t row = 0; row < rows.size(); ++row) {
    if (rows[row].seeds.empty()) {
      throw Error("row {}: expected outcomes of {}, found none", rows[row].record.name, fmt::join(sets, ", "));
    }
    for (const auto& [seed, files] : rows[row].seeds) {
      for (const Outcome& outcome : files.file.outcomes) {
        of_seed[{row, seed}][outcome.set].insert(outcome.problem);
        all[outcome.set].insert(outcome.problem);
      }
    }
  }
  for (auto& [key, mine] : of_seed) {
    const auto& [row, seed] = key;
    for (const std::string& set : sets) check_problems(set, mine[set], all[set], seed, rows[row].seeds.at(seed).place);
  }
}

int64_t common_samples(const std::vector<ImportedRow>& rows, int64_t asked) {
  int64_t least = std::numeric_limits<int64_t>::max(), most = 0;
  std::string where;
  for (const ImportedRow& row : rows) {
    for (const auto& [seed, files] : row.seeds) {
      std::map<std::pair<std::string, std::string>, std::set<int64_t>> samples;
      for (const Outcome& outcome : files.file.outcomes) {
        if (samples[{outcome.set, outcome.problem}].insert(outcome.sample).second) continue;
        throw Error("{}: seed {}: {}, problem {}: expected the sample {} once, found it twice", files.place, seed, outcome.set,
                    outcome.problem, outcome.sample);
      }
      for (const auto& [problem, numbers] : samples) {
        const auto count = static_cast<int64_t>(numbers.size());
        if (*numbers.begin() != 0 || *numbers.rbegin() != count - 1) {
          throw Error("{}: seed {}: {}, problem {}: expected the samples 0 .. {}, found {}", files.place, seed, problem.first,
                      problem.second, count - 1, fmt::join(numbers, ", "));
        }
        most = std::max(most, count);
        if (count >= least) continue;
        least = count;
        where = fmt::format("row {}, seed {}, {}, problem {}", row.record.name, seed, problem.first, problem.second);
      }
    }
  }
  if (asked > least) throw Error("n: expected at most the {} samples of {}, found {}", least, where, asked);
  if (asked == 0 && least != most) {
    throw Error("expected the same number of samples of every problem, found {} of {} and {} elsewhere: n = {} counts so many",
                least, where, most, least);
  }
  return asked == 0 ? least : asked;
}

}  // namespace harness
