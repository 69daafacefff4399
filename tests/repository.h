// The files of the repository that tests hold against its rules.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "harness/core/files.h"
#include "tests/layering.h"

namespace tests {

// Every file with one of the endings (".h", ".md", ...), by its path from the root; test data, hidden folders, builds, run
// folders and models left out.
inline std::vector<SourceText> repository_files(const std::set<std::string>& endings) {
  namespace fs = std::filesystem;
  const fs::path root = MEDSBENCH_SOURCE_DIR;
  std::vector<SourceText> files;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator(); ++entry) {
    const std::string name = entry->path().filename().string();
    const bool passed_over = name.starts_with('.') || name == "testdata" ||
                             (entry.depth() == 0 && (name.starts_with("build") || name == "runs" || name == "models"));
    if (passed_over && entry->is_directory()) entry.disable_recursion_pending();
    if (passed_over || !entry->is_regular_file() || !endings.contains(entry->path().extension())) continue;
    files.push_back({fs::relative(entry->path(), root).generic_string(), harness::read_file(entry->path().string())});
  }
  return files;
}

}  // namespace tests
