// Comparisons of rows with the rows they name in compare_to, and the verdicts on those that were fixed beforehand.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/report/results/experiment_results.h"
#include "harness/report/table/columns.h"
#include "harness/stats/compare.h"
#include "harness/stats/seed_table.h"
#include "harness/verdicts/verdicts.h"

namespace harness {

// Every SeedTable that the columns of one row need, made once.
class RowTables {
 public:
  using Tables = std::span<const SeedTable>;  // one a set
  RowTables(const RowResults& row, const std::vector<std::string>& sets, const std::vector<Column>& columns);

  // All sets of the quantity.
  [[nodiscard]] Tables of(const Quantity& quantity) const { return tables_.at(quantity); }
  // What the column is the mean of: its set, or all of them.
  [[nodiscard]] Tables of(const Column& column) const;

 private:
  void make(const RowResults& row, const Quantity& quantity);

  const std::vector<std::string>& sets_;
  std::map<Quantity, std::vector<SeedTable>> tables_;  // [sets]
};

// Paired by seed and problem, one a set; the seeds in the order in which `row` was planned to get them.
std::vector<SeedTable> paired_differences(const RowTables& row, const RowTables& base, const Column& column,
                                          const std::vector<int64_t>& seeds);

// The comparisons fixed beforehand and what the rule says of them.
struct Family {
  struct Member {
    size_t row = 0, column = 0;  // of the results' rows, of the columns
  };
  std::vector<Member> members;
  FamilyVerdicts verdicts;
};

// Of the primary columns. Under a rule that adds seeds every row that names another is of the family, whether it has been run
// or not; else those that two seeds or more can say something of.
Family judge_family(const ExperimentResults& results, const std::vector<Column>& columns, std::span<const RowTables> tables);
// The same of stored results alone, for one who decides whether to go on.
Family judge_family(const ExperimentResults& results);

}  // namespace harness
