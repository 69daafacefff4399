// What the check of a whole experiment finds, and that it finds nothing where nothing is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "experiments/cli/every_method.h"
#include "experiments/cli/testing.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/testing.h"
#include "harness/cuda/device.h"
#include "harness/experiment/check/check_experiment.h"
#include "harness/plan/experiment_plan.h"

namespace experiments {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// A sound experiment on a model that is made here; lines are numbered from the empty first.
const std::string kSound = R"(
seeds = [1, 2]
[models.m]
pretrain = "nano-qwen3.toml"
[table]
k = [1, 4]
[data]
train = ["nano"]
[train]
steps = 36
prompts_per_step = 16
mini_batch_prompts = 4
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
name = "Base"
untrained = true
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

class Check : public ScratchExperiment {
 protected:
  // Lines of what is found. `options`: with a run folder of the test's own.
  std::vector<std::string> lines(const std::string& text, std::vector<std::string> sets = {}, double device_memory = 0) const {
    return lines_of(scratch_.write("e.toml", text), std::move(sets), device_memory);
  }
  std::vector<std::string> lines_of(const std::string& file, std::vector<std::string> sets = {},
                                    double device_memory = 0) const {
    harness::ExperimentOptions options;
    options.runs = path("out");
    options.workers = 1;
    sets.push_back("run.models=\"" + path("models") + "\"");
    options.sets = std::move(sets);
    std::vector<std::string> lines;
    for (const harness::Finding& finding :
         harness::check_experiment(harness::read_experiment(file, options, this_program()), this_program(), {device_memory})) {
      lines.push_back(harness::finding_text(finding));
    }
    return lines;
  }
  std::string file() const { return path("e.toml"); }
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST_F(Check, FindsNothingInASoundExperiment) {
  EXPECT_THAT(lines(kSound), IsEmpty());
  EXPECT_THAT(lines(replaced(kSound, "k = [1, 4]\n", "")), IsEmpty());  // no k above eval.n where none is given
}

TEST_F(Check, FindsNoErrorWithAnyMethodAsItComes) {
  std::string rows = kSound;
  for (const harness::MethodEntry& entry : every_method().entries()) {
    if (entry.name != "dapo" && entry.name != "meds") {
      rows += fmt::format("[[rows]]\nname = \"{0}\"\nbase = \"{1}\"\nmethod.name = \"{0}\"\n", entry.name, entry.base);
    }
  }
  for (const std::string& line : lines(rows)) EXPECT_THAT(line, Not(StartsWith("error")));
}

struct Mistake {
  std::string set, line;  // --set, and the beginning of the line that is found, after its place
};

void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.set; }

class Mistakes : public Check, public testing::WithParamInterface<Mistake> {};

TEST_P(Mistakes, AreFoundWithTheWayOut) {
  EXPECT_THAT(lines(kSound, {GetParam().set}), ElementsAre(HasSubstr(GetParam().line)));
}

INSTANTIATE_TEST_SUITE_P(
    All, Mistakes,
    testing::Values(
        Mistake{
            "overlong.buffer=48",
            "error: --set: overlong.buffer: expected fewer tokens than sampling.max_new_tokens (48), found 48: every response "
            "is penalised, one of a single token by 0.02, and the training is of short responses; overlong.buffer = 12 (0: "
            "off), or more sampling.max_new_tokens (rows DAPO, MEDS)"},
        Mistake{"table.published=nosuch.toml", "error: --set: table.published: expected the file "},
        Mistake{"run.also=[\"nosuch.toml\"]", "error: --set: run.also: expected the file "},
        Mistake{"table.k=[1, 16]",
                "error: --set: table.k: expected at most eval.n (4), found 16; table.k = [1, 4], or eval.n = 16"},
        Mistake{
            "table.primary=[\"average pass@16\"]",
            "error: --set: table.primary: expected a column of the table that is compared, found \"average pass@16\"; table.k "
            "needs 16"},
        Mistake{"table.primary=[\"gsm8k pass@1\"]", "found \"gsm8k pass@1\"; the sets are average, nano/lin, "},
        Mistake{"table.primary=[\"average updates\"]", "found \"average updates\"; of average are compared: answer_entropy, "},
        Mistake{"train.mini_batch_prompts=32",
                "error: --set: train.mini_batch_prompts: expected at most train.prompts_per_step (16), found 32; "
                "train.mini_batch_prompts = 16 is one update a step (rows DAPO, MEDS)"},
        Mistake{"train.responses_per_prompt=1",
                "error: --set: train.responses_per_prompt: expected at least 2 beside filter.enabled, found 1"},
        Mistake{"sampling.top_k=1", "warning: --set: sampling.top_k: expected more than one token to choose from, found 1"},
        Mistake{"optimizer.warmup_updates=144",
                "warning: --set: optimizer.warmup_updates: expected fewer than the 144 updates of the training, found 144"},
        Mistake{"reward.grader=nosuch", "reward.grader: "},
        Mistake{"eval.graders=[\"recipe\", \"nosuch\"]", "error: --set: eval.graders: "},
        Mistake{"data.test=[\"math-500\"]",
                "error: --set: data.test: math-500: no such problem set (`medsbench data list` names "
                "them); the nearest is math500"},
        Mistake{"data.test=[\"nosuch.jsonl\"]", "error: --set: data.test: nosuch.jsonl: "},
        Mistake{"data.test=[\"dapo17k\"]", "error: --set: data.test: dapo17k: expected one of the splits train, found test"},
        Mistake{"data.test=[\"gsm8k\"]", "missing: --set: data.test: gsm8k: expected gsm8k_test.jsonl"},
        Mistake{"data.test=[\"nano/prec:train\"]",
                "warning: --set: data.test: expected problems that are not trained on, found "},
        Mistake{"sampling.max_new_tokens=256",
                "error: --set: sampling.max_new_tokens: expected fewer tokens than the 256 positions of m, found 256"},
        Mistake{"prompt.prompt_tokens=209",
                "warning: --set: prompt.prompt_tokens: expected at most 208, which the 256 positions of m leave beside 48 "
                "tokens of "
                "a response, found 209"},
        Mistake{"train.steps=2", "each of "}));

TEST_F(Check, MissesAGpuThatIsNotHere) {
  if (harness::cuda::find_devices().count > 0) GTEST_SKIP() << "a GPU is here";
  EXPECT_THAT(lines(kSound, {"numerics.device=cuda"}),
              ElementsAre(StartsWith("missing: --set: numerics.device: expected a GPU of this machine, found none: ")));
}

TEST_F(Check, FindsTheGroupOfOneAlsoWithoutAFilterButNotWhereTheMethodNeedsNoGroup) {
  const std::vector<std::string> sets = {"train.responses_per_prompt=1", "filter.enabled=false"};
  EXPECT_THAT(lines(kSound, sets),
              Contains(HasSubstr("an advantage is the difference to the rest of its group, and there is none")));
  std::vector<std::string> alone = sets;
  alone.push_back("method.name=nsr");
  EXPECT_THAT(lines(kSound, alone), Not(Contains(HasSubstr("responses_per_prompt"))));
}

TEST_F(Check, AsksTheMethodWhetherItsGroupsAreLargeEnough) {
  EXPECT_THAT(lines(kSound, {"method.name=pkpo", "method.k=9"}),
              ElementsAre(HasSubstr("method.k: expected at most the 8 responses of a group, found 9")));
}

TEST_F(Check, NamesTheLineOfTheFileAndFindsAllAtOnceErrorsFirst) {
  std::string text = replaced(kSound, "k = [1, 4]", "k = [1, 16]");
  text = replaced(text, "buffer = 0", "buffer = 512");
  text = replaced(text, "mini_batch_prompts = 4", "mini_batch_prompts = 17");
  text = replaced(text, "steps = 36", "steps = 3");
  EXPECT_THAT(lines(text), ElementsAre(StartsWith("error: " + file() + ": line 6: table.k: "),
                                       StartsWith("error: " + file() + ": line 12: train.mini_batch_prompts: "),
                                       StartsWith("error: " + file() + ": line 17: overlong.buffer: "),
                                       StartsWith("warning: " + file() + ": line 10: train.steps: ")));
}

TEST_F(Check, NamesTheBaseWhereTheFileSetsNothing) {
  EXPECT_THAT(lines(replaced(kSound, "[overlong]\nbuffer = 0\n", "")),
              ElementsAre(StartsWith("error: " + file() +
                                     ": overlong.buffer (base dapo): expected fewer tokens than "
                                     "sampling.max_new_tokens (48), found 512")));
}

TEST_F(Check, FindsARowComparedWithOtherSeedsOrItself) {
  EXPECT_THAT(lines(kSound + "seeds = [7, 8]\n"),
              ElementsAre(AllOf(StartsWith("warning: " + file() +
                                           ": line 34: compare_to: expected a row that shares training "
                                           "seeds, found DAPO with 1, 2 against 7, 8"),
                                HasSubstr("(row MEDS)"))));
  EXPECT_THAT(lines(replaced(kSound, "compare_to = \"DAPO\"", "compare_to = \"MEDS\"")),
              ElementsAre(HasSubstr("compare_to: expected another row, found the row itself")));
  EXPECT_THAT(lines(replaced(kSound, "compare_to = \"DAPO\"", "compare_to = \"Base\"")), IsEmpty());
}

TEST_F(Check, FindsARowThatNamesNoMethod) {
  EXPECT_THAT(
      lines(replaced(kSound, "method.name = \"dapo\"\n", "")),
      ElementsAre(AllOf(HasSubstr("method.name (default): expected the name of a method, found none: the base dapo alone "
                                  "is trained"),
                        HasSubstr("(row DAPO)"))));
}

TEST_F(Check, CountsAVisitOnlyForMethodsThatRemember) {
  const std::vector<std::string> found = lines(kSound, {"train.steps=2"});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0], AllOf(HasSubstr("(row MEDS)"), HasSubstr("the memory of meds has nothing to act on")));
  // What it proposes is enough.
  std::smatch match;
  ASSERT_TRUE(std::regex_search(found[0], match, std::regex("train.steps = ([0-9]+), or data.train_limit = ([0-9]+)")));
  EXPECT_THAT(lines(kSound, {"train.steps=" + match[1].str()}), IsEmpty());
  EXPECT_THAT(lines(kSound, {"train.steps=" + std::to_string(std::stoi(match[1]) - 1)}), Not(IsEmpty()));
}

TEST_F(Check, FindsErrorLabelsThatAMethodNeedsAndTheSetLacks) {
  scratch_.write("own.jsonl", "{\"problem\": \"1 + 1\", \"answer\": \"2\"}\n{\"problem\": \"1 + 2\", \"answer\": \"3\"}\n");
  const std::string own = "[\"" + path("own.jsonl") + "\"]";
  const std::vector<std::string> found =
      lines(kSound + "method.cluster = \"labels\"\n", {"data.train=" + own, "data.test=[\"nano\"]"});
  EXPECT_THAT(found, Contains(HasSubstr("data.train: expected problems with true error labels")));
  // The same file for both is a test of memory.
  EXPECT_THAT(lines(kSound, {"data.train=" + own, "data.test=" + own, "method.name=dapo"}),
              ElementsAre(HasSubstr("found 2 of 2 of own.jsonl among those of data.train")));
}

TEST_F(Check, SaysOfAnAbsentModelWhatRunSays) {
  const std::string text = replaced(kSound, "pretrain = \"nano-qwen3.toml\"", "path = \"Qwen/None-0.5B\"");
  const std::string absent = file() + ": line 4: models.m.path: expected the model Qwen/None-0.5B as the folder " +
                             path("models") +
                             "/None-0.5B or in the hub's cache (`medsbench model fetch Qwen/None-0.5B` "
                             "fetches it), found none";
  EXPECT_THAT(lines(text), ElementsAre(StartsWith("error: " + absent)));
  EXPECT_THAT(lines(replaced(text, "\"Qwen/None-0.5B\"",
                             "\"Qwen/None-0.5B\"\nshape = \"" + source_file("tests/testdata/tiny-qwen3") + "\"")),
              ElementsAre("missing: " + absent));
  // Beside another model its rows fail and the others go on.
  EXPECT_THAT(lines(replaced(kSound, "[models.m]", "[models.gone]\npath = \"Qwen/None-0.5B\"\n[models.m]")),
              Contains(AllOf(StartsWith("warning: "), HasSubstr("models.gone.path: expected the model Qwen/None-0.5B"))));
}

TEST_F(Check, FindsATokenizerInWhichThePositionRuleMissesTheBox) {
  fs::copy(source_file("tests/testdata/tiny-qwen3"), path("tiny"));
  const std::string text =
      replaced(kSound, "pretrain = \"nano-qwen3.toml\"", "path = \"" + path("tiny") + "\"\npositions = 256");
  EXPECT_THAT(lines(text), IsEmpty());  // "boxed" is one token
  const std::string tokenizer_file = path("tiny/tokenizer.json");
  harness::Json tokenizer = harness::parse_json(harness::read_file(tokenizer_file));
  harness::Json merges = harness::Json::array();
  for (const harness::Json& merge : tokenizer["model"]["merges"]) {
    std::string joined =
        merge.is_array() ? merge[0].get<std::string>() + merge[1].get<std::string>() : merge.get<std::string>();
    std::erase(joined, ' ');
    if (joined != "boxed") merges.push_back(merge);
  }
  ASSERT_EQ(merges.size() + 1, tokenizer["model"]["merges"].size());
  tokenizer["model"]["merges"] = merges;
  harness::write_file_atomically(tokenizer_file, tokenizer.dump());
  EXPECT_THAT(lines(text),
              ElementsAre(AllOf(HasSubstr("fingerprint.position (default): expected a rule that finds \\boxed{ in the "
                                          "tokens of m, found one that misses it in "),
                                HasSubstr("fingerprint.position = \"last_box\" reads the text (row MEDS)"))));
  EXPECT_THAT(lines(text, {"fingerprint.position=last_box"}), IsEmpty());
  fs::remove(path("tiny/tokenizer_config.json"));
  EXPECT_THAT(lines(text, {"fingerprint.position=last_box", "prompt.template=model"}),
              Contains(AllOf(StartsWith("error: --set: prompt.template: "))));
}

TEST_F(Check, ProposesTheSizesThatFitTheMemoryOfADevice) {
  const std::string paper = paper_file("qwen3-1.7b");
  const auto memory_lines = [&](double bytes, std::vector<std::string> sets) {
    std::vector<std::string> of_memory;
    for (const std::string& line : lines_of(paper, std::move(sets), bytes)) {
      if (line.find(" of a GPU, found ") != std::string::npos) of_memory.push_back(line);
    }
    return of_memory;
  };
  const std::vector<std::string> large = {"train.micro_batch_responses=0", "train.recompute_activations=false"};
  EXPECT_THAT(memory_lines(10e12, large), IsEmpty());
  const std::vector<std::string> found = memory_lines(80e9, large);
  ASSERT_THAT(found,
              ElementsAre(AllOf(StartsWith("warning: --set: train.micro_batch_responses: expected a training within 80.0 GB "
                                           "of a GPU, found "),
                                HasSubstr("(row GRPO)"))));
  std::smatch match;
  ASSERT_TRUE(std::regex_search(found[0], match, std::regex("train.micro_batch_responses = ([0-9]+) fits"))) << found[0];
  const auto with = [&](int64_t micro_batch) {
    return std::vector<std::string>{"train.micro_batch_responses=" + std::to_string(micro_batch),
                                    "train.recompute_activations=false"};
  };
  EXPECT_THAT(memory_lines(80e9, with(std::stoi(match[1]))), IsEmpty());
  EXPECT_THAT(memory_lines(80e9, with(std::stoi(match[1]) + 1)), Not(IsEmpty()));
  EXPECT_THAT(memory_lines(8e9, large), Contains(AllOf(StartsWith("error: "), HasSubstr("train.offload_optimizer"))));
}

}  // namespace
}  // namespace experiments
