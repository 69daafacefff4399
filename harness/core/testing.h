// Test support for every folder: a scratch folder that removes itself, the message of an error.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "harness/core/error.h"

namespace harness {

// A folder of its own under gtest's temporary folder, removed with all that is in it. Throws Error if it cannot be made.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = testing::TempDir() + "medsbench-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw Error("{}: expected to make a folder", pattern);
    root_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] std::string path(const std::string& name = "") const { return name.empty() ? root_ : root_ + "/" + name; }
  // Writes a file, its folders included; gives its path.
  std::string write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }

 private:
  std::string root_;
};

// The message of what `body` throws; "" if it throws nothing.
template <typename Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace harness
