// What the tests of model folders share.
#pragma once

#include <string>

#include "harness/core/testing.h"

namespace harness {

// A tiny model folder written by transformers.
inline std::string golden_folder(const std::string& name) { return std::string(MEDSBENCH_TEST_DATA) + "/" + name; }

}  // namespace harness
