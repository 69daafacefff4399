// The list of all methods the program knows: this file and its source are where a new one is added.
#pragma once

#include <vector>

#include "harness/train/method/method.h"

namespace experiments {

// In the order of `medsbench methods`.
std::vector<harness::MethodEntry> every_method();

}  // namespace experiments
