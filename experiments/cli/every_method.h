// What the program knows: the list of all methods, where a new one is added, the problem sets, and its commit.
#pragma once

#include "harness/experiment/jobs/program.h"

namespace experiments {

// In the order of `medsbench methods`.
const harness::MethodCatalog& every_method();
const harness::Program& this_program();

}  // namespace experiments
