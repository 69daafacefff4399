#include "experiments/cli/every_method.h"

#include "baselines/all_methods.h"
#include "baselines/bases.h"
#include "datasets/problem_catalog.h"
#include "experiments/cli/commit.h"
#include "meds/cluster_probe.h"
#include "meds/meds_method.h"

namespace experiments {

const harness::MethodCatalog& every_method() {
  static const harness::MethodCatalog catalog = [] {
    std::vector<harness::MethodEntry> entries = baselines::all_methods();
    entries.push_back(meds::meds_entry());
    entries.push_back(meds::cluster_probe_entry());
    return harness::MethodCatalog(std::move(entries), baselines::bases());
  }();
  return catalog;
}

const harness::Program& this_program() {
  static const datasets::Catalog problems;
  static const harness::Program program{every_method(), problems, kCommit};
  return program;
}

}  // namespace experiments
