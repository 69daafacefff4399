// Names of folders, and paths beside an experiment's file.
#pragma once

#include <string>

namespace harness {

// Letters, digits, `.`, `-` and `_` in lower case; what stands between them becomes one `-`.
std::string folder_name(const std::string& text);
// A path that the file gives, seen from where the program runs.
std::string beside(const std::string& file, const std::string& path);

}  // namespace harness
