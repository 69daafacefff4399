// The footer of a result table: what its numbers are, and why a mark is or is not there.
#pragma once

#include <string>
#include <vector>

#include "harness/report/table/summary.h"

namespace harness {

std::vector<std::string> footer_lines(const ExperimentResults& results, const Summary& summary);

}  // namespace harness
