// Small parts of planning an experiment: names of folders, paths beside its file, the config of a cell.
#pragma once

#include <string>

#include "harness/core/config.h"

namespace experiments {

// Letters, digits, `.`, `-` and `_` in lower case; what stands between them becomes one `-`.
std::string folder_name(const std::string& text);
// A path that the file gives, seen from where the program runs.
std::string beside(const std::string& file, const std::string& path);
// `source` with the keys alone that `read` found effective: the config of one cell holds only what its verb reads.
harness::Config only_read(const harness::Config& source, const harness::Config& read);

}  // namespace experiments
