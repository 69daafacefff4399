// What the tests of experiments share: the committed files and a folder of a test's own.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace experiments {

inline std::string source_file(const std::string& path) { return std::string(MEDSBENCH_SOURCE_DIR) + "/" + path; }
inline std::string paper_file(const std::string& name) { return source_file("experiments/paper/" + name + ".toml"); }

class Scratch : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("medsbench_experiment_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::filesystem::path folder_;
};

}  // namespace experiments
