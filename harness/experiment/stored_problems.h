// StoredProblems: the problems that stored outcomes answer, loaded set by set when first asked for.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "harness/data/outcome.h"
#include "harness/data/problem_catalog.h"

namespace harness {

struct StoredProblemSettings {
  std::string data_dir;        // where published sets lie
  uint64_t data_seed = 0;      // of generated sets
  std::string split = "test";  // that was evaluated
};

class StoredProblems {
 public:
  StoredProblems(const ProblemCatalog& catalog, const StoredProblemSettings& settings);
  // Null where the set has no such problem. Throws Error where the set cannot be loaded.
  const Problem* find(const Outcome& outcome);

 private:
  const ProblemCatalog& catalog_;
  std::string split_;
  std::shared_ptr<const ProblemSource> source_;
  std::map<std::string, std::map<std::string, Problem>> sets_;  // by name in the outcomes, then id
};

}  // namespace harness
