#include "harness/experiment/jobs/eval_job.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/data/problem_file.h"
#include "harness/experiment/jobs/folder.h"
#include "harness/experiment/jobs/identity.h"
#include "harness/experiment/jobs/settings.h"
#include "harness/experiment/jobs/start.h"
#include "harness/reward/all_graders.h"
#include "harness/sweep/progress.h"

namespace harness {

namespace {

namespace fs = std::filesystem;

// Samples that an earlier, smaller n left in the folder, if they belong to this configuration.
std::vector<Outcome> earlier_outcomes(const std::string& folder, const std::string& identity, int64_t& n) {
  n = 0;
  const auto done = read_done(folder);
  if (!done || (*done)["identity"] != identity) return {};
  const std::string file = folder + "/outcomes.jsonl.zst";
  if (!fs::exists(file)) return {};
  n = integer_field(*done, "n");
  return read_outcomes(file).outcomes;
}

// Leaves out the problems whose prompts are longer than prompt.prompt_tokens; returns how many.
int64_t drop_long_prompts(std::vector<ProblemSet>& sets, const PromptMaker& prompts) {
  size_t dropped = 0;
  for (ProblemSet& set : sets) {
    dropped += std::erase_if(set.problems, [&](const Problem& problem) {
      return std::ssize(prompts.ids(problem.text)) > prompts.settings().prompt_tokens;
    });
  }
  return static_cast<int64_t>(dropped);
}

// The problems that the job answers.
std::vector<ProblemSet> problems_of(const EvalJob& job) {
  if (job.trial_problems == 0) return job.data.source->load(job.data.test, "test");
  std::vector<ProblemSet> sets = job.data.source->load(job.data.train, "train");
  int64_t all = 0, at = 0;
  for (const ProblemSet& set : sets) all += std::ssize(set.problems);
  const int64_t wanted = std::min(job.trial_problems, all);
  for (ProblemSet& set : sets) {
    std::erase_if(set.problems, [&](const Problem&) {
      ++at;
      return at * wanted / all == (at - 1) * wanted / all;
    });
  }
  return sets;
}

// The responses of another evaluation graded anew: nothing is sampled.
std::vector<Outcome> regraded(const EvalJob& job, const std::vector<ProblemSet>& sets) {
  std::map<std::string, const Problem*> problems;
  for (const ProblemSet& set : sets) {
    for (const Problem& problem : set.problems) problems[problem.set + "/" + problem.id] = &problem;
  }
  const Graders graders(job.settings.graders);
  std::vector<Outcome> outcomes = read_outcomes(job.outcomes + "/outcomes.jsonl.zst").outcomes;
  std::erase_if(outcomes, [&](const Outcome& outcome) { return outcome.sample >= job.settings.n; });
  for (Outcome& outcome : outcomes) {
    const auto found = problems.find(outcome.set + "/" + outcome.problem);
    if (found == problems.end()) {
      throw Error("{}: expected outcomes of this evaluation's problems, found {} of {}", job.outcomes, outcome.problem,
                  outcome.set);
    }
    graders.grade(outcome, *found->second);
  }
  return outcomes;
}

}  // namespace

std::vector<Outcome> merge_samples(std::vector<Outcome> stored, std::vector<Outcome> fresh, int64_t before, int64_t n) {
  std::vector<Outcome> all;
  const size_t problems = fresh.size() / static_cast<size_t>(n - before);
  for (size_t p = 0; p < problems; ++p) {
    for (int64_t s = 0; s < before; ++s)
      all.push_back(std::move(stored[p * static_cast<size_t>(before) + static_cast<size_t>(s)]));
    for (int64_t s = 0; s < n - before; ++s) {
      all.push_back(std::move(fresh[p * static_cast<size_t>(n - before) + static_cast<size_t>(s)]));
    }
  }
  return all;
}

void run_eval_job(const JobOptions& options, const Program& program) {
  Config config = Config::from_toml_file(options.file);
  for (const std::string& set : options.sets) config.set(set);
  ConfigReader keys(config);
  const EvalJob job = read_eval_job(keys, program);
  keys.finish();
  // n is no part of the identity: more samples add to what is there.
  const std::string identity = eval_identity(keys.effective());
  int64_t before = 0;
  std::vector<Outcome> old = earlier_outcomes(options.out, identity, before);
  if (before >= job.settings.n) {
    fmt::print(stderr, "{}: done already\n", options.out);
    return;
  }
  if (!job.outcomes.empty()) {
    const std::vector<ProblemSet> sets = problems_of(job);
    OutcomeFile file{job.settings.graders.front(), regraded(job, sets)};
    open_job_folder(options.out, "eval", identity, keys.effective());
    write_problems(options.out + "/" + kProblemFileName, sets);
    write_outcomes(options.out + "/outcomes.jsonl.zst", file);
    write_done(
        options.out, identity,
        {{"n", job.settings.n}, {"outcomes", file.outcomes.size()}, {"pass@1", share_right(file.outcomes, file.main_grader)}});
    return;
  }
  use_numerics(job.numerics.numerics, job.numerics.threads);
  const auto begin = std::chrono::steady_clock::now();
  const LoadedModel loaded = load_model(job.model_folder, job.numerics.numerics);
  const PromptMaker prompts(job.prompt, job.model_folder, loaded.model->config(), loaded.tokenizer);
  auto sets = problems_of(job);
  const int64_t dropped = drop_long_prompts(sets, prompts);
  open_job_folder(options.out, "eval", identity, keys.effective());
  EvalInputs inputs{prompts, {}, {}};
  auto reported = begin;
  inputs.on_warning = [](const std::string& warning) { fmt::print(stderr, "warning: {}\n", warning); };
  inputs.progress = [&](int64_t done, int64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (now - reported < std::chrono::milliseconds(500)) return;
    reported = now;
    write_progress(options.out, {static_cast<double>(done), static_cast<double>(total), "responses", ""});
  };
  std::vector<Outcome> fresh = evaluate(*loaded.model, sets, job.settings, inputs, before);
  OutcomeFile file{job.settings.graders.front(), merge_samples(std::move(old), std::move(fresh), before, job.settings.n)};
  OrderedJson facts{{"n", job.settings.n},
                    {"outcomes", file.outcomes.size()},
                    {"prompts_dropped", dropped},
                    {"pass@1", share_right(file.outcomes, file.main_grader)}};
  if (job.train_samples > 0) {
    EvalSettings train = job.settings;
    train.n = job.train_samples;
    train.fingerprints = false;
    train.store_ids = false;
    auto train_sets = job.data.source->load(job.data.train, "train");
    drop_long_prompts(train_sets, prompts);
    inputs.progress = {};
    facts["train_pass_rate"] = share_right(evaluate(*loaded.model, train_sets, train, inputs), file.main_grader);
  }
  write_problems(options.out + "/" + kProblemFileName, sets);
  write_outcomes(options.out + "/outcomes.jsonl.zst", file);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  write_timing(options.out, job.numerics.numerics.device, {{"all", seconds.count()}});
  write_done(options.out, identity, facts);
  fmt::print(stderr, "{}: {} outcomes, pass@1 {:.4f}\n", options.out, file.outcomes.size(), facts["pass@1"].get<double>());
}

}  // namespace harness
