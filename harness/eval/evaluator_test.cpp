#include "harness/eval/evaluator.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <new>

#include "harness/core/error.h"
#include "harness/model/files/testing.h"
#include "harness/text/tokenizer/character_tokenizer.h"

namespace harness {
namespace {

PromptSettings plain_prompts() {
  PromptSettings settings;
  settings.form = "plain";
  return settings;
}

class Evaluation : public testing::Test {
 protected:
  Evaluation() {
    model_.initialise(3);
    for (const char* name : {"one", "two"}) {
      ProblemSet set{name, {}};
      for (int i = 0; i < 3; ++i) {
        Problem problem;
        problem.id = fmt::format("{}-{}", name, i);
        problem.set = name;
        problem.kind = "sum";
        problem.text = fmt::format("{}+{}?", i, i + 2);
        problem.answer = fmt::format("{}", 2 * i + 2);
        problem.has_error_labels = true;
        problem.error_labels["1"] = "always one";
        set.problems.push_back(problem);
      }
      sets_.push_back(set);
    }
    settings_.n = 40;
    settings_.seed = 5;
    settings_.sampling.max_new_tokens = 10;
    settings_.training_seed = 9;
  }

  EvalInputs inputs() const { return {prompts_, {}, {}}; }
  std::vector<Outcome> evaluate_sets(int64_t first = 0) const { return evaluate(model_, sets_, settings_, inputs(), first); }

  static bool same(const Outcome& a, const Outcome& b) {
    return a.set == b.set && a.problem == b.problem && a.sample == b.sample && a.ids == b.ids && a.text == b.text &&
           a.verdicts == b.verdicts && a.error_label == b.error_label && a.mean_log_prob == b.mean_log_prob &&
           a.mean_entropy == b.mean_entropy && a.fingerprint == b.fingerprint && a.finish == b.finish;
  }

  std::shared_ptr<const Tokenizer> tokenizer_ =
      Tokenizer::from_json_text(character_tokenizer_json("0123456789+?{}", {"<end>"}, {"\\boxed{"}), "toy");
  Transformer model_{tiny_config(16), Numerics{}};
  PromptMaker prompts_{plain_prompts(), "toy", model_.config(), tokenizer_};
  std::vector<ProblemSet> sets_;
  EvalSettings settings_;
};

TEST_F(Evaluation, OutcomesComeInTheOrderOfSetProblemAndSample) {
  const auto outcomes = evaluate_sets();
  ASSERT_EQ(outcomes.size(), 2u * 3 * 40);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i].set, i < 120 ? "one" : "two");
    EXPECT_EQ(outcomes[i].problem, fmt::format("{}-{}", outcomes[i].set, i / 40 % 3));
    EXPECT_EQ(outcomes[i].sample, static_cast<int64_t>(i % 40));
    EXPECT_EQ(outcomes[i].seed, 9);
    EXPECT_EQ(outcomes[i].kind, "sum");
  }
}

TEST_F(Evaluation, MoreSamplesAddToWhatIsThere) {
  const auto all = evaluate_sets();
  settings_.n = 15;
  const auto few = evaluate_sets();
  settings_.n = 40;
  const auto rest = evaluate_sets(15);
  ASSERT_EQ(few.size() + rest.size(), all.size());
  for (size_t p = 0; p < 6; ++p) {
    for (size_t s = 0; s < 40; ++s) {
      EXPECT_TRUE(same(all[p * 40 + s], s < 15 ? few[p * 15 + s] : rest[p * 25 + s - 15])) << p << " " << s;
    }
  }
}

TEST_F(Evaluation, GoesOnWithHalfTheRowsWhereMemoryEnds) {
  const auto all = evaluate_sets();
  settings_.max_rows = 16;
  EvalInputs in = inputs();
  int calls = 0;
  // What progress throws comes from within the sampling, as what an allocator throws does.
  in.progress = [&](int64_t, int64_t) {
    if (++calls == 3 || calls == 5) throw c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, "CUDA out of memory.");
  };
  std::vector<std::string> warnings;
  in.on_warning = [&](const std::string& warning) { warnings.push_back(warning); };
  const auto again = evaluate(model_, sets_, settings_, in);
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_EQ(warnings[1], "evaluation: out of memory with 8 rows decoded at once, goes on with 4: CUDA out of memory.");
  ASSERT_EQ(again.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(same(all[i], again[i])) << i;
  in.progress = [](int64_t, int64_t) { throw std::bad_alloc(); };
  EXPECT_THROW(evaluate(model_, sets_, settings_, in), Error);
}

TEST_F(Evaluation, DoesNotDependOnRowsOrOnWhatElseIsEvaluated) {
  const auto all = evaluate_sets();
  settings_.max_rows = 7;
  const auto again = evaluate_sets();
  for (size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(same(all[i], again[i]));
  sets_.erase(sets_.begin());
  const auto alone = evaluate_sets();
  for (size_t i = 0; i < alone.size(); ++i) EXPECT_TRUE(same(alone[i], all[120 + i]));
}

TEST_F(Evaluation, TheSameTextInAnotherSetMeetsOtherDraws) {
  const auto outcomes = evaluate_sets();
  int64_t equal = 0;
  for (size_t i = 0; i < 120; ++i) equal += outcomes[i].ids == outcomes[120 + i].ids ? 1 : 0;
  EXPECT_LT(equal, 20);
}

TEST_F(Evaluation, AnOutcomeHoldsTheTextWithoutTheStopToken) {
  int64_t stopped = 0, cut = 0;
  for (const Outcome& outcome : evaluate_sets()) {
    EXPECT_EQ(outcome.tokens, static_cast<int64_t>(outcome.ids.size()));
    std::vector<int64_t> spoken = outcome.ids;
    if (outcome.finish == "stop") {
      EXPECT_EQ(spoken.back(), 0);
      spoken.pop_back();
      ++stopped;
    } else {
      EXPECT_EQ(outcome.tokens, 10);
      ++cut;
    }
    EXPECT_EQ(outcome.text, tokenizer_->decode(spoken));
    EXPECT_LT(outcome.mean_log_prob, 0);
    EXPECT_GT(outcome.mean_entropy, 0);
  }
  EXPECT_GT(stopped, 10);
  EXPECT_GT(cut, 10);
}

// <W_lm[t], h_l> for the token t after the first brace of the last box, h_l from a forward pass over what stands before it.
TEST_F(Evaluation, AnOutcomeHoldsTheChosenLayersOfItsAnswerToken) {
  const int64_t brace = tokenizer_->id_of("\\boxed{").value();
  for (const bool differences : {false, true}) {
    settings_.fingerprint.layers = layer_choice(differences ? "last1" : "last2", differences);
    int64_t boxed = 0;
    for (const Outcome& outcome : evaluate_sets()) {
      const auto box = std::find(outcome.ids.rbegin(), outcome.ids.rend(), brace);
      if (box == outcome.ids.rend() || box == outcome.ids.rbegin()) {
        EXPECT_TRUE(outcome.fingerprint.empty());
        continue;
      }
      const auto& set = sets_[outcome.set == "one" ? 0 : 1];
      const auto problem =
          std::find_if(set.problems.begin(), set.problems.end(), [&](const Problem& p) { return p.id == outcome.problem; });
      std::vector<int64_t> before = tokenizer_->encode(problem->text);
      before.insert(before.end(), outcome.ids.begin(), box.base());
      PackedBatch batch;
      batch.add(before);
      std::vector<torch::Tensor> layers;
      model_.forward(batch, nullptr, false, &layers);
      const auto value = [&](size_t l) {
        return layers[l][batch.rows() - 1].dot(model_.head()[*std::prev(box)]).item<double>();
      };
      if (differences) {
        ASSERT_EQ(outcome.fingerprint.size(), 1u);
        EXPECT_NEAR(outcome.fingerprint[0], value(2) - value(1), 1e-5);
      } else {
        ASSERT_EQ(outcome.fingerprint.size(), 2u);
        EXPECT_NEAR(outcome.fingerprint[0], value(1), 1e-5);
        EXPECT_NEAR(outcome.fingerprint[1], value(2), 1e-5);
      }
      ++boxed;
    }
    EXPECT_GT(boxed, 10);
  }
}

TEST_F(Evaluation, AWrongAnswerBearsItsTrueErrorLabel) {
  int64_t labelled = 0;
  for (const Outcome& outcome : evaluate_sets()) {
    if (outcome.correct("recipe") || !outcome.normalised) {
      EXPECT_EQ(outcome.error_label, "");
    } else {
      EXPECT_EQ(outcome.error_label, *outcome.normalised == "1" ? "always one" : "slip");
      ++labelled;
    }
  }
  EXPECT_GT(labelled, 5);
}

}  // namespace
}  // namespace harness
