// What is trained and how.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "harness/core/error.h"
#include "harness/experiment/check/parts.h"
#include "harness/reward/all_graders.h"
#include "harness/reward/overlong.h"

namespace harness {

namespace {

std::optional<std::string> error_of_grader(const std::string& name) {
  try {
    make_grader(name);
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

void check_graders(const PlannedRow& row, FindingList& found) {
  const bool own = row.effective.at("eval.graders").origin != "default";  // else that of the reward
  const auto check = [&](const std::string& key, const std::string& name) {
    if (const auto error = error_of_grader(name)) found.add(row, key, {.what = *error});
  };
  if (own) {
    for (const std::string& name : row.eval_job->settings.graders) check("eval.graders", name);
  }
  if (!own || !row.untrained) check("reward.grader", row.train_job->settings.grader);
}

void check_overlong(const PlannedRow& row, FindingList& found) {
  const TrainSettings& s = row.train_job->settings;
  const int64_t limit = s.sampling.max_new_tokens;
  if (s.overlong_buffer < limit || s.overlong_buffer == 0 || s.overlong_factor == 0) return;
  found.add(row, "overlong.buffer",
            {.what = fmt::format("expected fewer tokens than sampling.max_new_tokens ({}), found {}: every response is "
                                 "penalised, one of a single token by {:.2f}, and the training is of short responses",
                                 limit, s.overlong_buffer, -overlong_penalty(1, limit, s.overlong_buffer, s.overlong_factor)),
             .way_out = fmt::format("overlong.buffer = {} (0: off), or more sampling.max_new_tokens",
                                    std::max<int64_t>(1, limit / 4) % limit)});
}

// Advantages of a group of which the first `right` responses are right, by methods made anew.
std::vector<double> advantages_of_group(const PlannedRow& row, const Program& program, int64_t responses, int64_t right) {
  const Config config("check", row.effective);
  ConfigReader keys(config);
  MethodStack methods = program.methods.make_stack(keys);
  StepBatch step;
  step.step = step.groups = 1;
  std::vector<double> scores;
  for (int64_t i = 0; i < responses; ++i) {
    Sample sample;
    sample.correct = i < right;
    sample.reward = sample.correct ? 1 : 0;
    sample.mean_readout = {1};  // never absent where a method needs it
    scores.push_back(sample.reward);
    step.samples.push_back(std::move(sample));
  }
  Metrics metrics;
  methods.shape_rewards(step, scores, metrics);
  return methods.advantages(step, scores);
}

void check_groups(const PlannedRow& row, const Program& program, FindingList& found) {
  const TrainJob& job = *row.train_job;
  const int64_t responses = job.settings.responses_per_prompt;
  const std::string key = "train.responses_per_prompt";
  try {
    advantages_of_group(row, program, responses, 1);
    // Whether what a right response is worth depends on the rest of its group.
    const bool relative =
        responses == 1 && advantages_of_group(row, program, 2, 1)[0] != advantages_of_group(row, program, 2, 2)[0];
    if (responses == 1 && job.settings.filter.enabled) {
      found.add(row, key,
                {.what = "expected at least 2 beside filter.enabled, found 1: no group has right and wrong responses, "
                         "and none is kept",
                 .way_out = key + " = 8, or filter.enabled = false with a method that needs no group"});
    } else if (relative) {
      found.add(row, key,
                {.what = "expected at least 2, found 1: an advantage is the difference to the rest of its group, and "
                         "there is none",
                 .way_out = key + " = 8"});
    }
  } catch (const Error& error) {
    found.add(row, key, {.what = error.what()});
  }
  if (job.settings.sampling.top_k == 1) {
    found.add(row, "sampling.top_k",
              {.severity = Severity::warning,
               .what = "expected more than one token to choose from, found 1: all responses of a group are the same",
               .way_out = "0 is off"});
  }
}

void check_batches(const PlannedRow& row, FindingList& found) {
  const TrainSettings& s = row.train_job->settings;
  const bool given = row.effective.at("train.mini_batch_prompts").origin != "default";
  if (given && s.mini_batch_prompts > s.prompts_per_step) {
    found.add(row, "train.mini_batch_prompts",
              {.what = fmt::format("expected at most train.prompts_per_step ({}), found {}", s.prompts_per_step,
                                   s.mini_batch_prompts),
               .way_out = fmt::format("train.mini_batch_prompts = {} is one update a step", s.prompts_per_step)});
  }
  const int64_t updates = s.steps * ((s.prompts_per_step + s.mini_batch_prompts - 1) / s.mini_batch_prompts);
  if (s.optimizer.warmup_updates >= updates) {
    found.add(row, "optimizer.warmup_updates",
              {.severity = Severity::warning,
               .what = fmt::format("expected fewer than the {} updates of the training, found {}: the learning rate never "
                                   "reaches optimizer.lr",
                                   updates, s.optimizer.warmup_updates),
               .way_out = fmt::format("optimizer.warmup_updates = {}", updates / 20)});
  }
}

void check_method(const PlannedRow& row, FindingList& found) {
  if (row.effective.at("method.name").origin != "default") return;
  const std::string base = std::get<std::string>(row.effective.at("base").value);
  found.add(row, "method.name",
            {.severity = Severity::warning,
             .what = fmt::format("expected the name of a method, found none: the base {} alone is trained", base),
             .way_out = fmt::format("method.name = \"{}\" says so", base)});
}

}  // namespace

void check_trainings(const Experiment& experiment, const Program& program, FindingList& found) {
  for (const PlannedRow& row : experiment.rows) {
    check_graders(row, found);
    if (row.untrained) continue;
    check_overlong(row, found);
    check_groups(row, program, found);
    check_batches(row, found);
    check_method(row, found);
  }
}

}  // namespace harness
