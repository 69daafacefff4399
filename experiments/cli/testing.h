// What the tests of experiments share: the committed files, a folder of a test's own, a tiny model in it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "harness/core/files.h"
#include "harness/core/testing.h"
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
  [[nodiscard]] std::string path(const std::string& name) const { return scratch_.path(name); }
  const harness::ScratchFolder scratch_;
};

// With the file of the nano base model beside the experiment; neither a hub's cache nor data of this machine are seen.
class ScratchExperiment : public Scratch {
 protected:
  void SetUp() override {
    ::setenv("HF_HOME", path("none").c_str(), 1);
    ::unsetenv("MEDSBENCH_DATA");
    std::filesystem::copy_file(source_file("experiments/nano-qwen3.toml"), path("nano-qwen3.toml"));
  }
};

}  // namespace experiments
