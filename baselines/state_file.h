// State files of methods: NAME.json in a checkpoint folder, versioned.
#pragma once

#include <string>

#include "harness/core/json.h"

namespace baselines {

// Writes FOLDER/NAME.json with `"version": 1` added.
void write_state(const std::string& folder, const std::string& name, harness::Json state);
// Throws Error if the file is missing, damaged or of a newer version.
harness::Json read_state(const std::string& folder, const std::string& name);

}  // namespace baselines
