#include "experiments/cli/every_method.h"

#include "baselines/all_methods.h"

namespace experiments {

std::vector<harness::MethodEntry> every_method() { return baselines::all_methods(); }

}  // namespace experiments
