// Test support of this folder: a scratch folder that removes itself, the message of an Error.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "harness/core/error.h"

namespace datasets {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "medsbench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw harness::Error("{}: expected to make a folder", pattern);
    root_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] std::string path(const std::string& name = "") const { return name.empty() ? root_ : root_ + "/" + name; }
  // Writes a file, its folders included.
  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << content;
  }

 private:
  std::string root_;
};

// The message of the Error that `body` throws; "" if it throws none.
template <typename Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const harness::Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace datasets
