// Program: what the program hands to an experiment: the methods and problem sets that it knows, and what it was built from.
#pragma once

#include <string>

#include "harness/data/problem_catalog.h"
#include "harness/train/method/method_catalog.h"

namespace harness {

struct Program {
  const MethodCatalog& methods;
  const ProblemCatalog& problems;
  std::string commit;  // stands in the results
};

}  // namespace harness
