// Row pairs: what a file says of two rows, compare_to and [[conditions]].
#pragma once

#include <string>
#include <vector>

#include "harness/experiment/experiment.h"

namespace harness {

// Of the rows on this base model, in order.
std::vector<std::string> row_names(const Experiment& experiment, const std::string& base_model);
// Null where there is none.
const PlannedRow* find_row(const Experiment& experiment, const std::string& name, const std::string& base_model);

// Throws Error for two rows of one name, and for a compare_to that names no row of the same base model.
void check_comparisons(const Experiment& experiment);
// Into Experiment::conditions; holds table.guarded against them. Throws Error for rows that are not there or share no seed, and
// for what cannot be judged.
void read_conditions(const std::vector<Config>& conditions, Experiment& experiment);

}  // namespace harness
