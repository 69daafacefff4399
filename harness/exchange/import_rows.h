// ImportedRow: the foreign outcomes of one row of a table, and what all rows must agree in for a table to compare them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/data/outcome.h"
#include "harness/data/problem.h"
#include "harness/report/results/experiment_record.h"

namespace harness {

// The outcomes of one row and seed, of all its files.
struct SeedFiles {
  std::string place;  // where the TOML file names them, for errors
  OutcomeFile file;
  std::map<std::string, ProblemSet> problems;
};

struct ImportedRow {
  RowRecord record;
  bool untrained = false;
  std::map<int64_t, SeedFiles> seeds;
};

// In the order in which they first occur.
std::vector<std::string> sets_of(const std::vector<ImportedRow>& rows);
// Throws Error unless every row and seed has the same problems of each set, at least one.
void require_same_problems(const std::vector<ImportedRow>& rows, const std::vector<std::string>& sets);
// The samples of every problem, or `asked` (0: not) where that is no more than any has. Throws Error otherwise, for different
// numbers where none is asked for, and for samples of a problem that are not numbered 0, 1, ... once each.
int64_t common_samples(const std::vector<ImportedRow>& rows, int64_t asked);

}  // namespace harness
