// SeedLooks: looks.json of a runs folder, how far a rule that adds seeds has come; written before the seeds that it asks for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/experiment/experiment.h"
#include "harness/report/table/comparisons.h"

namespace harness {

// What was fixed beforehand: another rule, family, base or condition is another experiment once one has looked.
struct SeedLooks {
  SeedRule rule;
  std::vector<std::string> primary, comparisons;  // "BASE MODEL: ROW - BASE"
  std::vector<std::string> conditions;            // one line each, and "guarded: ROW"; they ask for no seeds
  std::vector<std::string> amended;               // one line a change
  std::map<std::string, int64_t> seeds;           // BASE MODEL/ROW -> number of training seeds it gets
  int64_t looks = 0;                              // made so far
};

// None where there is no such file. Throws Error for a damaged one.
std::optional<SeedLooks> read_looks(const std::string& runs);

// What the experiment fixes, before any look.
SeedLooks fixed_beforehand(const Experiment& experiment);
// Throws Error where looks were made under other rules than the experiment's, naming what changed; with `amend` the change is
// written down instead, and stands under the table from then on.
void check_looks(const Experiment& experiment, bool amend);

// After a look at the results as they are: writes down which rows get how many seeds. False: none gets more.
bool take_look(const Experiment& experiment, const ExperimentResults& results, const Family& family);

}  // namespace harness
