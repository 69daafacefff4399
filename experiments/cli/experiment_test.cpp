#include "experiments/cli/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "experiments/cli/base_model.h"
#include "experiments/cli/cell.h"
#include "experiments/cli/memory_plan.h"
#include "experiments/cli/notes.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/subprocess.h"
#include "harness/model/transformer.h"

namespace experiments {
namespace {

namespace fs = std::filesystem;
using harness::Config;
using testing::HasSubstr;

const std::string kSource = MEDSBENCH_SOURCE_DIR;
const std::vector<std::string> kPapers = {"qwen3-1.7b", "qwen2.5-math-7b", "qwen3-8b"};

std::string paper_file(const std::string& name) { return kSource + "/experiments/paper/" + name + ".toml"; }

// Every file below experiments/ that has base models and rows.
std::vector<std::string> committed_experiments() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(kSource + "/experiments")) {
    if (entry.path().extension() != ".toml") continue;
    const std::string text = harness::read_file(entry.path().string());
    if (text.find("\n[[rows]]") != std::string::npos && text.find("\n[models.") != std::string::npos) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class Scratch : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("medsbench_experiment_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  fs::path folder_;
};
using Experiments = Scratch;
using BaseModels = Scratch;

TEST(CellIdentity, HoldsTheNumberOfProcessesWhereThereAreSeveral) {
  const auto identity = [](int64_t processes) {
    Config config;
    if (processes > 0) config.integer("train.processes", processes);
    config.integer("train.steps", 3);
    return cell_identity(config, "train");
  };
  EXPECT_EQ(identity(1), identity(0));  // 0: a configuration from before the key
  EXPECT_NE(identity(2), identity(1));
  EXPECT_NE(identity(4), identity(2));
}

TEST(CellIdentity, HoldsSharedGradientsAndNotSharedOptimizersWhichTrainToTheSameBytes) {
  const auto identity = [](const std::string& shard) {
    Config config;
    config.integer("train.processes", 2);
    if (!shard.empty()) config.text("train.shard", shard, {"none", "optimizer", "gradients", "parameters"});
    return cell_identity(config, "train");
  };
  EXPECT_EQ(identity("none"), identity(""));
  EXPECT_EQ(identity("optimizer"), identity("none"));
  EXPECT_NE(identity("gradients"), identity("none"));
  EXPECT_EQ(identity("parameters"), identity("gradients"));
}

TEST(CellIdentity, HoldsAnOffloadedOptimizerOnAGpuWhereItRoundsOtherwise) {
  const auto identity = [](const std::string& device, bool offload) {
    Config config;
    config.text("numerics.device", device);
    config.boolean("train.offload_optimizer", offload);
    config.boolean("train.offload_reference", offload);
    return cell_identity(config, "train");
  };
  EXPECT_EQ(identity("cpu", true), identity("cpu", false));
  EXPECT_NE(identity("cuda", true), identity("cuda", false));
}

TEST(TrainCells, OffloadNothingOnTheCpuWhereItLiesAlready) {
  for (const std::string device : {"cpu", "cuda"}) {
    Config config = Config::from_toml_text("[model]\nfolder = \"none\"\n[numerics]\ndevice = \"" + device +
                                               "\"\n[train]\noffload_optimizer = true\noffload_reference = true\n",
                                           "test");
    const TrainCell cell = read_train_cell(config);
    EXPECT_EQ(cell.settings.optimizer.offload, device == "cuda");
    EXPECT_EQ(cell.settings.offload_reference, device == "cuda");
  }
}

TEST(TrainCells, RefuseSharedStatesOfOneProcess) {
  Config config = Config::from_toml_text("[model]\nfolder = \"none\"\n[train]\nshard = \"gradients\"\n", "test");
  try {
    read_train_cell(config);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const harness::Error& error) {
    EXPECT_THAT(std::string(error.what()), HasSubstr("train.shard = \"gradients\": expected train.processes > 1 beside it, found 1"));
  }
}

TEST(CommittedExperiments, ResolveToCellsWithoutDataOrModels) {
  const auto files = committed_experiments();
  ASSERT_GE(files.size(), 8u);
  for (const std::string& file : files) {
    Experiment experiment;
    ASSERT_NO_THROW(experiment = read_experiment_file(file, {})) << file;
    EXPECT_FALSE(all_cells(experiment).empty()) << file;
    ExperimentOptions small;
    small.scale = 0.01;
    ASSERT_NO_THROW(read_experiment_file(file, small)) << file;
  }
}

TEST(CommittedExperiments, ShowTheSetsThatTheirOutcomesAreOf) {
  for (const char* name : {"methods", "methods_tuning"}) {  // `nano` and `nano:validation`
    const Experiment experiment = read_experiment_file(kSource + "/experiments/" + name + ".toml", {});
    EXPECT_EQ(experiment.sets, (std::vector<std::string>{"nano/prec", "nano/mod", "nano/lin", "nano/seq", "nano/list"})) << name;
  }
}

TEST_F(Experiments, EveryCommittedOneIsPlannedByTheProgramWithoutData) {
  ::setenv("HF_HOME", path("none").c_str(), 1);
  ::unsetenv("MEDSBENCH_DATA");
  for (const std::string& file : committed_experiments()) {
    const auto result = harness::run_process({MEDSBENCH_PROGRAM, "plan", file});
    EXPECT_EQ(result.status, 0) << file << result.err;
    EXPECT_THAT(result.out, HasSubstr("peak")) << file;
  }
}

// The table of the paper's arms, as effective keys.
TEST(PaperExperiments, HaveTheSettingsOfThePublishedArms) {
  using Keys = std::map<std::string, std::string>;
  const Keys common = {{"train.steps", "100"},           {"train.prompts_per_step", "512"}, {"train.responses_per_prompt", "16"},
                       {"loss.clip_low", "0.2"},         {"optimizer.lr", "1e-06"},         {"optimizer.beta1", "0.9"},
                       {"optimizer.beta2", "0.999"},     {"optimizer.clip_norm", "1.0"},    {"optimizer.schedule", "\"constant\""},
                       {"prompt.prompt_tokens", "1024"}, {"reward.grader", "\"recipe\""},   {"sampling.temperature", "1.0"},
                       {"sampling.top_p", "1.0"},        {"sampling.top_k", "0"},           {"eval.n", "128"},
                       {"eval.max_new_tokens", "8192"},  {"eval.temperature", "1.0"},       {"overlong.factor", "1.0"}};
  const Keys dapo = {{"loss.clip_high", "0.28"},      {"loss.dual_clip", "10.0"},         {"loss.kl_coef", "0.0"},
                     {"loss.aggregation", "\"token_mean\""}, {"filter.enabled", "true"},  {"filter.max_gen_batches", "10"},
                     {"overlong.buffer", "512"},      {"train.mini_batch_prompts", "16"}, {"sampling.max_new_tokens", "3072"},
                     {"optimizer.weight_decay", "0.1"}, {"optimizer.warmup_updates", "320"}};
  Keys grpo = {{"loss.clip_high", "0.2"},       {"loss.dual_clip", "3.0"},          {"loss.kl_coef", "0.001"},
               {"loss.aggregation", "\"seq_mean_token_mean\""}, {"filter.enabled", "false"}, {"overlong.buffer", "0"},
               {"train.mini_batch_prompts", "32"}, {"sampling.max_new_tokens", "7168"}, {"optimizer.weight_decay", "0.01"},
               {"optimizer.warmup_updates", "0"}};
  Keys entropy = grpo;
  for (const auto& [key, value] : Keys{{"loss.dual_clip", "10.0"}, {"train.mini_batch_prompts", "16"}, {"sampling.max_new_tokens", "3072"},
                                       {"optimizer.weight_decay", "0.1"}, {"optimizer.warmup_updates", "320"},
                                       {"method.alpha", "0.4"}, {"method.kappa", "2.0"}}) {
    entropy[key] = value;
  }
  for (const std::string& paper : kPapers) {
    Keys meds = dapo;
    meds["method.alpha"] = paper == "qwen3-8b" ? "0.02" : "0.1";
    meds["method.beta"] = paper == "qwen3-8b" ? "0.04" : "0.2";
    meds["fingerprint.layers"] = "\"last14\"";
    meds["fingerprint.layer_diff"] = "false";
    meds["fingerprint.position"] = "\"reference\"";
    const std::map<std::string, Keys> arms = {{"DAPO", dapo}, {"GRPO", grpo}, {"GRPO + Entropy", entropy}, {"MEDS", meds}};
    const Experiment experiment = read_experiment_file(paper_file(paper), {});
    EXPECT_EQ(experiment.main_grader, "limo");
    EXPECT_EQ(experiment.sets, (std::vector<std::string>{"aime24", "amc23", "math500", "minerva", "olympiadbench"}));
    size_t seen = 0;
    for (const PlannedRow& row : experiment.rows) {
      const auto arm = arms.find(row.name);
      if (arm == arms.end()) continue;
      ++seen;
      const auto& effective = row.config.effective();
      for (const Keys* keys : {&common, &arm->second}) {
        for (const auto& [key, value] : *keys) {
          ASSERT_TRUE(effective.contains(key)) << paper << ", " << row.name << ": " << key;
          EXPECT_EQ(harness::to_toml(effective.at(key).value), value) << paper << ", " << row.name << ": " << key;
        }
      }
    }
    EXPECT_EQ(seen, 4u);
  }
}

TEST(PaperExperiments, SayWhichComparisonMixesARecipeWithAMethod) {
  const auto notes = recipe_notes(read_experiment_file(paper_file("qwen3-1.7b"), {}));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0],
            "GRPO differs from DAPO in its recipe too: optimizer.warmup_updates 0 (there 320), optimizer.weight_decay 0.01 (there "
            "0.1), sampling.max_new_tokens 7168 (there 3072), train.mini_batch_prompts 32 (there 16).");
}

TEST(PublishedNumbers, BelongToRowsAndColumnsOfThePapersExperimentsAndTheirAveragesReproduce) {
  Config file = Config::from_toml_file(kSource + "/experiments/paper/published.toml");
  size_t averages = 0;
  for (Config& entry : file.take_tables("rows")) {
    const std::string base = entry.required_text("base_model"), name = entry.required_text("name");
    const Experiment experiment = read_experiment_file(paper_file(base), {});
    EXPECT_TRUE(std::any_of(experiment.rows.begin(), experiment.rows.end(), [&](const PlannedRow& row) { return row.name == name; }))
        << base << ", " << name;
    double sum = 0;
    int sets = 0;
    for (const auto& [key, value] : entry.entries()) {
      if (!key.starts_with("values.")) continue;
      const std::string column = key.substr(7);
      const std::string set = column.substr(0, column.find(' '));
      EXPECT_TRUE(set == "average" || std::find(experiment.sets.begin(), experiment.sets.end(), set) != experiment.sets.end()) << key;
      EXPECT_TRUE(column.ends_with(" pass@1") || column.ends_with(" pass@128")) << key;
      if (set == "average" || !column.ends_with(" pass@1")) continue;
      sum += std::get<double>(value.value);
      ++sets;
    }
    if (sets != 5) continue;
    ++averages;
    EXPECT_NEAR(sum / sets, entry.number("values.average pass@1", 0), 0.0051) << name;  // rounded to two places
  }
  EXPECT_EQ(averages, 5u);
}

TEST(Scale, MultipliesWhatMakesARunLongAndKeepsUpdatesAndWarmUpInProportion) {
  Config config = Config::from_toml_text(
      "[train]\nsteps = 100\nprompts_per_step = 512\nmini_batch_prompts = 16\nresponses_per_prompt = 16\n[eval]\nn = 128\n"
      "[optimizer]\nwarmup_updates = 320\n",
      "test");
  const auto changed = apply_scale(config, 0.125);
  EXPECT_EQ(config.integer("train.steps", 0), 13);  // 12.5 rounded
  EXPECT_EQ(config.integer("train.prompts_per_step", 0), 64);
  EXPECT_EQ(config.integer("train.mini_batch_prompts", 0), 2);
  EXPECT_EQ(config.integer("train.responses_per_prompt", 0), 2);
  EXPECT_EQ(config.integer("eval.n", 0), 16);
  EXPECT_EQ(config.integer("optimizer.warmup_updates", 0), 42);  // 320 of 3200 updates as of 416: 41.6
  EXPECT_EQ(changed.size(), 6u);
  EXPECT_THAT(scale_note(0.125, {changed, changed}), HasSubstr("scaled by 0.125 (--scale): train.steps 100 to 13, "));

  Config tiny = Config::from_toml_text("[train]\nsteps = 3\n", "test");
  apply_scale(tiny, 1e-6);
  EXPECT_EQ(tiny.integer("train.steps", 0), 1);
  EXPECT_EQ(tiny.integer("train.responses_per_prompt", 0), 2);  // a group of one has no advantage
  EXPECT_EQ(tiny.integer("eval.n", 0), 1);
  EXPECT_EQ(reachable_k({1, 8, 128}, 8), (std::vector<int64_t>{1, 8}));
  EXPECT_EQ(reachable_k({1, 128}, 1), (std::vector<int64_t>{1}));
}

TEST(Scale, KeepsItsRunsAndResultsApart) {
  ExperimentOptions options;
  options.scale = 0.05;
  const Experiment scaled = read_experiment_file(paper_file("qwen3-8b"), options), whole = read_experiment_file(paper_file("qwen3-8b"), {});
  EXPECT_EQ(scaled.runs, whole.runs + "-scale0.05");
  EXPECT_EQ(scaled.results, whole.results + "-scale0.05");
  EXPECT_NE(scaled.rows.back().train.at(1).identity, whole.rows.back().train.at(1).identity);
  EXPECT_EQ(scaled.k, (std::vector<int64_t>{1, 2, 4, 6}));
}

TEST_F(BaseModels, AreFoundAsFoldersInTheModelsFolderAndInTheHubsCache) {
  const std::string cache = path("hub"), models = path("models");
  const auto environment = [&](const std::string& name) { return name == "HF_HUB_CACHE" ? cache : std::string(); };
  EXPECT_EQ(find_model("Org/Name", models, environment), "");
  const std::string snapshot = cache + "/models--Org--Name/snapshots/0123456789abcdef0123456789abcdef01234567";
  harness::make_folder(snapshot);
  harness::make_folder(cache + "/models--Org--Name/refs");
  harness::write_file_atomically(cache + "/models--Org--Name/refs/main", "0123456789abcdef0123456789abcdef01234567");
  harness::write_file_atomically(snapshot + "/config.json", "{}");
  EXPECT_EQ(find_model("Org/Name", models, environment), snapshot);
  harness::make_folder(models + "/Name");
  harness::write_file_atomically(models + "/Name/config.json", "{}");
  EXPECT_EQ(find_model("Org/Name", models, environment), models + "/Name");
  EXPECT_EQ(find_model(models + "/Name", "elsewhere", environment), models + "/Name");
  EXPECT_THAT(missing_model_text("Org/Other", models), HasSubstr("medsbench model fetch Org/Other"));
}

TEST_F(BaseModels, AreGivenMorePositionsInAFolderOfLinks) {
  harness::make_folder(path("own"));
  harness::write_file_atomically(path("own/config.json"), R"({"max_position_embeddings": 4096, "rope_theta": 10000.0})");
  harness::write_file_atomically(path("own/model.safetensors"), "weights");
  extend_positions(path("own"), path("more"), 9216);
  EXPECT_EQ(harness::read_file(path("more/model.safetensors")), "weights");
  EXPECT_TRUE(fs::is_symlink(path("more/model.safetensors")));
  const auto config = harness::parse_json(harness::read_file(path("more/config.json")));
  EXPECT_EQ(config["max_position_embeddings"], 9216);
  EXPECT_EQ(config["rope_theta"], 10000.0);
  EXPECT_THROW(extend_positions(path("own"), path("less"), 4096), harness::Error);
}

TEST(MemoryPlan, CountsTheParametersOfThePapersModels) {
  const std::map<std::string, double> known = {{"qwen3-1.7b", 1'720'574'976}, {"qwen2.5-math-7b", 7'615'616'512}, {"qwen3-8b", 8'190'735'360}};
  for (const auto& [name, count] : known) {
    EXPECT_EQ(parameter_count(harness::read_model_config(kSource + "/experiments/paper/shapes/" + name)), count) << name;
  }
}

TEST(MemoryPlan, AddsUpToWhatIsWorkedByHandForAStepOfAdamW) {
  MemorySettings s;
  s.shape = harness::read_model_config(kSource + "/experiments/paper/shapes/qwen3-1.7b");
  s.bf16 = s.cuda = true;
  s.reference = true;
  const double p = 1'720'574'976;
  const MemoryPlan plan = plan_memory(s);
  const MemoryPhase& optimiser = plan.phases.back();
  // Weights, masters, two moments, gradients, reference; a copy of the embedding's gradient in double.
  EXPECT_DOUBLE_EQ(optimiser.bytes(), p * (2 + 4 + 8 + 4 + 2) + 8.0 * 151936 * 2048);
  EXPECT_GT(plan.peak().bytes(), optimiser.bytes());
  s.recompute = true;
  EXPECT_LT(plan_memory(s).peak().bytes(), plan.peak().bytes());
}

TEST(MemoryPlan, PutsWhatIsOffloadedBesideTheDevice) {
  MemorySettings s;
  s.shape = harness::read_model_config(kSource + "/experiments/paper/shapes/qwen3-1.7b");
  s.bf16 = s.cuda = s.reference = true;
  const double p = 1'720'574'976, largest = 151936.0 * 2048;
  const double before = plan_memory(s).host_bytes;
  s.offload_optimizer = s.offload_reference = true;
  const MemoryPlan plan = plan_memory(s);
  // Weights and gradients; masters and moments have gone, and the reference is there for scoring alone.
  EXPECT_DOUBLE_EQ(plan.phases.back().bytes(), p * (2 + 4) + 8 * largest);
  // The host held masters and moments of a checkpoint before, too: the reference, and room for a piece of a gradient and of a
  // parameter.
  EXPECT_NEAR(plan.host_bytes - before, 2 * p + (4 + 2) * double{1 << 26}, 1);
  const auto scoring = std::find_if(plan.phases.begin(), plan.phases.end(), [](const auto& phase) { return phase.name == "scoring"; });
  ASSERT_NE(scoring, plan.phases.end());
  EXPECT_GT(scoring->bytes(), p * (2 + 4 + 2));
  // Of eight processes each scores an eighth of the responses.
  s.processes = 8;
  const MemoryPlan eighth = plan_memory(s);
  const auto share = std::find_if(eighth.phases.begin(), eighth.phases.end(), [](const auto& phase) { return phase.name == "scoring"; });
  EXPECT_NEAR(share->parts.back().bytes, scoring->parts.back().bytes / 8, scoring->parts.back().bytes / 1000);
  // With shared parameters the share that the layers are gathered from stays on the device; nothing else but gradients does.
  s.shared_optimizer = s.shared_gradients = s.shared_parameters = true;
  s.reference = s.offload_reference = false;
  EXPECT_DOUBLE_EQ(plan_memory(s).phases.back().bytes(), p * (2 + 4) / 8 + 8 * largest / 8);
}

TEST(MemoryPlan, GivesEachProcessItsShareAsWorkedByHand) {
  MemorySettings s;
  s.shape = harness::read_model_config(kSource + "/experiments/paper/shapes/qwen3-8b");  // its head is its own
  s.bf16 = s.cuda = s.reference = s.recompute = true;
  s.micro_batch = 8;
  s.processes = 8;
  s.rows = 32;
  const double p = 8'190'735'360, head = 151936.0 * 4096;
  const double norm = 8 * head;
  std::vector<double> optimiser, peak;
  for (int shared = 0; shared < 4; ++shared) {
    s.shared_optimizer = shared > 0;
    s.shared_gradients = shared > 1;
    s.shared_parameters = shared > 2;
    const MemoryPlan plan = plan_memory(s);
    optimiser.push_back(plan.phases.back().bytes());
    peak.push_back(plan.peak().bytes());
  }
  EXPECT_DOUBLE_EQ(optimiser[0], p * (2 + 4 + 8 + 4 + 2) + norm);
  EXPECT_DOUBLE_EQ(optimiser[1], p * (2 + 12 / 8.0 + 4 + 2) + norm);
  EXPECT_DOUBLE_EQ(optimiser[2], p * (2 + 16 / 8.0 + 2) + norm / 8);
  EXPECT_DOUBLE_EQ(optimiser[3], p * (16 + 2) / 8 + norm / 8);
  EXPECT_TRUE(std::is_sorted(peak.rbegin(), peak.rend()));
  EXPECT_LT(peak[3], peak[0] / 2);
}

// A folder of the hub's form: a tiny random Qwen3, a small byte-level tokenizer, the template of the family.
void write_tiny_qwen3(const std::string& folder) {
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
  const std::string text = kSource + "/harness/text/testdata/";
  fs::copy_file(text + "qwen2s.tokenizer.json", folder + "/tokenizer.json");
  fs::copy_file(text + "qwen3.jinja", folder + "/chat_template.jinja");
  harness::write_file_atomically(folder + "/tokenizer_config.json", "{}\n");
}

TEST_F(Experiments, OfThePaperRunsAtSmallScaleOnATinyQwen3) {
  write_tiny_qwen3(path("tiny"));
  std::vector<std::string> command = {MEDSBENCH_PROGRAM, "run", paper_file("qwen3-1.7b"), "--scale", "0.005", "--seeds", "1",
                                      "--jobs", "1", "--out", path("out")};
  for (const std::string& set :
       {"models.qwen3-1.7b.path=\"" + path("tiny") + "\"", std::string("numerics.device=\"cpu\""), std::string("numerics.dtype=\"fp32\""),
        std::string("data.train=[\"words\"]"), std::string("data.test=[\"words\"]"), std::string("data.limit=2"),
        std::string("sampling.max_new_tokens=6"), std::string("eval.max_new_tokens=6"), std::string("overlong.buffer=2"),
        std::string("filter.on_starved=\"partial\""), std::string("filter.max_gen_batches=1")}) {
    command.insert(command.end(), {"--set", set});
  }
  const auto result = harness::run_process(command);
  ASSERT_EQ(result.status, 0) << result.err;
  const std::string table = harness::read_file(path("out/results/table.md"));
  for (const char* row : {"| Base |", "| GRPO |", "| DAPO |", "| GRPO + Entropy |", "| MEDS |"}) EXPECT_THAT(table, HasSubstr(row));
  EXPECT_THAT(table, HasSubstr("scaled by 0.005 (--scale): train.steps 100 to 1, "));
  EXPECT_THAT(table, HasSubstr("GRPO differs from DAPO in its recipe too"));
  EXPECT_THAT(table, HasSubstr("Graded by limo; graded otherwise by math on "));
  const auto manifest = harness::parse_json(harness::read_file(path("out/results/experiment.json")));
  EXPECT_EQ(manifest["scale"], 0.005);
  EXPECT_EQ(harness::run_process({MEDSBENCH_PROGRAM, "verify", path("out/results")}).status, 0);
}

TEST_F(Experiments, LeaveOutPromptsThatAreTooLongAndSayHowMany) {
  write_tiny_qwen3(path("tiny"));
  const std::string longer(3000, 'x');
  harness::write_file_atomically(path("three.jsonl"), "{\"problem\": \"1 + 1\", \"answer\": \"2\"}\n{\"problem\": \"" + longer +
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
  const auto result = harness::run_process({MEDSBENCH_PROGRAM, "run", path("file.toml"), "--out", path("out"), "--data", folder_.string()});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(harness::read_file(path("out/results/table.md")),
              HasSubstr("Problems left out because their prompts are longer than 100 tokens: 1 (tiny, test)."));
  const std::string counts = harness::read_file(path("out/results/counts.csv"));
  EXPECT_EQ(std::count(counts.begin(), counts.end(), '\n'), 3) << counts;  // a heading and two problems
}

TEST_F(Experiments, OfThePaperNameTheModelAndTheDataThatAreMissing) {
  ::setenv("HF_HOME", path("none").c_str(), 1);
  ::unsetenv("MEDSBENCH_DATA");
  const std::vector<std::string> command = {MEDSBENCH_PROGRAM, "run", paper_file("qwen3-1.7b"), "--out", path("out"), "--set",
                                            "numerics.device=\"cpu\""};
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
