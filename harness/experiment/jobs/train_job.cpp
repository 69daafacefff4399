#include "harness/experiment/jobs/train_job.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/cuda/device.h"
#include "harness/experiment/jobs/folder.h"
#include "harness/experiment/jobs/identity.h"
#include "harness/experiment/jobs/rates.h"
#include "harness/experiment/jobs/settings.h"
#include "harness/experiment/jobs/start.h"
#include "harness/ranks/processes.h"
#include "harness/ranks/ranks.h"
#include "harness/report/event_file.h"
#include "harness/reward/all_graders.h"
#include "harness/sweep/progress.h"
#include "harness/train/states/heap.h"

namespace harness {

namespace {

EvalSettings validation_settings(const TrainJob& job) {
  EvalSettings s;
  s.n = job.validation_samples;
  s.seed = 0;
  s.sampling = job.settings.sampling;
  s.max_rows = job.settings.max_rows;
  s.store_ids = false;
  s.fingerprints = false;
  s.graders = {job.settings.grader};
  return s;
}

// events.out.tfevents...: metrics.jsonl as TensorBoard reads it, kept up to date while the training runs.
class LiveEvents {
 public:
  explicit LiveEvents(const std::string& folder) : metrics_(folder + "/metrics.jsonl"), path_(folder + "/" + kEventFileName) {}

  // After the step's line was added to metrics.jsonl.
  void add(int64_t step, const Metrics& metrics) {
    if (!begun_) return rewrite();  // what a killed run wrote after its last checkpoint goes
    std::map<std::string, double> values;
    for (const auto& [name, value] : metrics) {
      if (std::isfinite(value)) values[name] = value;
    }
    append_to_file(path_, event_record(step, values));
  }
  void rewrite() {
    const std::string events = events_of_metrics(read_file(metrics_), metrics_);
    begun_ = true;
    if (std::filesystem::exists(path_) && read_file(path_) == events) return;
    write_file_atomically(path_, events);
  }

 private:
  std::string metrics_, path_;
  bool begun_ = false;
};

// The responses of a validation, for those who want to read what the policy wrote at a step (and for `judge`).
void keep_validation(const std::string& folder, int64_t step, const std::string& grader, const std::vector<Outcome>& outcomes) {
  make_folder(folder + "/validation");
  write_outcomes(fmt::format("{}/validation/step{:06}.jsonl.zst", folder, step), {grader, outcomes});
}

void check_needs(const TrainJob& job, const std::vector<Problem>& problems) {
  if (!job.needs.error_labels) return;
  for (const Problem& problem : problems) {
    if (!problem.has_error_labels) {
      throw Error(
          "data.train: expected problems with true error labels (a procedural set), which the method needs; found {} "
          "of {} without",
          problem.id, problem.set);
    }
  }
}

void write_rendered_prompt(const std::string& folder, const PromptMaker& prompts, const Problem& problem) {
  const std::vector<int64_t> ids = prompts.ids(problem.text);
  const std::string text =
      fmt::format("problem {} of {}, {} tokens, stop ids {}\n---\n{}\n---\n{}\n", problem.id, problem.set, ids.size(),
                  fmt::join(prompts.stop_ids(), ","), prompts.render(problem.text), fmt::join(ids, " "));
  write_file_atomically(folder + "/prompt.txt", text);
}

// Each of several processes has a GPU of its own, which becomes the current one: that of the kernels it starts.
void take_gpu(TrainJob& job, int rank, c10::OptionalDeviceGuard& current) {
  torch::Device& device = job.numerics.numerics.device;
  if (!device.is_cuda() || job.processes == 1) return;
  check_device(job.numerics.numerics);
  const int count = cuda::find_devices().count;
  if (job.processes > count) throw Error("train.processes: expected at most {}, one a GPU, found {}", count, job.processes);
  device = torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(rank));
  current.reset_device(device);
}

// Starts the other processes of a training and meets them.
std::unique_ptr<Ranks> start_ranks(const TrainJobOptions& options, const TrainJob& job, RankProcesses& others) {
  const auto size = static_cast<int>(job.processes);
  const torch::Device device = job.numerics.numerics.device;
  if (options.rank > 0) return Ranks::meet(options.rendezvous, options.rank, size, device);
  const std::string file = options.out + "/rendezvous";
  std::filesystem::remove(file);
  for (int rank = 1; rank < size; ++rank) {
    std::vector<std::string> arguments = {"train",  options.file,         "--out",        options.out,
                                          "--rank", std::to_string(rank), "--rendezvous", file};
    for (const std::string& set : options.sets) arguments.insert(arguments.end(), {"--set", set});
    others.start(arguments, fmt::format("{}/process_{}.log", options.out, rank));
  }
  return Ranks::meet(file, 0, size, device, [&] {
    check_interrupt();
    others.check();
  });
}

// Trains; where another process ended, the error says how.
TrainResult train_with(const TrainJob& job, RankProcesses& others, const std::function<TrainResult()>& body) {
  if (job.processes == 1) return body();
  try {
    TrainResult result = body();
    others.join();
    return result;
  } catch (const Error& error) {
    check_interrupt();  // Ctrl-C reaches all: another process may have heeded it first
    const std::string why = others.first_failure();
    const auto noticed = [](const std::string& text) { return text.find(kOneHasEnded) != std::string::npos; };
    if (why.empty() || (noticed(why) && !noticed(error.what()))) throw;  // what ended is this process, and it says how
    throw Error("{} ({})", error.what(), why);
  }
}

std::vector<Problem> training_problems(const TrainJob& job) {
  std::vector<Problem> problems;
  for (const ProblemSet& set : job.data.source->load(job.data.train, "train")) {
    problems.insert(problems.end(), set.problems.begin(), set.problems.end());
  }
  check_needs(job, problems);
  return problems;
}

void warn_of_few_visits(const TrainJob& job, size_t problems) {
  const auto planned = static_cast<double>(job.settings.steps * job.settings.prompts_per_step) / static_cast<double>(problems);
  if (!job.needs.fingerprints || planned >= 2) return;
  fmt::print(stderr, "warning: {} steps meet each problem {:.1f} times; a method with a memory needs problems to come back\n",
             job.settings.steps, planned);
}

void show_step(const std::string& folder, int64_t step, int64_t steps, const Metrics& metrics) {
  const auto value = [&](const char* name) { return metrics.contains(name) ? metrics.at(name) : 0.0; };
  const std::string note = fmt::format("pass {:.2f} entropy {:.3f} tokens {:.1f}", value("rollout_pass_rate"),
                                       value("sampling_entropy"), value("response_tokens"));
  write_progress(folder, {static_cast<double>(step), static_cast<double>(steps), "steps", note});
  fmt::print(stderr, "step {}/{} {}\n", step, steps, note);
}

// What the folder of a training shows while it runs.
class FolderObserver : public TrainObserver {
 public:
  FolderObserver(const std::string& folder, const TrainJob& job, const PromptMaker& prompts)
      : folder_(folder), job_(job), prompts_(prompts), events_(folder) {
    if (job.settings.validate_every > 0) validation_ = job.data.source->load(job.data.validation, "validation");
  }
  void on_step(int64_t step, const Metrics& metrics) override {
    events_.add(step, metrics);
    show_step(folder_, step, job_.settings.steps, metrics);
  }
  void on_warning(const std::string& warning) override { fmt::print(stderr, "warning: {}\n", warning); }
  Metrics validate(int64_t step, const Transformer& policy) override {
    const EvalInputs eval{prompts_, {}, [&](const std::string& warning) { on_warning(warning); }};
    const auto outcomes = evaluate(policy, validation_, validation_settings(job_), eval);
    keep_validation(folder_, step, job_.settings.grader, outcomes);
    return {{"pass@1", share_right(outcomes, job_.settings.grader)}};
  }
  void finish() { events_.rewrite(); }

 private:
  std::string folder_;
  const TrainJob& job_;
  const PromptMaker& prompts_;
  LiveEvents events_;
  std::vector<ProblemSet> validation_;
};

// timing.json and done.json; `all`: seconds of the whole.
void write_results(const TrainJobOptions& options, const TrainJob& job, const std::string& identity, const TrainResult& result,
                   double all) {
  Seconds seconds = result.timing.total();
  seconds["all"] = all;
  const std::string device = job.numerics.numerics.device.is_cuda() ? cuda::find_devices().name : "";
  write_timing(options.out, job.numerics.numerics.device, seconds, result.timing.windows(),
               rates_json(seconds, result.timing.total_work(), rate_peak(device, job.numerics.numerics, job.processes)));
  OrderedJson facts{{"steps", result.state.step},
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

}  // namespace

void run_train_job(const TrainJobOptions& options, const Program& program) {
  Config file = Config::from_toml_file(options.file);
  for (const std::string& set : options.sets) file.set(set);
  const Config config = program.methods.with_base(file);
  ConfigReader keys(config);
  TrainJob job = read_train_job(keys, program);
  keys.finish();
  c10::OptionalDeviceGuard current;
  take_gpu(job, options.rank, current);
  const std::string identity = job_identity(keys.effective(), "train");
  if (const auto done = read_done(options.out); done && (*done)["identity"] == identity) {
    fmt::print(stderr, "{}: done already\n", options.out);
    return;
  }
  use_threads(job.numerics.threads);
  if (job.settings.shard != Shard::none && job.numerics.numerics.device.is_cpu()) give_back_freed_blocks();
  const auto begin = std::chrono::steady_clock::now();
  LoadedModel loaded = load_model(job.model_folder, job.numerics.numerics);
  const PromptMaker prompts(job.settings.prompt, job.model_folder, loaded.model->config(), loaded.tokenizer);
  const auto grader = make_grader(job.settings.grader);
  TrainerInputs inputs;
  inputs.settings = job.settings;
  inputs.folder = options.out;
  inputs.identity = identity;
  inputs.model_folder = job.model_folder;
  inputs.problems = training_problems(job);
  if (options.rank == 0) {
    open_job_folder(options.out, "train", identity, keys.effective());
    write_rendered_prompt(options.out, prompts, inputs.problems.front());
  }
  FolderObserver observer(options.out, job, prompts);
  inputs.observer = &observer;
  if (options.rank == 0) warn_of_few_visits(job, inputs.problems.size());
  RankProcesses others;
  std::unique_ptr<Ranks> ranks;
  const TrainResult result = train_with(job, others, [&] {
    if (job.processes > 1) ranks = start_ranks(options, job, others);
    inputs.ranks = ranks.get();
    std::jthread watch;  // a GPU does not notice that another process has ended
    if (job.processes > 1 && options.rank == 0) watch = watch_processes(others.running(), [&] { ranks->give_up(); });
    return train(*loaded.model, job.methods, prompts, *grader, inputs);
  });
  if (options.rank > 0) return;
  observer.finish();
  write_results(options, job, identity, result,
                std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}

}  // namespace harness
