// train: one training run in its folder.
#include <fmt/format.h>
#include <torch/types.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "baselines/all_methods.h"
#include "experiments/cli/cell.h"
#include "experiments/cli/cell_folder.h"
#include "experiments/cli/every_method.h"
#include "experiments/cli/rates.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/cuda/device.h"
#include "harness/ranks/processes.h"
#include "harness/ranks/ranks.h"
#include "harness/report/event_file.h"
#include "harness/sweep/progress.h"
#include "harness/train/states/heap.h"

namespace experiments {

namespace {

using harness::Config;
using harness::Error;

struct TrainOptions {
  std::string file, out;
  std::vector<std::string> sets;
  // Of the processes that the first one starts.
  int rank = 0;
  std::string rendezvous;
};

harness::EvalSettings validation_settings(const TrainCell& cell) {
  harness::EvalSettings s;
  s.n = cell.validation_samples;
  s.seed = 0;
  s.sampling = cell.settings.sampling;
  s.max_rows = cell.settings.max_rows;
  s.store_ids = false;
  s.fingerprints = false;
  s.graders = {cell.settings.grader};
  return s;
}

// events.out.tfevents...: metrics.jsonl as TensorBoard reads it, kept up to date while the training runs.
class LiveEvents {
 public:
  explicit LiveEvents(const std::string& folder)
      : metrics_(folder + "/metrics.jsonl"), path_(folder + "/" + harness::kEventFileName) {}

  // After the step's line was added to metrics.jsonl.
  void add(int64_t step, const harness::Metrics& metrics) {
    if (!begun_) return rewrite();  // what a killed run wrote after its last checkpoint goes
    std::map<std::string, double> values;
    for (const auto& [name, value] : metrics) {
      if (std::isfinite(value)) values[name] = value;
    }
    harness::append_to_file(path_, harness::event_record(step, values));
  }
  void rewrite() {
    const std::string events = harness::events_of_metrics(harness::read_file(metrics_), metrics_);
    begun_ = true;
    if (std::filesystem::exists(path_) && harness::read_file(path_) == events) return;
    harness::write_file_atomically(path_, events);
  }

 private:
  std::string metrics_, path_;
  bool begun_ = false;
};

// The responses of a validation, for those who want to read what the policy wrote at a step (and for `judge`).
void keep_validation(const std::string& folder, int64_t step, const std::string& grader,
                     const std::vector<harness::Outcome>& outcomes) {
  harness::make_folder(folder + "/validation");
  harness::write_outcomes(fmt::format("{}/validation/step{:06}.jsonl.zst", folder, step), {grader, outcomes});
}

void check_needs(const TrainCell& cell, const std::vector<harness::Problem>& problems) {
  if (!cell.needs.error_labels) return;
  for (const harness::Problem& problem : problems) {
    if (!problem.has_error_labels) {
      throw Error(
          "data.train: expected problems with true error labels (a procedural set), which the method needs; found {} "
          "of {} without",
          problem.id, problem.set);
    }
  }
}

void write_rendered_prompt(const std::string& folder, const harness::PromptMaker& prompts, const harness::Problem& problem) {
  const std::vector<int64_t> ids = prompts.ids(problem.text);
  const std::string text =
      fmt::format("problem {} of {}, {} tokens, stop ids {}\n---\n{}\n---\n{}\n", problem.id, problem.set, ids.size(),
                  fmt::join(prompts.stop_ids(), ","), prompts.render(problem.text), fmt::join(ids, " "));
  harness::write_file_atomically(folder + "/prompt.txt", text);
}

// Each of several processes has a GPU of its own, which becomes the current one: that of the kernels it starts.
void take_gpu(TrainCell& cell, int rank, c10::OptionalDeviceGuard& current) {
  torch::Device& device = cell.numerics.numerics.device;
  if (!device.is_cuda() || cell.processes == 1) return;
  check_device(cell.numerics.numerics);
  const int count = harness::cuda::find_devices().count;
  if (cell.processes > count) throw Error("train.processes: expected at most {}, one a GPU, found {}", count, cell.processes);
  device = torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(rank));
  current.reset_device(device);
}

// Starts the other processes of a training and meets them.
std::unique_ptr<harness::Ranks> start_ranks(const TrainOptions& options, const TrainCell& cell,
                                            harness::RankProcesses& others) {
  const auto size = static_cast<int>(cell.processes);
  const torch::Device device = cell.numerics.numerics.device;
  if (options.rank > 0) return harness::Ranks::meet(options.rendezvous, options.rank, size, device);
  const std::string file = options.out + "/rendezvous";
  std::filesystem::remove(file);
  for (int rank = 1; rank < size; ++rank) {
    std::vector<std::string> arguments = {"train",  options.file,         "--out",        options.out,
                                          "--rank", std::to_string(rank), "--rendezvous", file};
    for (const std::string& set : options.sets) arguments.insert(arguments.end(), {"--set", set});
    others.start(arguments, fmt::format("{}/process_{}.log", options.out, rank));
  }
  return harness::Ranks::meet(file, 0, size, device, [&] {
    harness::check_interrupt();
    others.check();
  });
}

// Trains; where another process ended, the error says how.
harness::TrainResult train_with(const TrainCell& cell, harness::RankProcesses& others,
                                const std::function<harness::TrainResult()>& body) {
  if (cell.processes == 1) return body();
  try {
    harness::TrainResult result = body();
    others.join();
    return result;
  } catch (const Error& error) {
    harness::check_interrupt();  // Ctrl-C reaches all: another process may have heeded it first
    const std::string why = others.first_failure();
    const auto noticed = [](const std::string& text) { return text.find(harness::kOneHasEnded) != std::string::npos; };
    if (why.empty() || (noticed(why) && !noticed(error.what()))) throw;  // what ended is this process, and it says how
    throw Error("{} ({})", error.what(), why);
  }
}

std::vector<harness::Problem> training_problems(const TrainCell& cell) {
  std::vector<harness::Problem> problems;
  for (const harness::ProblemSet& set : datasets::load_sets(cell.data.train, "train", cell.data.load)) {
    problems.insert(problems.end(), set.problems.begin(), set.problems.end());
  }
  check_needs(cell, problems);
  return problems;
}

void warn_of_few_visits(const TrainCell& cell, size_t problems) {
  const auto planned =
      static_cast<double>(cell.settings.steps * cell.settings.prompts_per_step) / static_cast<double>(problems);
  if (!cell.needs.fingerprints || planned >= 2) return;
  fmt::print(stderr, "warning: {} steps meet each problem {:.1f} times; a method with a memory needs problems to come back\n",
             cell.settings.steps, planned);
}

void show_step(const std::string& folder, int64_t step, int64_t steps, const harness::Metrics& metrics) {
  const auto value = [&](const char* name) { return metrics.contains(name) ? metrics.at(name) : 0.0; };
  const std::string note = fmt::format("pass {:.2f} entropy {:.3f} tokens {:.1f}", value("train_pass_rate"),
                                       value("sampling_entropy"), value("response_tokens"));
  harness::write_progress(folder, {static_cast<double>(step), static_cast<double>(steps), "steps", note});
  fmt::print(stderr, "step {}/{} {}\n", step, steps, note);
}

// What the folder of a training shows while it runs.
class FolderObserver : public harness::TrainObserver {
 public:
  FolderObserver(const std::string& folder, const TrainCell& cell, const harness::PromptMaker& prompts)
      : folder_(folder), cell_(cell), prompts_(prompts), events_(folder) {
    if (cell.settings.validate_every == 0) return;
    validation_ = datasets::load_sets(cell.data.validation, "validation", cell.data.load);
  }
  void on_step(int64_t step, const harness::Metrics& metrics) override {
    events_.add(step, metrics);
    show_step(folder_, step, cell_.settings.steps, metrics);
  }
  void on_warning(const std::string& warning) override { fmt::print(stderr, "warning: {}\n", warning); }
  harness::Metrics validate(int64_t step, const harness::Transformer& policy) override {
    harness::EvalInputs eval{prompts_.tokenizer(),
                             prompts_.stop_ids(),
                             [&](const harness::Problem& problem) { return prompts_.ids(problem.text); },
                             {},
                             {}};
    eval.on_warning = [&](const std::string& warning) { on_warning(warning); };
    const auto outcomes = harness::evaluate(policy, validation_, validation_settings(cell_), eval);
    keep_validation(folder_, step, cell_.settings.grader, outcomes);
    return {{"pass@1", mean_right(outcomes, cell_.settings.grader)}};
  }
  void finish() { events_.rewrite(); }

 private:
  std::string folder_;
  const TrainCell& cell_;
  const harness::PromptMaker& prompts_;
  LiveEvents events_;
  std::vector<harness::ProblemSet> validation_;
};

// timing.json and done.json; `all`: seconds of the whole.
void write_results(const TrainOptions& options, const TrainCell& cell, const std::string& identity,
                   const harness::TrainResult& result, double all) {
  harness::Seconds seconds = result.timing.total();
  seconds["all"] = all;
  const std::string device = cell.numerics.numerics.device.is_cuda() ? harness::cuda::find_devices().name : "";
  write_timing(options.out, cell.numerics.numerics.device, seconds, result.timing.windows(),
               rates_json(seconds, result.timing.total_work(), rate_peak(device, cell.numerics.numerics, cell.processes)));
  harness::OrderedJson facts{{"steps", result.state.step},
                             {"updates", result.updates},
                             {"tokens_generated", result.state.tokens_generated},
                             {"responses_generated", result.state.responses_generated},
                             {"responses_kept", result.state.responses_kept},
                             {"visits_per_problem", result.visits_per_problem},
                             {"largest_log_prob_difference", result.largest_log_prob_difference},
                             {"starved_steps", result.starved_steps},
                             {"prompts_dropped", result.prompts_dropped},
                             {"best_step", result.state.best_step},
                             {"best_validation", result.state.best_validation}};
  // What a want of memory left, where there was one.
  if (result.state.memory.micro_batch > 0) facts["micro_batch_responses"] = result.state.memory.micro_batch;
  if (result.state.memory.rows > 0) facts["max_rows"] = result.state.memory.rows;
  write_done(options.out, identity, facts);
}

int train_verb(const TrainOptions& options) {
  Config config = Config::from_toml_file(options.file);
  for (const std::string& set : options.sets) config.set(set);
  config = baselines::with_base(config, every_method());
  TrainCell cell = read_train_cell(config);
  config.finish();
  c10::OptionalDeviceGuard current;
  take_gpu(cell, options.rank, current);
  const std::string identity = cell_identity(config, "train");
  if (const auto done = read_done(options.out); done && (*done)["identity"] == identity) {
    fmt::print(stderr, "{}: done already\n", options.out);
    return 0;
  }
  use_threads(cell.numerics.threads);
  if (cell.settings.shard != harness::Shard::none && cell.numerics.numerics.device.is_cpu()) harness::give_back_freed_blocks();
  const auto begin = std::chrono::steady_clock::now();
  LoadedModel loaded = load_model(cell.model_folder, cell.numerics.numerics);
  const harness::PromptMaker prompts(cell.settings.prompt, cell.model_folder, loaded.model->config(), loaded.tokenizer);
  const auto grader = harness::make_grader(cell.settings.grader);
  harness::TrainerInputs inputs;
  inputs.settings = cell.settings;
  inputs.folder = options.out;
  inputs.identity = identity;
  inputs.model_folder = cell.model_folder;
  inputs.problems = training_problems(cell);
  if (options.rank == 0) {
    open_cell_folder(options.out, "train", identity, config);
    write_rendered_prompt(options.out, prompts, inputs.problems.front());
  }
  inputs.choose_layers = [&](std::span<const float> row) { return meds::choose_layers(row, cell.layers); };
  FolderObserver observer(options.out, cell, prompts);
  inputs.observer = &observer;
  if (options.rank == 0) warn_of_few_visits(cell, inputs.problems.size());
  harness::RankProcesses others;
  std::unique_ptr<harness::Ranks> ranks;
  const harness::TrainResult result = train_with(cell, others, [&] {
    if (cell.processes > 1) ranks = start_ranks(options, cell, others);
    inputs.ranks = ranks.get();
    std::jthread watch;  // a GPU does not notice that another process has ended
    if (cell.processes > 1 && options.rank == 0) watch = harness::watch_processes(others.running(), [&] { ranks->give_up(); });
    return harness::train(*loaded.model, cell.methods, prompts, *grader, inputs);
  });
  if (options.rank > 0) return 0;
  observer.finish();
  write_results(options, cell, identity, result,
                std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return 0;
}

}  // namespace

void add_train(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App* verb = app.add_subcommand("train", "one training run (what `run` starts for each cell)");
  verb->add_option("file", options->file, "TOML file of one row: model.folder, base, method.*, train.*, ...")->required();
  verb->add_option("--out", options->out, "run folder (default: runs/NAME of NAME.toml)");
  verb->add_option("--set", options->sets, "KEY=VALUE, over the file");
  verb->add_option("--rank", options->rank)->group("");
  verb->add_option("--rendezvous", options->rendezvous)->group("");
  verb->callback([&chosen, options] {
    if (options->out.empty()) options->out = default_run_folder(options->file);
    chosen = [options] { return train_verb(*options); };
  });
}

}  // namespace experiments
