#include "harness/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "harness/train/testing.h"

namespace harness {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

void expect_same_files(const std::string& a, const std::string& b) {
  const auto left = bytes_of(a), right = bytes_of(b);
  EXPECT_GE(left.size(), 6u);
  for (const auto& [name, content] : left) {
    ASSERT_TRUE(right.contains(name)) << name;
    EXPECT_TRUE(right.at(name) == content) << name << " differs";
  }
  EXPECT_EQ(left.size(), right.size());
}

void use_grpo(TrainSettings& settings) {
  settings.loss.kl_coef = 0.05;
  settings.loss.aggregation = Aggregation::seq_mean_token_mean;
}

void use_dapo(TrainSettings& settings) {
  settings.loss.clip_high = 0.28;
  settings.loss.dual_clip = 10;
  settings.filter.enabled = true;
  settings.overlong_buffer = 4;
  settings.optimizer.warmup_updates = 3;
}

struct Arm {
  std::string name;
  void (*use)(TrainSettings&);
  bool tally;
};

class Resumption : public testing::TestWithParam<Arm> {};

TEST_P(Resumption, TwoStepsThenTwoMoreEqualFourBitForBit) {
  ToyRun toy;
  GetParam().use(toy.settings);
  toy.train_in(toy.inputs("straight"), GetParam().tally);
  toy.settings.steps = 2;
  toy.train_in(toy.inputs("stopped"), GetParam().tally);
  // What a killed step leaves behind: lines after the checkpoint's, and half a checkpoint.
  append_to_file(toy.inputs("stopped").folder + "/metrics.jsonl", "{\"step\":3,\"loss\":1}\n{\"st");
  fs::create_directories(toy.inputs("stopped").folder + "/checkpoint.tmp");
  toy.settings.steps = 4;
  const TrainResult result = toy.train_in(toy.inputs("stopped"), GetParam().tally);
  fs::remove_all(toy.inputs("stopped").folder + "/checkpoint.tmp");
  expect_same_files(toy.inputs("straight").folder, toy.inputs("stopped").folder);
  EXPECT_EQ(result.state.step, 4);
  EXPECT_EQ(metrics_of(toy.inputs("stopped").folder).size(), 4u);
}

INSTANTIATE_TEST_SUITE_P(Arms, Resumption,
                         testing::Values(Arm{"grpo_with_kl", use_grpo, false}, Arm{"dapo", use_dapo, false},
                                         Arm{"a_method_with_state", use_dapo, true}),
                         [](const auto& info) { return info.param.name; });

TEST(Trainer, TheFirstRatioIsExactlyOne) {
  for (const auto use : {use_grpo, use_dapo}) {
    ToyRun toy;
    use(toy.settings);
    toy.settings.recompute_old_log_probs = true;
    const TrainResult result = toy.train_in(toy.inputs());
    for (const Json& line : metrics_of(toy.run_folder())) {
      EXPECT_EQ(line.at("first_log_ratio").get<double>(), 0.0);
      EXPECT_EQ(line.at("sampling_scoring_difference").get<double>(), 0.0);
      EXPECT_GT(line.at("grad_norm").get<double>(), 0.0);
    }
    EXPECT_EQ(result.largest_log_prob_difference, 0.0);
  }
}

TEST(Trainer, MeasuresSamplingAgainstScoringInEveryStep) {
  for (const bool strict : {true, false}) {
    ToyRun toy;
    toy.settings.optimizer.lr = 0;  // so that every update of a step is still before the first
    Numerics numerics;
    numerics.dtype = torch::kBFloat16;
    numerics.strict = strict;
    const auto policy = Transformer::load(toy.model_folder(), numerics);
    const TrainResult result = toy.train_policy(*policy, toy.inputs());
    double largest = 0;
    const auto lines = metrics_of(toy.run_folder());
    ASSERT_EQ(lines.size(), 4u);
    for (const Json& line : lines) largest = std::max(largest, line.at("first_log_ratio").get<double>());
    EXPECT_EQ(result.largest_log_prob_difference, largest);
    EXPECT_LT(largest, 0.5);
  }
}

class FingerprintMethod : public Method {
 public:
  [[nodiscard]] std::string name() const override { return "fingerprints"; }
  [[nodiscard]] Needs needs() const override {
    Needs needs;
    needs.fingerprints = true;
    return needs;
  }
};

TEST(Trainer, SaysOnceThatNoResponseHasAFingerprint) {
  ToyRun toy;
  toy.settings.sampling.max_new_tokens = 1;  // an answer for the grader, but no token after a box
  ToyObserver observer;
  TrainerInputs in = toy.inputs();
  in.observer = &observer;
  std::vector<std::unique_ptr<Method>> list;
  list.push_back(std::make_unique<FingerprintMethod>());
  MethodStack methods(std::move(list));
  const auto policy = toy.policy();
  train(*policy, methods, toy.prompts(), toy.grader, in);
  ASSERT_EQ(observer.warnings.size(), 1u);
  EXPECT_THAT(observer.warnings[0], testing::HasSubstr("fingerprint.position"));
}

TEST(Trainer, LearnsWhatIsRewarded) {
  ToyRun toy;
  for (Problem& problem : toy.problems) problem.answer = "02468";
  toy.settings.prompts_per_step = 6;
  toy.settings.mini_batch_prompts = 3;
  toy.settings.steps = 40;
  toy.settings.checkpoint_every = 40;
  toy.train_in(toy.inputs());
  const auto metrics = metrics_of(toy.run_folder());
  EXPECT_LT(metrics.front().at("rollout_pass_rate").get<double>(), 0.7);
  EXPECT_GT(metrics.back().at("rollout_pass_rate").get<double>(), 0.9);
}

TEST(Trainer, KeepsTheBestModelByValidationAlone) {
  ToyRun toy;
  toy.settings.validate_every = 1;
  ToyObserver observer;
  TrainerInputs in = toy.inputs();
  in.observer = &observer;
  std::vector<torch::Tensor> seen;
  observer.validation = [&](int64_t step, const Transformer& policy) {
    seen.push_back(policy.parameters()[0].value.clone());
    return Metrics{{"pass@1", std::vector<double>{0.2, 0.6, 0.6, 0.1}.at(static_cast<size_t>(step - 1))}};
  };
  const TrainResult result = toy.train_in(in);
  EXPECT_EQ(result.state.best_step, 2);
  EXPECT_EQ(result.state.best_validation, 0.6);
  const auto best = Transformer::load(toy.run_folder() + "/best", {}),
             last = Transformer::load(toy.run_folder() + "/model", {});
  EXPECT_TRUE(torch::equal(best->parameters()[0].value, seen[1]));
  EXPECT_TRUE(torch::equal(last->parameters()[0].value, seen[3]));
  EXPECT_EQ(metrics_of(toy.run_folder())[1].at("validation/pass@1").get<double>(), 0.6);
}

// Ends the training after a step, as a kill would; remembers what was warned of.
class EndingObserver : public TrainObserver {
 public:
  int64_t last = 0;
  std::vector<std::string> warnings;
  void on_step(int64_t step, const Metrics&) override {
    if (step == last) throw Error("ended after step {}", step);
  }
  void on_warning(const std::string& text) override { warnings.push_back(text); }
};

TEST(Trainer, KeepsTheModelsOfEvaluatedStepsAlsoThroughAStopAndMakesAMissingOneAgain) {
  ToyRun toy;
  const TrainResult plain = toy.train_in(toy.inputs("plain"));
  toy.settings.evaluated_steps = {0, 1, 3, 4};
  toy.train_in(toy.inputs("whole"));
  EndingObserver observer;
  TrainerInputs in = toy.inputs("ended");
  in.observer = &observer;
  observer.last = 2;
  EXPECT_THROW(toy.train_in(in), Error);
  observer.last = 0;
  toy.train_in(in);
  const auto bytes = [](const TrainerInputs& of, const std::string& name) { return read_file(of.folder + "/" + name); };
  const auto expect_as_whole = [&] {
    for (const std::string& name : {kept_model(1), kept_model(3), std::string("model")}) {
      EXPECT_EQ(bytes(in, name + "/model.safetensors"), bytes(toy.inputs("whole"), name + "/model.safetensors")) << name;
    }
    EXPECT_EQ(bytes(in, "metrics.jsonl"), bytes(toy.inputs("plain"), "metrics.jsonl"));
  };
  expect_as_whole();
  EXPECT_NE(bytes(in, kept_model(1) + "/model.safetensors"), bytes(in, kept_model(3) + "/model.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(in.folder + "/" + kept_model(4))) << "it is model/";
  EXPECT_TRUE(observer.warnings.empty());
  std::filesystem::remove_all(in.folder + "/" + kept_model(1));
  const TrainResult again = toy.train_in(in);
  EXPECT_EQ(again.state.tokens_generated, plain.state.tokens_generated);
  ASSERT_EQ(observer.warnings.size(), 1U);
  EXPECT_EQ(observer.warnings[0], "the model of step 1 is wanted and not there: trained anew");
  expect_as_whole();
}

TEST(Trainer, CountsInItsStateWhatItsMetricsCount) {
  ToyRun toy;
  use_dapo(toy.settings);
  toy.settings.responses_per_prompt = 2;  // groups of one colour are dropped
  const RunState state = toy.train_in(toy.inputs()).state;
  std::map<std::string, int64_t> sums;
  for (const Json& line : metrics_of(toy.run_folder())) {
    for (const auto& [name, value] : line.items()) sums[name] += static_cast<int64_t>(value.get<double>());
  }
  EXPECT_EQ(state.tokens_generated, sums.at("tokens_generated"));
  EXPECT_EQ(state.responses_generated, sums.at("responses_generated"));
  EXPECT_EQ(state.responses_kept, sums.at("responses_kept"));
  EXPECT_GT(state.responses_generated, state.responses_kept);
  EXPECT_GT(state.responses_kept, 0);
}

TEST(Trainer, ANaNStopsTheRunWithTheBatchNamed) {
  ToyRun toy;
  const auto model = toy.policy();
  model->parameters()[3].value.flatten()[0].fill_(std::nanf(""));
  const std::string error = error_of([&] { toy.train_policy(*model, toy.inputs()); });
  EXPECT_THAT(error, HasSubstr("step 1, mini-batch 1"));
  EXPECT_THAT(error, HasSubstr("expected a finite loss and gradient"));
  EXPECT_THAT(error, testing::Not(HasSubstr("\n")));
}

TEST(Trainer, ACheckpointOfAnotherConfigurationIsRefused) {
  ToyRun toy;
  toy.settings.steps = 1;
  toy.train_in(toy.inputs());
  const auto before = bytes_of(toy.run_folder());
  TrainerInputs in = toy.inputs();
  in.identity = "another configuration";
  EXPECT_THAT(error_of([&] { toy.train_in(in); }),
              HasSubstr("expected a checkpoint of configuration another conf, found one of toy config"));
  EXPECT_EQ(bytes_of(toy.run_folder()), before);
}

TEST(Trainer, ANewerOrDamagedCheckpointIsRefused) {
  ToyRun toy;
  toy.settings.steps = 1;
  toy.train_in(toy.inputs());
  const std::string state = toy.run_folder() + "/checkpoint/state.json",
                    tensors = toy.run_folder() + "/checkpoint/state.safetensors";
  const std::string text = read_file(state), bytes = read_file(tensors);
  Json newer = parse_json(text);
  newer["version"] = kCheckpointVersion + 1;
  write_file_atomically(state, dump_line(newer));
  EXPECT_THAT(error_of([&] { toy.train_in(toy.inputs()); }), HasSubstr("state.json: expected version <= 1, found 2"));
  write_file_atomically(state, text.substr(0, text.size() / 2));
  EXPECT_THAT(error_of([&] { toy.train_in(toy.inputs()); }), HasSubstr("state.json: expected JSON"));
  write_file_atomically(state, text);
  write_file_atomically(tensors, bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(error_of([&] { toy.train_in(toy.inputs()); }), HasSubstr("state.safetensors"));
}

// A limit on the size of files stands for a full disk; both make `write` fail.
TEST(Checkpoint, AFullDiskKeepsTheOldOneAndGivesOneLine) {
  ToyRun toy;
  toy.settings.steps = 1;
  toy.train_in(toy.inputs());
  const auto before = bytes_of(toy.run_folder() + "/checkpoint");
  const auto model = toy.policy();
  const Optimizer optimizer(*model, {});
  const MethodStack methods;
  RunState state;
  state.step = 2;

  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small{8192, limit.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string error =
      error_of([&] { save_checkpoint(toy.run_folder(), "toy configuration", state, optimizer, methods); });
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, old_handler);

  EXPECT_THAT(error, HasSubstr("state.safetensors"));
  EXPECT_THAT(error, HasSubstr("File too large"));
  EXPECT_THAT(error, testing::Not(HasSubstr("\n")));
  EXPECT_EQ(bytes_of(toy.run_folder() + "/checkpoint"), before);
  EXPECT_FALSE(fs::exists(toy.run_folder() + "/checkpoint.tmp"));
  save_checkpoint(toy.run_folder(), "toy configuration", state, optimizer, methods);
  EXPECT_NE(bytes_of(toy.run_folder() + "/checkpoint"), before);
}

}  // namespace
}  // namespace harness
