// eval: one evaluation: samples, grades and stores outcomes.
#include <fmt/format.h>
#include <torch/types.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "experiments/cli/cell.h"
#include "experiments/cli/cell_folder.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/sweep/progress.h"

namespace experiments {

namespace {

using harness::Config;
namespace fs = std::filesystem;

struct EvalOptions {
  std::string file, out;
  std::vector<std::string> sets;
};

// Samples that an earlier, smaller n left in the folder, if they belong to this configuration.
std::vector<harness::Outcome> earlier_outcomes(const std::string& folder, const std::string& identity, int64_t& n) {
  n = 0;
  const auto done = read_done(folder);
  if (!done || (*done)["identity"] != identity) return {};
  n = harness::integer_field(*done, "n");
  return harness::read_outcomes(folder + "/outcomes.jsonl.zst").outcomes;
}

// The stored samples of each problem followed by the new ones.
std::vector<harness::Outcome> merge(std::vector<harness::Outcome> old, std::vector<harness::Outcome> fresh, int64_t before,
                                    int64_t n) {
  std::vector<harness::Outcome> all;
  const size_t problems = fresh.size() / static_cast<size_t>(n - before);
  for (size_t p = 0; p < problems; ++p) {
    for (int64_t s = 0; s < before; ++s)
      all.push_back(std::move(old[p * static_cast<size_t>(before) + static_cast<size_t>(s)]));
    for (int64_t s = 0; s < n - before; ++s) {
      all.push_back(std::move(fresh[p * static_cast<size_t>(n - before) + static_cast<size_t>(s)]));
    }
  }
  return all;
}

// Leaves out the problems whose prompts are longer than prompt.prompt_tokens; returns how many.
int64_t drop_long_prompts(std::vector<harness::ProblemSet>& sets, const harness::PromptMaker& prompts) {
  size_t dropped = 0;
  for (harness::ProblemSet& set : sets) {
    dropped += std::erase_if(set.problems, [&](const harness::Problem& problem) {
      return std::ssize(prompts.ids(problem.text)) > prompts.settings().prompt_tokens;
    });
  }
  return static_cast<int64_t>(dropped);
}

// The responses of another evaluation graded anew: nothing is sampled.
std::vector<harness::Outcome> regraded(const EvalCell& cell, const std::vector<harness::ProblemSet>& sets) {
  std::map<std::string, const harness::Problem*> problems;
  for (const harness::ProblemSet& set : sets) {
    for (const harness::Problem& problem : set.problems) problems[problem.set + "/" + problem.id] = &problem;
  }
  std::vector<std::unique_ptr<harness::Grader>> graders;
  for (const std::string& name : cell.settings.graders) graders.push_back(harness::make_grader(name));
  std::vector<harness::Outcome> outcomes = harness::read_outcomes(cell.outcomes + "/outcomes.jsonl.zst").outcomes;
  std::erase_if(outcomes, [&](const harness::Outcome& outcome) { return outcome.sample >= cell.settings.n; });
  for (harness::Outcome& outcome : outcomes) {
    const auto found = problems.find(outcome.set + "/" + outcome.problem);
    if (found == problems.end()) {
      throw harness::Error("{}: expected outcomes of this evaluation's problems, found {} of {}", cell.outcomes,
                           outcome.problem, outcome.set);
    }
    outcome.verdicts.clear();
    for (size_t g = 0; g < graders.size(); ++g) {
      const harness::Verdict verdict = graders[g]->grade(outcome.text, *found->second);
      outcome.verdicts[graders[g]->name()] = verdict.correctness;
      if (g > 0) continue;
      outcome.extracted = verdict.extracted;
      outcome.normalised = verdict.normalised;
      outcome.error_label = harness::error_label(verdict, *found->second);
    }
  }
  return outcomes;
}

int eval_verb(const EvalOptions& options) {
  Config config = Config::from_toml_file(options.file);
  for (const std::string& set : options.sets) config.set(set);
  EvalCell cell = read_eval_cell(config);
  config.finish();
  // n is no part of the identity: more samples add to what is there.
  const std::string identity = eval_identity(config);
  int64_t before = 0;
  std::vector<harness::Outcome> old = earlier_outcomes(options.out, identity, before);
  if (before >= cell.settings.n) {
    fmt::print(stderr, "{}: done already\n", options.out);
    return 0;
  }
  if (!cell.outcomes.empty()) {
    harness::OutcomeFile file{cell.settings.graders.front(),
                              regraded(cell, datasets::load_sets(cell.data.sets, "test", cell.data.load))};
    open_cell_folder(options.out, "eval", identity, config);
    harness::write_outcomes(options.out + "/outcomes.jsonl.zst", file);
    write_done(
        options.out, identity,
        {{"n", cell.settings.n}, {"outcomes", file.outcomes.size()}, {"pass@1", mean_right(file.outcomes, file.main_grader)}});
    return 0;
  }
  use_threads(cell.numerics.threads);
  const auto begin = std::chrono::steady_clock::now();
  const LoadedModel loaded = load_model(cell.model_folder, cell.numerics.numerics);
  const harness::PromptMaker prompts(cell.prompt, cell.model_folder, loaded.model->config(), loaded.tokenizer);
  auto sets = datasets::load_sets(cell.data.sets, "test", cell.data.load);
  const int64_t dropped = drop_long_prompts(sets, prompts);
  open_cell_folder(options.out, "eval", identity, config);
  harness::EvalInputs inputs{*loaded.tokenizer,
                             prompts.stop_ids(),
                             [&](const harness::Problem& problem) { return prompts.ids(problem.text); },
                             [&](std::span<const float> row) { return meds::choose_layers(row, cell.layers); },
                             {}};
  auto reported = begin;
  inputs.on_warning = [](const std::string& warning) { fmt::print(stderr, "warning: {}\n", warning); };
  inputs.progress = [&](int64_t done, int64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (now - reported < std::chrono::milliseconds(500)) return;
    reported = now;
    harness::write_progress(options.out, {static_cast<double>(done), static_cast<double>(total), "responses", ""});
  };
  std::vector<harness::Outcome> fresh = harness::evaluate(*loaded.model, sets, cell.settings, inputs, before);
  harness::OutcomeFile file{cell.settings.graders.front(), merge(std::move(old), std::move(fresh), before, cell.settings.n)};
  harness::OrderedJson facts{{"n", cell.settings.n},
                             {"outcomes", file.outcomes.size()},
                             {"prompts_dropped", dropped},
                             {"pass@1", mean_right(file.outcomes, file.main_grader)}};
  if (cell.train_samples > 0) {
    harness::EvalSettings train = cell.settings;
    train.n = cell.train_samples;
    train.fingerprints = false;
    train.store_ids = false;
    auto train_sets = datasets::load_sets(cell.data.train, "train", cell.data.load);
    drop_long_prompts(train_sets, prompts);
    inputs.progress = {};
    facts["train_pass_rate"] = mean_right(harness::evaluate(*loaded.model, train_sets, train, inputs), file.main_grader);
  }
  harness::write_outcomes(options.out + "/outcomes.jsonl.zst", file);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  write_timing(options.out, cell.numerics.numerics.device, {{"all", seconds.count()}});
  write_done(options.out, identity, facts);
  fmt::print(stderr, "{}: {} outcomes, pass@1 {:.4f}\n", options.out, file.outcomes.size(), facts["pass@1"].get<double>());
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<EvalOptions>();
  CLI::App* verb = app.add_subcommand("eval", "one evaluation (what `run` starts for each cell)");
  verb->add_option("file", options->file, "TOML file: model.folder, data.test, eval.*, ...")->required();
  verb->add_option("--out", options->out, "folder for outcomes.jsonl.zst (default: runs/NAME of NAME.toml)");
  verb->add_option("--set", options->sets, "KEY=VALUE, over the file");
  verb->callback([&chosen, options] {
    if (options->out.empty()) options->out = default_run_folder(options->file);
    chosen = [options] { return eval_verb(*options); };
  });
}

}  // namespace experiments
