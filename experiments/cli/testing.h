// What the tests of experiments share: the committed files, a folder of a test's own, a tiny model in it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "harness/core/files.h"
#include "harness/model/transformer.h"

namespace experiments {

inline std::string source_file(const std::string& path) { return std::string(MEDSBENCH_SOURCE_DIR) + "/" + path; }
inline std::string paper_file(const std::string& name) { return source_file("experiments/paper/" + name + ".toml"); }

// A folder of the hub's form: a tiny random Qwen3, a small byte-level tokenizer, the template of the family.
inline void write_tiny_qwen3(const std::string& folder) {
  harness::ModelConfig shape;
  shape.architecture = "qwen3";
  shape.qk_norm = shape.tied_head = true;
  shape.vocab_size = 608;
  shape.width = 16;
  shape.layers = 2;
  shape.heads = 2;
  shape.kv_heads = 1;
  shape.head_dim = 8;
  shape.mlp_width = 32;
  shape.max_positions = 4096;
  shape.eos_ids = {1};
  harness::Transformer model(shape, {});
  model.initialise(1);
  model.save(folder);
  const std::string text = source_file("harness/text/testdata/");
  std::filesystem::copy_file(text + "qwen2s.tokenizer.json", folder + "/tokenizer.json");
  std::filesystem::copy_file(text + "qwen3.jinja", folder + "/chat_template.jinja");
  harness::write_file_atomically(folder + "/tokenizer_config.json", "{}\n");
}

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
