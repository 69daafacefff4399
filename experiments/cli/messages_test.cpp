// What the program says to the mistakes of a first experiment: one line, the place, the way out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "experiments/cli/testing.h"
#include "harness/core/subprocess.h"
#include "harness/core/testing.h"

namespace experiments {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kFile = R"(seeds = [1, 2]
[models.m]
pretrain = "nano-qwen3.toml"
[table]
k = [1, 4]
[data]
train = ["nano"]
[train]
responses_per_prompt = 8
[sampling]
max_new_tokens = 48
[overlong]
buffer = 0
[prompt]
template = "plain"
prompt_tokens = 32
[eval]
n = 4
[[rows]]
name = "DAPO"
base = "dapo"
method.name = "dapo"
[[rows]]
name = "MEDS"
base = "dapo"
method.name = "meds"
compare_to = "DAPO"
)";

class Messages : public ScratchExperiment {
 protected:
  // The verb over the file with `from` replaced.
  harness::ProcessResult said(const std::string& verb, const std::string& from, const std::string& to,
                              const std::vector<std::string>& more = {}) const {
    std::string text = kFile;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::vector<std::string> argv = {MEDSBENCH_PROGRAM, verb, scratch_.write("e.toml", text), "--set",
                                     "run.models=\"" + path("models") + "\""};
    argv.insert(argv.end(), more.begin(), more.end());
    return harness::run_process(argv);
  }
  // That nothing is begun and one line is said, which begins with the place and holds the rest.
  void expect_refused(const harness::ProcessResult& result, const std::string& place, const std::string& rest) const {
    EXPECT_EQ(result.status, 1) << result.out << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_THAT(result.err, AllOf(StartsWith("medsbench: " + place), HasSubstr(rest)));
  }
  // Of a mistake that each verb that reads the experiment refuses.
  void expect_refused(const std::string& from, const std::string& to, const std::string& place, const std::string& rest) const {
    expect_refused(said("plan", from, to), place, rest);
    expect_refused(said("run", from, to, {"--dry-run"}), place, rest);
  }
  std::string line(int number) const { return path("e.toml") + ": line " + std::to_string(number) + ": "; }
};

TEST_F(Messages, ANumberOfSeedsIsNoListOfThem) {
  expect_refused("seeds = [1, 2]", "seeds = 3", line(1) + "seeds: expected a list, found 3: ",
                 "seeds = [3] is the training seed 3, --seeds 3 makes 3 trainings a row");
  expect_refused(said("plan", "", "", {"--set", "seeds=5"}), "--set: seeds: expected a list, found 5: ", "--seeds 5");
  expect_refused("seeds = [1, 2]", "seeds = []", line(1) + "seeds: ", "expected at least one training seed, found none");
  expect_refused("compare_to = \"DAPO\"", "seeds = 2", line(27) + "seeds: expected a list, found 2", "--seeds 2");
  expect_refused("seeds = [1, 2]", "seeds = [1, 1]", line(1) + "seeds: ", "found 1 twice");
  EXPECT_THAT(said("run", "seeds = [1, 2]", "seeds = [3]", {"--dry-run", "--seeds", "3"}).out,
              AllOf(HasSubstr("/dapo/seed3\t"), HasSubstr("/dapo/seed1\t"), HasSubstr("/dapo/seed2\t")));
}

TEST_F(Messages, UnknownNamesSayWhatIsMeant) {
  expect_refused("train = [\"nano\"]", "train = [\"nano\"]\ntest = [\"math-500\"]",
                 "error: " + line(8) + "data.test: ", "the nearest is math500");
  expect_refused("method.name = \"meds\"", "method.name = \"MEDS\"", line(26) + "method.name: expected a method",
                 "found \"MEDS\"; the nearest is meds");
  const auto unknown = said("plan", "method.name = \"meds\"", "method.name = \"rejection_sampling\"");
  expect_refused(unknown, line(26), "(`medsbench methods` lists them), found \"rejection_sampling\"\n");
  expect_refused(said("config", "", "", {"--row", "meds"}), path("e.toml") + ": expected a row (DAPO, MEDS), found meds",
                 "; the nearest is MEDS");
  expect_refused("compare_to = \"DAPO\"", "compare_to = \"dapo\"", line(27) + "row MEDS: compare_to: ",
                 "expected the name of a row on m (DAPO, MEDS), found dapo; the nearest is DAPO");
  expect_refused("compare_to = \"DAPO\"", "models = [\"M\"]",
                 line(27) + "row MEDS: models: ", "expected base models (m), found M; the nearest is m");
  expect_refused("name = \"MEDS\"", "name = \"DAPO\"", line(24) + "name: ", "found DAPO twice");
  expect_refused("[models.m]", "[model.m]", path("e.toml") + ": expected at least one [models.NAME]",
                 "found [model.m] (" + path("e.toml") + ": line 3)");
}

TEST_F(Messages, AConditionNamesRowsAColumnAndWhatMustHold) {
  const std::string end = "compare_to = \"DAPO\"";
  const auto refused = [&](const std::string& lines, const std::string& place, const std::string& rest) {
    expect_refused(end, end + "\n[[conditions]]\n" + lines, place, rest);
  };
  const std::string rows = "row = \"MEDS\"\nagainst = \"DAPO\"\n", metric = "metric = \"average pass@4\"\n";
  refused("row = \"MED\"\nagainst = \"DAPO\"\nis = \"better\"\n" + metric,
          line(29) + "conditions: row: ", "expected the name of a row (DAPO, MEDS), found MED; the nearest is MEDS");
  refused("row = \"MEDS\"\nagainst = \"MEDS\"\nis = \"better\"\n" + metric,
          line(30) + "conditions: against: ", "expected another row, found the row itself");
  refused(rows + "is = \"above\"\n" + metric, line(31) + "is: ", "expected one of [\"better\", ");
  refused(rows + "is = \"better\"\nmetric = \"average pas@4\"\n", line(32) + "metric: ", "found \"pas@4\"");
  refused(rows + "is = \"better\"\nmetric = \"average pass@2\"\n",
          "error: " + line(32) + "conditions: metric: ", "found \"average pass@2\"; table.k needs 2");
  refused(rows + "is = \"better\"\n", path("e.toml") + ": ", "metric: expected a column beside is = \"better\", found none");
  refused(rows + "is = \"equal_bytes\"\n" + metric, line(32) + "metric: ", "expected none beside is = \"equal_bytes\"");
  refused(rows + "is = \"equal_bytes\"\nby = 5\n", line(32) + "by: ", "expected none beside is = \"equal_bytes\", found 5");
  refused(rows + "is = \"equivalent\"\n" + metric,
          line(31) + "conditions: is: ", "expected table.margin beside \"equivalent\", found none");
  refused(rows + "is = \"worse\"\n" + metric + "bye = 5\n", line(33) + "bye: unknown key", "the nearest is by");
  const std::string whole = rows + "is = \"worse\"\n" + metric;
  refused(whole + "[[conditions]]\n" + whole, line(34) + "conditions: ", "found MEDS worse DAPO in average pass@4 twice");
  expect_refused("k = [1, 4]", "k = [1, 4]\nguarded = [\"MED\"]",
                 line(6) + "table.guarded: ", "expected the name of a row (DAPO, MEDS), found MED; the nearest is MEDS");
  expect_refused("k = [1, 4]", "k = [1, 4]\nguarded = [\"MEDS\"]",
                 line(6) + "table.guarded: ", "expected [[conditions]] beside it, found none");
}

TEST_F(Messages, UnknownKeysSayWhatIsMeant) {
  expect_refused("compare_to = \"DAPO\"", "compareto = \"DAPO\"", line(27) + "compareto: unknown key",
                 "; the nearest is compare_to");
  expect_refused("seeds = [1, 2]", "seed = 3", line(1) + "seed: unknown key", "; the nearest is seeds");
  expect_refused("method.name = \"meds\"", "method = \"meds\"", line(26) + "method: unknown key",
                 "; the nearest is method.name");
  const std::vector<std::pair<std::string, std::string>> words = {
      {"train.learning_rate", "optimizer.lr"},
      {"train.num_generations", "train.responses_per_prompt"},
      {"train.batch_size", "train.prompts_per_step"},
      {"train.max_completion_length", "sampling.max_new_tokens"},
      {"sampling.max_tokens", "sampling.max_new_tokens"},
      {"train.temperature", "sampling.temperature"},
      {"train.beta", "loss.kl_coef"},
      {"train.epsilon", "loss.clip_low"},
      {"train.num_train_epochs", "train.steps"},
      {"train.per_device_train_batch_size", "train.micro_batch_responses"},
      {"train.gradient_accumulation_steps", "train.micro_batch_responses"},
      {"numeric.device", "numerics.device"},
      {"model_name", "models"}};
  for (const auto& [word, key] : words) {
    expect_refused(said("plan", "", "", {"--set", word + "=1"}),
                   "--set: " + word + ": unknown key; the nearest is " + key + "\n", "");
  }
  expect_refused(said("plan", "", "", {"--set", "train.flux_capacitor=1"}), "--set: train.flux_capacitor: unknown key\n", "");
}

TEST_F(Messages, ARowWithoutAMethodIsToldOf) {
  for (const char* verb : {"plan", "check", "config"}) {
    const auto result = said(verb, "method.name = \"dapo\"\n", "");
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out + result.err,
                HasSubstr("expected the name of a method, found none: the base dapo alone is trained"));
  }
}

TEST_F(Messages, ANumberOfAnOptionSaysItsRangeInWords) {
  const auto result = said("plan", "", "", {"--seeds", "0"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("--seeds: expected 1 or more, found 0"), Not(HasSubstr("179769"))));
  EXPECT_THAT(said("plan", "", "", {"--scale", "0"}).err, HasSubstr("--scale: expected a number above 0, found 0"));
  EXPECT_THAT(said("plan", "", "", {"--jobs", "x"}).err, HasSubstr("--jobs: expected 1 or more, found x"));
  EXPECT_THAT(said("plan", "", "", {"--device-memory", "much"}).err,
              HasSubstr("--device-memory: expected a size such as 80GB, found much"));
}

TEST_F(Messages, AnAbsentModelIsSaidByEveryVerbAndAPlanOfItHasNoZeros) {
  const std::string absent = "models.m.path: expected the model Org/None as the folder ";
  for (const std::string verb : {"plan", "check", "run", "config"}) {
    const auto result = said(verb, "pretrain = \"nano-qwen3.toml\"", "path = \"Org/None\"");
    EXPECT_EQ(result.status, verb == "config" ? 0 : 1) << verb;
    EXPECT_THAT(result.out + result.err, AllOf(HasSubstr(absent), HasSubstr("`medsbench model fetch Org/None` fetches it")));
    EXPECT_EQ(result.out.find("tokens") != std::string::npos, verb == "config") << verb;  // of a plan: counts
  }
  const auto dry = said("run", "pretrain = \"nano-qwen3.toml\"", "path = \"Org/None\"", {"--dry-run"});
  EXPECT_EQ(dry.status, 1);
  EXPECT_THAT(dry.err, HasSubstr(absent));
}

TEST_F(Messages, RunBeginsNothingWhereAnythingIsFound) {
  const auto result = said("run", "buffer = 0", "buffer = 48", {"--out", path("out")});
  expect_refused(result, "error: " + line(13) + "overlong.buffer: ", "overlong.buffer = 12 (0: off)");
  EXPECT_FALSE(std::filesystem::exists(path("out")));
  EXPECT_FALSE(std::filesystem::exists(path("models")));
}

TEST_F(Messages, APlanHasATableOfSeedsAndAnHonestTimeOfAGpu) {
  const auto result =
      said("plan", "[data]", "[numerics]\ndevice = \"cuda\"\ndtype = \"bf16\"\n[data]", {"--device-memory", "80 GB"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr(" h on one "));
  EXPECT_THAT(result.out, HasSubstr("(assumed: passes reach 45 to 20 % of its "));
  EXPECT_THAT(result.out, HasSubstr("training seeds a row (--seeds)"));
  EXPECT_THAT(result.out, HasSubstr("one comparison alone"));
}

}  // namespace
}  // namespace experiments
