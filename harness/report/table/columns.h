// The columns of a result table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/metrics/quantity.h"
#include "harness/report/results/experiment_record.h"

namespace harness {

inline constexpr const char* kAverage = "average";

enum class ColumnKind { pass, aggregate, luck, diversity, train, verifier, budget };

struct Column {
  std::string set;  // problem set; kAverage: mean over the sets
  Quantity quantity;
  bool primary = true;  // its comparisons are of Holm's family

  [[nodiscard]] ColumnKind kind() const;
  [[nodiscard]] bool of_problems() const;  // a mean over problems
  [[nodiscard]] bool percent() const;      // a rate, shown in percent
  [[nodiscard]] bool compared() const;     // rows are compared in it
};

// Of "SET METRIC", such as "average pass@1". Throws Error for another text.
Column parse_column(std::string_view text);

// Each set and the average at each k, diversity, pass rates of the training, verifier columns, budget. The column of
// graders that disagree is there only where responses were graded twice. Throws Error for a primary column that is none.
std::vector<Column> table_columns(const TableSettings& settings, bool graded_twice);

}  // namespace harness
