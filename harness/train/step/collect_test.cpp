#include "harness/train/step/collect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/core/files.h"
#include "harness/reward/overlong.h"
#include "harness/train/testing.h"

namespace harness {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

// Right for no response, or for problems 0 and 3 as the first character says.
class RarelyRight : public FirstCharacterGrader {
 public:
  explicit RarelyRight(bool ever) : ever_(ever) {}
  [[nodiscard]] Verdict grade(std::string_view response, const Problem& problem) const override {
    Verdict verdict = FirstCharacterGrader::grade(response, problem);
    if (!ever_ || (problem.id != "toy-0" && problem.id != "toy-3")) verdict.correctness = Correctness::wrong;
    return verdict;
  }

 private:
  bool ever_;
};

struct Collecting {
  explicit Collecting(const ToyRun& toy) : policy(toy.policy()), prompts(toy.prompts()) {
    for (const Problem& problem : toy.problems) prompt_ids.push_back(prompts.ids(problem.text));
  }
  Collected collect(const ToyRun& toy, const Grader& grader, DataCursor& cursor, bool fingerprints = false) const {
    const CollectInputs inputs{toy.settings, prompts, grader, toy.problems, prompt_ids, fingerprints};
    return collect_groups(*policy, inputs, cursor, 1);
  }
  std::unique_ptr<Transformer> policy;
  PromptMaker prompts;
  std::vector<std::vector<int64_t>> prompt_ids;
};

TEST(CollectGroups, OverlongShapingReachesTheRewardAndNotTheVerdict) {
  ToyRun toy;
  toy.settings.overlong_buffer = 6;
  toy.settings.overlong_factor = 0.5;
  DataCursor cursor;
  const Collected collected = Collecting(toy).collect(toy, toy.grader, cursor);
  int64_t penalised = 0;
  for (const RolloutGroup& group : collected.groups) {
    for (size_t k = 0; k < group.samples.size(); ++k) {
      const Sample& sample = group.samples[k];
      EXPECT_EQ(sample.correct, group.verdicts[k].correctness == Correctness::right);
      const auto excess = static_cast<double>(group.responses[k].tokens() - 2);
      EXPECT_DOUBLE_EQ(sample.reward, (sample.correct ? 1.0 : 0.0) - std::max(0.0, excess / 6 * 0.5));
      penalised += excess > 0 ? 1 : 0;
    }
  }
  EXPECT_GT(penalised, 0);
}

TEST(CollectGroups, TheFilterKeepsMixedGroupsOnly) {
  ToyRun toy;
  toy.settings.filter.enabled = true;
  toy.settings.responses_per_prompt = 3;
  DataCursor cursor;
  const Collected collected = Collecting(toy).collect(toy, toy.grader, cursor);
  ASSERT_EQ(collected.groups.size(), 3u);
  EXPECT_FALSE(collected.starved);
  EXPECT_EQ(collected.groups_generated, 3 * collected.gen_batches);
  EXPECT_EQ(collected.responses_generated, 3 * collected.groups_generated);
  for (size_t g = 0; g < 3; ++g) {
    EXPECT_TRUE(collected.groups[g].mixed());
    for (const Sample& sample : collected.groups[g].samples) EXPECT_EQ(sample.group, static_cast<int64_t>(g));
  }
}

TEST(CollectGroups, TheSameProblemMetAgainIsSampledWithOtherDraws) {
  ToyRun toy;
  toy.settings.prompts_per_step = 6;
  toy.settings.responses_per_prompt = 8;
  DataCursor cursor;
  const Collecting collecting(toy);
  const Collected first = collecting.collect(toy, toy.grader, cursor), second = collecting.collect(toy, toy.grader, cursor);
  EXPECT_EQ(cursor.epoch, 1);
  std::map<int64_t, std::vector<int64_t>> ids;
  for (const RolloutGroup& group : first.groups) ids[group.problem] = group.responses[0].ids;
  EXPECT_EQ(ids.size(), 6u);  // an epoch holds each problem once
  int64_t other = 0;
  for (const RolloutGroup& group : second.groups) other += group.responses[0].ids != ids.at(group.problem) ? 1 : 0;
  EXPECT_GE(other, 3);
  for (const auto& [problem, visits] : cursor.visits) EXPECT_EQ(visits, 2);
}

TEST(CollectGroups, AStarvedStepStopsWithWhatWasFound) {
  ToyRun toy;
  toy.settings.filter.enabled = true;
  toy.settings.filter.max_gen_batches = 4;
  const std::string file = toy.run_folder() + "/starved.txt";
  const Collecting collecting(toy);
  const RarelyRight never(false);
  CollectInputs inputs{toy.settings, collecting.prompts, never, toy.problems, collecting.prompt_ids};
  inputs.starved_file = file;
  const std::string error = error_of([&] {
    DataCursor cursor;
    collect_groups(*collecting.policy, inputs, cursor, 1);
  });
  const std::string line = error.substr(0, error.find('\n'));
  EXPECT_THAT(line, HasSubstr("step 1: expected 3 groups with right and wrong responses within 4 batches"));
  EXPECT_THAT(line,
              ContainsRegex("found 0: of 72 responses 0 right, [0-9]+ wrong, [0-9]+ without an answer, [0-9]+ cut off; "));
  EXPECT_THAT(line, HasSubstr("filter.on_starved"));
  EXPECT_THAT(error, ContainsRegex("\ncut off \\([0-9]+ of 72\\), for example:\n  problem:  [0-9]\\+[0-9]\\?\n  answer:   "));
  EXPECT_EQ(read_file(file), error + "\n");
}

TEST(CollectGroups, CountsOneSidedGroupsRepeatedMistakesAndWhatASecondGraderSees) {
  ToyRun toy;
  toy.settings.prompts_per_step = 6;
  toy.settings.alarms.second_share = 0.5;
  const Collecting collecting(toy);
  const RarelyRight rarely(true);
  CollectInputs inputs{toy.settings, collecting.prompts, toy.grader, toy.problems, collecting.prompt_ids};
  inputs.second_grader = &rarely;
  DataCursor cursor;
  const Collected collected = collect_groups(*collecting.policy, inputs, cursor, 1);
  int64_t mixed = 0, answers = 0, repeated = 0;
  for (const RolloutGroup& group : collected.groups) {
    mixed += group.mixed() ? 1 : 0;
    for (const Sample& one : group.samples) {
      if (one.correct || !one.has_answer) continue;
      ++answers;
      const auto same = std::count_if(group.samples.begin(), group.samples.end(), [&](const Sample& other) {
        return !other.correct && other.has_answer && other.answer == one.answer;
      });
      repeated += same > 1 ? 1 : 0;
    }
  }
  EXPECT_EQ(collected.groups_mixed, mixed);
  EXPECT_EQ(collected.wrong_answers, answers);
  EXPECT_EQ(collected.repeated_wrong_answers, repeated);
  EXPECT_GT(repeated, 0);
  EXPECT_LT(repeated, answers);
  EXPECT_GT(collected.graded_twice, 9);  // of 36, half of them: each limit is below 1e-3 off by chance, and the draws are fixed
  EXPECT_LT(collected.graded_twice, 27);
  EXPECT_GT(collected.graders_disagree, 0);  // right for four of six problems by the one grader alone
  EXPECT_LT(collected.graders_disagree, collected.graded_twice);
}

TEST(CollectGroups, AStarvedStepGoesOnWithPartOrSkips) {
  ToyRun toy;
  toy.settings.filter.enabled = true;
  toy.settings.filter.max_gen_batches = 2;  // each of the six problems once: at most two mixed groups
  toy.settings.filter.on_starved = "partial";
  DataCursor cursor;
  const Collected partial = Collecting(toy).collect(toy, RarelyRight(true), cursor);
  EXPECT_TRUE(partial.starved);
  EXPECT_EQ(partial.groups.size(), 2u);
  EXPECT_EQ(partial.gen_batches, 2);
  toy.settings.filter.on_starved = "skip";
  DataCursor again;
  const Collected skipped = Collecting(toy).collect(toy, RarelyRight(true), again);
  EXPECT_TRUE(skipped.starved);
  EXPECT_TRUE(skipped.groups.empty());
  EXPECT_EQ(skipped.responses_generated, partial.responses_generated);
}

// <W_lm[token], h_l> of the token that follows a response's box, by a forward pass over the whole response; empty without one.
std::vector<float> readout_by_hand(const Transformer& policy, const RolloutGroup& group, size_t k, int64_t box) {
  const std::vector<int64_t>& ids = group.responses[k].ids;
  const auto at = std::find(ids.begin(), ids.end(), box);
  if (at == ids.end() || at + 1 == ids.end()) return {};
  PackedBatch batch;
  std::vector<int64_t> all = group.prompt;
  all.insert(all.end(), ids.begin(), ids.end());
  batch.add(all);
  std::vector<torch::Tensor> layers;
  policy.forward(batch, nullptr, false, &layers);
  const auto row = static_cast<int64_t>(group.prompt.size()) + (at - ids.begin());  // whose next token is the answer's
  std::vector<float> readout;
  for (const torch::Tensor& states : layers) readout.push_back(states[row].dot(policy.head()[at[1]]).item<float>());
  return readout;
}

TEST(CollectGroups, FingerprintsAreTheReadoutOfTheAnswerTokenWorkedByHand) {
  ToyRun toy(4);
  toy.settings.prompts_per_step = 6;
  toy.settings.responses_per_prompt = 12;
  const Collecting collecting(toy);
  const int64_t box = collecting.prompts.tokenizer().encode("\\boxed{").at(0);
  for (const LayerChoice& choice : {layer_choice("last2"), layer_choice("last1", true)}) {
    toy.settings.fingerprint.layers = choice;
    DataCursor cursor;
    const Collected collected = collecting.collect(toy, toy.grader, cursor, true);
    int64_t with = 0, without = 0;
    for (const RolloutGroup& group : collected.groups) {
      for (size_t k = 0; k < group.samples.size(); ++k) {
        const std::vector<int64_t>& ids = group.responses[k].ids;
        if (std::count(ids.begin(), ids.end(), box) > 1) continue;  // which box counts is the rule's
        EXPECT_EQ(group.responses[k].readout.at(0), 0.0f) << "a layer that nobody reads is recorded";
        const std::vector<float> readout = readout_by_hand(*collecting.policy, group, k, box);
        const std::vector<float>& found = group.samples[k].fingerprint;
        ++(readout.empty() ? without : with);
        if (readout.empty()) {
          EXPECT_TRUE(found.empty());
          continue;
        }
        const std::vector<float> expected =
            choice.differences ? std::vector<float>{readout[3] - readout[2]} : std::vector<float>{readout[2], readout[3]};
        ASSERT_EQ(found.size(), expected.size());
        for (size_t l = 0; l < expected.size(); ++l) EXPECT_NEAR(found[l], expected[l], 1e-5);
        EXPECT_TRUE(group.samples[k].readout.empty());
      }
    }
    EXPECT_GT(with, 5);
    EXPECT_GT(without, 5);
  }
}

TEST(CollectGroups, MeanReadoutsAreTheMeansOfAllLayersOverTheTokens) {
  const ToyRun toy;
  const Collecting collecting(toy);
  CollectInputs inputs{toy.settings, collecting.prompts, toy.grader, toy.problems, collecting.prompt_ids};
  inputs.mean_readouts = true;
  DataCursor cursor;
  for (const RolloutGroup& group : collect_groups(*collecting.policy, inputs, cursor, 1).groups) {
    for (size_t k = 0; k < group.samples.size(); ++k) {
      const SampledResponse& response = group.responses[k];
      const size_t layers = static_cast<size_t>(collecting.policy->config().layers);
      ASSERT_EQ(group.samples[k].mean_readout.size(), layers);
      for (size_t l = 0; l < layers; ++l) {
        double sum = 0;
        for (int64_t t = 0; t < response.tokens(); ++t) sum += response.readout[static_cast<size_t>(t) * layers + l];
        EXPECT_FLOAT_EQ(group.samples[k].mean_readout[l], static_cast<float>(sum / static_cast<double>(response.tokens())));
      }
      EXPECT_TRUE(group.samples[k].fingerprint.empty());
    }
  }
}

}  // namespace
}  // namespace harness
