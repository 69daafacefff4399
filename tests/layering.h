// Layering: which folder may include which, and what every header must open with, checked on the text of the sources.
#pragma once

#include <string>
#include <vector>

namespace tests {

struct SourceText {
  std::string path;  // from the repository root, e.g. "harness/rl/loss.h"
  std::string text;
};

struct Violation {
  std::string path;
  int line = 0;  // from 1
  std::string what;
  bool operator==(const Violation&) const = default;
};

// Everything in the files that goes against the table of folders: an include that points the wrong way, LibTorch where it does
// not belong, a header without `#pragma once` or without a first line that says what it is, a folder missing from the table.
std::vector<Violation> check_layering(const std::vector<SourceText>& files);

// "FOLDER -> FOLDER" for each permission of the table that no include uses.
std::vector<std::string> unused_permissions(const std::vector<SourceText>& files);

// Folder of the table that a path belongs to: "harness/rl", "meds", "experiments/cli"; "" for a path outside all of them.
std::string folder_of(const std::string& path);

}  // namespace tests
