// Notes: the lines of a table's footer that stored outcomes do not tell: scale, recipes that differ, problem sets,
// contamination, dropped prompts.
#pragma once

#include <string>
#include <vector>

#include "harness/experiment/experiment.h"

namespace harness {

// Rows whose recipe (train.*, sampling.*, optimizer.*, prompt.*, reward.*, data.*) differs from that of the row they are
// compared with, one line a row: a comparison of such rows is not one of methods alone.
std::vector<std::string> recipe_notes(const Experiment& experiment);

// Reads the problem sets again and the done.json of every job. Sets that are not there are left out.
std::vector<std::string> experiment_notes(const Experiment& experiment, const ProblemCatalog& catalog);

}  // namespace harness
