// The list of methods as text for a terminal and as a Markdown page, from the code alone.
#pragma once

#include <string>
#include <vector>

#include "harness/train/method/method.h"

namespace experiments {

std::string methods_text(const std::vector<harness::MethodEntry>& entries);
// results/methods.md.
std::string methods_markdown(const std::vector<harness::MethodEntry>& entries);

}  // namespace experiments
