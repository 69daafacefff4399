#include "experiments/cli/every_method.h"

#include "baselines/all_methods.h"
#include "meds/cluster_probe.h"
#include "meds/meds_method.h"

namespace experiments {

std::vector<harness::MethodEntry> every_method() {
  std::vector<harness::MethodEntry> entries = baselines::all_methods();
  entries.push_back(meds::meds_entry());
  entries.push_back(meds::cluster_probe_entry());
  return entries;
}

}  // namespace experiments
