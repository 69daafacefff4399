// Miniature: a whole experiment in a temporary folder, small enough to be run again and again by tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/core/files.h"
#include "harness/core/testing.h"

namespace tests {

namespace fs = std::filesystem;

inline const char* const kModel = R"(
[model]
layers = 2
width = 16
heads = 2
kv_heads = 1
head_dim = 8
mlp_width = 32
[train]
steps = 3
batch = 4
[prompt]
template = "plain"
suffix = "?"
add_bos = true
)";

inline const char* const kExperiment = R"(
title = "miniature"
[models.tiny]
pretrain = "tiny.toml"
[table]
k = [1, 2]
[data]
nano.train = 2
nano.validation = 1
nano.test = 1
[train]
steps = 3
prompts_per_step = 4
responses_per_prompt = 4
mini_batch_prompts = 2
[sampling]
max_new_tokens = 12
[optimizer]
lr = 1e-3
[overlong]
buffer = 0
[filter]
on_starved = "partial"
max_gen_batches = 2
[fingerprint]
layers = "half"
[prompt]
template = "plain"
suffix = "?"
add_bos = true
[eval]
n = 2
[[rows]]
name = "Base"
untrained = true
method.name = "none"
[[rows]]
name = "GRPO"
base = "grpo"
method.name = "grpo"
[[rows]]
name = "MEDS"
base = "dapo"
method.name = "meds"
compare_to = "GRPO"
)";

// Every file below a folder with its content, but those that hold times.
inline std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || name == "timing.json" || name == "log.txt" || name == "progress.json" ||
        name == "report.html" || name == "lock") {
      continue;
    }
    files[fs::relative(entry.path(), folder).string()] = harness::read_file(entry.path().string());
  }
  return files;
}

inline std::vector<std::string> names(const std::map<std::string, std::string>& files) {
  std::vector<std::string> all;
  for (const auto& [name, content] : files) all.push_back(name);
  return all;
}

inline void expect_equal(const std::map<std::string, std::string>& a, const std::map<std::string, std::string>& b) {
  EXPECT_EQ(names(a), names(b));
  for (const auto& [name, content] : a) {
    if (!b.contains(name)) continue;
    EXPECT_TRUE(content == b.at(name)) << name << " differs";
  }
}

class Miniature : public testing::Test {
 protected:
  void SetUp() override {
    scratch_.write("tiny.toml", kModel);
    scratch_.write("mini.toml", kExperiment);
  }

  // With models and run folders of its own under `out`; more arguments of `run` may follow.
  std::vector<std::string> command(const std::string& out = "out", const std::vector<std::string>& more = {}) const {
    std::vector<std::string> argv = {MEDSBENCH_PROGRAM,
                                     "run",
                                     (folder_ / "mini.toml").string(),
                                     "--out",
                                     (folder_ / out).string(),
                                     "--set",
                                     "run.models=\"" + (folder_ / (out == "out" ? "models" : out + "_models")).string() + "\""};
    argv.insert(argv.end(), more.begin(), more.end());
    if (std::find(more.begin(), more.end(), "--jobs") == more.end()) argv.insert(argv.end(), {"--jobs", "1"});
    return argv;
  }
  const harness::ScratchFolder scratch_;
  const fs::path folder_ = scratch_.path();
};

}  // namespace tests
