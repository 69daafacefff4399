// Runs of the program: the paper's experiments at a small scale, and what it says of what is missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "experiments/cli/testing.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/subprocess.h"

namespace experiments {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

using PaperRuns = Scratch;

TEST_F(PaperRuns, RunAtSmallScaleOnATinyQwen3) {
  write_tiny_qwen3(path("tiny"));
  std::vector<std::string> command = {
      MEDSBENCH_PROGRAM, "run",      paper_file("qwen3-1.7b"), "--scale", "0.005", "--seeds", "1", "--jobs", "1",
      "--out",           path("out")};
  for (const std::string& set :
       {"models.qwen3-1.7b.path=\"" + path("tiny") + "\"", std::string("numerics.device=\"cpu\""),
        std::string("numerics.dtype=\"fp32\""), std::string("data.train=[\"words\"]"), std::string("data.test=[\"words\"]"),
        std::string("data.limit=2"), std::string("sampling.max_new_tokens=6"), std::string("eval.max_new_tokens=6"),
        std::string("overlong.buffer=2"), std::string("filter.on_starved=\"partial\""),
        std::string("filter.max_gen_batches=1")}) {
    command.insert(command.end(), {"--set", set});
  }
  const auto result = harness::run_process(command);
  ASSERT_EQ(result.status, 0) << result.err;
  const std::string table = harness::read_file(path("out/results/table.md"));
  for (const char* row : {"| Base |", "| GRPO |", "| DAPO |", "| GRPO + Entropy |", "| MEDS |"})
    EXPECT_THAT(table, HasSubstr(row));
  EXPECT_THAT(table, HasSubstr("scaled by 0.005 (--scale): train.steps 100 to 1, "));
  EXPECT_THAT(table, HasSubstr("GRPO differs from DAPO in its recipe too"));
  EXPECT_THAT(table, HasSubstr("Graded by limo; graded otherwise by math on "));
  const auto manifest = harness::parse_json(harness::read_file(path("out/results/experiment.json")));
  EXPECT_EQ(manifest["scale"], 0.005);
  EXPECT_EQ(harness::run_process({MEDSBENCH_PROGRAM, "verify", path("out/results")}).status, 0);
}

TEST_F(PaperRuns, LeaveOutPromptsThatAreTooLongAndSayHowMany) {
  write_tiny_qwen3(path("tiny"));
  const std::string longer(3000, 'x');
  harness::write_file_atomically(path("three.jsonl"),
                                 "{\"problem\": \"1 + 1\", \"answer\": \"2\"}\n{\"problem\": \"" + longer +
                                     "\", \"answer\": \"3\"}\n{\"problem\": \"2 + 2\", \"answer\": \"4\"}\n");
  harness::write_file_atomically(path("file.toml"), "[models.tiny]\npath = \"" + path("tiny") + R"("
[table]
k = [1]
[data]
train = ["words"]
test = ["three.jsonl"]
[prompt]
template = "plain"
prompt_tokens = 100
[sampling]
max_new_tokens = 4
[eval]
n = 1
[[rows]]
name = "Base"
untrained = true
method.name = "none"
)");
  const auto result =
      harness::run_process({MEDSBENCH_PROGRAM, "run", path("file.toml"), "--out", path("out"), "--data", path("")});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(harness::read_file(path("out/results/table.md")),
              HasSubstr("Problems left out because their prompts are longer than 100 tokens: 1 (tiny, test)."));
  const std::string counts = harness::read_file(path("out/results/counts.csv"));
  EXPECT_EQ(std::count(counts.begin(), counts.end(), '\n'), 3) << counts;  // a heading and two problems
}

TEST_F(PaperRuns, NameTheModelAndTheDataThatAreMissing) {
  ::setenv("HF_HOME", path("none").c_str(), 1);
  ::unsetenv("MEDSBENCH_DATA");
  const std::vector<std::string> command = {MEDSBENCH_PROGRAM, "run",   paper_file("qwen3-1.7b"), "--out",
                                            path("out"),       "--set", "numerics.device=\"cpu\""};
  const auto model = harness::run_process(command);
  EXPECT_EQ(model.status, 1);
  EXPECT_THAT(model.err, HasSubstr("models.qwen3-1.7b.path: expected the model Qwen/Qwen3-1.7B"));
  EXPECT_THAT(model.err, HasSubstr("medsbench model fetch Qwen/Qwen3-1.7B"));
  write_tiny_qwen3(path("tiny"));
  std::vector<std::string> with_model = command;
  with_model.insert(with_model.end(), {"--set", "models.qwen3-1.7b.path=\"" + path("tiny") + "\""});
  const auto data = harness::run_process(with_model);
  EXPECT_EQ(data.status, 1);
  EXPECT_THAT(data.err, HasSubstr("`medsbench data fetch aime24` fetches it"));
  EXPECT_FALSE(fs::exists(path("out/cells")));
}

}  // namespace
}  // namespace experiments
