// All graders by name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/reward/grader.h"

namespace harness {

// name: "recipe", "limo", "math" or "last_number". Throws Error for another name.
std::unique_ptr<Grader> make_grader(const std::string& name);
std::vector<std::string> grader_names();

}  // namespace harness
