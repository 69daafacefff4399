// plan: what an experiment will take before anything starts: cells, tokens, memory, disk, time, visits, and the difference
// that its seeds and samples can show.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/cuda.h>
#include <torch/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "datasets/manifest.h"
#include "experiments/cli/base_model.h"
#include "experiments/cli/cell.h"
#include "experiments/cli/cell_cost.h"
#include "experiments/cli/experiment.h"
#include "experiments/cli/memory_plan.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/stats/power.h"

namespace experiments {

namespace {

struct PlanOptions {
  std::string file;
  ExperimentOptions plan;
  double seed_deviation = 2.5;  // points of pass@1 between training seeds, as on the nano suite
};

// The shape of a base model: from its folder, from the file that makes it, or from the `shape` that the experiment gives.
std::optional<harness::ModelConfig> shape_of(const Experiment& experiment, const BaseModel& model) {
  const std::string found = model.path.empty() ? "" : find_model(model.path, experiment.model_cache);
  for (const std::string& folder : {model.folder, found, model.shape}) {
    if (folder.empty() || !std::filesystem::exists(folder + "/config.json")) continue;
    harness::ModelConfig shape = harness::read_model_config(folder);
    shape.max_positions = std::max(shape.max_positions, model.positions);
    return shape;
  }
  for (const PlannedCell& cell : experiment.base_cells) {
    if (cell.cell.id != model.cell) continue;
    harness::Config config = cell.config;
    PretrainCell pretrain = read_pretrain_cell(config);
    if (!pretrain.start.empty()) {  // the shape of the model that it starts from
      const auto start = std::find_if(experiment.models.begin(), experiment.models.end(),
                                      [&](const BaseModel& other) { return other.folder == pretrain.start; });
      return start == experiment.models.end() ? std::nullopt : shape_of(experiment, *start);
    }
    pretrain.model.vocab_size = static_cast<int64_t>(datasets::nano_characters().size()) + 4;
    return pretrain.model;
  }
  return std::nullopt;
}

// Operations a second of one matrix product of the dtype with the threads of a worker: the best of several short trials, so
// that a moment in which something else ran does not count.
double matrix_rate(const NumericsKeys& keys) {
  constexpr int kTrials = 9;
  constexpr double kTrialSeconds = 0.03;
  const int64_t size = keys.numerics.device.is_cuda() ? 4096 : 512;
  const auto options = torch::TensorOptions().dtype(keys.numerics.dtype).device(keys.numerics.device);
  const torch::Tensor a = torch::ones({size, size}, options), b = torch::ones({size, size}, options);
  double best = 0;
  for (int trial = 0; trial <= kTrials; ++trial) {
    const auto begin = std::chrono::steady_clock::now();
    double seconds = 0;
    int64_t products = 0;
    while (seconds < kTrialSeconds) {
      torch::mm(a, b).select(0, 0).select(0, 0).item<float>();  // waits for a device
      ++products;
      seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    const auto edge = static_cast<double>(size);
    if (trial > 0)
      best = std::max(best, static_cast<double>(products) * 2 * edge * edge * edge / seconds);  // the first warms up
  }
  return best;
}

std::string bytes_text(double bytes) {
  return bytes > 1e9 ? fmt::format("{:.1f} GB", bytes / 1e9) : fmt::format("{:.0f} MB", bytes / 1e6);
}

struct ProblemCount {
  int64_t known = 0;
  std::vector<std::string> from_manifest, unknown;  // sets that are not here: counted by the manifest, or not at all
};

ProblemCount count_problems(const std::vector<std::string>& names, const std::string& split,
                            const datasets::LoadSettings& load) {
  ProblemCount count;
  for (const std::string& name : names) {
    try {
      for (const harness::ProblemSet& set : datasets::load_sets({name}, split, load)) count.known += std::ssize(set.problems);
    } catch (const harness::Error&) {
      const datasets::SetName parsed = datasets::parse_set_name(name);
      const auto entry = datasets::find_entry(parsed.name, parsed.split.empty() ? split : parsed.split);
      if (entry && entry->problems > 0) {
        const int64_t limit = datasets::limit_of(load, parsed.split.empty() ? split : parsed.split);
        count.known += limit > 0 ? std::min(limit, entry->problems) : entry->problems;
        count.from_manifest.push_back(name);
      } else {
        count.unknown.push_back(name);
      }
    }
  }
  return count;
}

// The size of Holm's family in the table: every comparison with compare_to in every pass rate and in two diversities.
int64_t comparisons_of(const Experiment& experiment) {
  const auto rows = std::count_if(experiment.rows.begin(), experiment.rows.end(),
                                  [](const PlannedRow& row) { return !row.compare_to.empty(); });
  if (!experiment.primary.empty()) return rows * static_cast<int64_t>(experiment.primary.size());
  const auto columns = static_cast<int64_t>(experiment.sets.size() + (experiment.sets.size() > 1 ? 1 : 0));
  const auto more = static_cast<int64_t>(experiment.g_pass.size()) + (experiment.maj ? 1 : 0);
  int64_t rates = 0;
  for (const int64_t k : experiment.k) rates += 1 + (k > 1 ? more : 0);
  return rows * (columns * rates + 2);
}

void print_power(const Experiment& experiment, const PlanOptions& options, int64_t test_problems) {
  harness::PowerPlan plan;
  plan.samples = experiment.n;
  plan.seed_deviation = options.seed_deviation / 100;
  plan.seeds = 1;
  for (const PlannedRow& row : experiment.rows) plan.seeds = std::max(plan.seeds, static_cast<int64_t>(row.seeds.size()));
  const int64_t comparisons = comparisons_of(experiment);
  if (comparisons == 0) {
    fmt::print("can show         no difference: no row names another to be compared with (compare_to)\n");
    return;
  }
  if (plan.seeds == 1) {
    fmt::print("can show         no difference: with one training seed a row nothing is known of the spread between seeds\n");
    return;
  }
  const auto sets = static_cast<int64_t>(std::max<size_t>(1, experiment.sets.size()));
  const auto points = [&](int64_t problems, int64_t family) {
    plan.problems = std::max<int64_t>(2, problems);
    plan.comparisons = family;
    return 100 * harness::plan_power(plan).detectable;
  };
  fmt::print(
      "can show         with {:.0f} % power a difference of {:.1f} points of pass@1 over all {} problems ({:.1f} points if it "
      "were the only comparison)\n",
      100 * plan.power, points(test_problems, comparisons), test_problems, points(test_problems, 1));
  if (sets > 1) {
    fmt::print("                 and of {:.1f} points on one set of {} problems\n", points(test_problems / sets, comparisons),
               test_problems / sets);
  }
  fmt::print(
      "                 (assumed: {} seeds, {} samples, {} comparisons in Holm's family, {:.1f} points of standard "
      "deviation between seeds: --seed-deviation)\n",
      plan.seeds, plan.samples, comparisons, options.seed_deviation);
}

std::string count_text(const ProblemCount& count) {
  std::string text = std::to_string(count.known);
  if (!count.from_manifest.empty())
    text += fmt::format(" (not here, by the manifest: {})", fmt::join(count.from_manifest, ", "));
  if (!count.unknown.empty())
    text += fmt::format(" and those of {} (not here, no number known)", fmt::join(count.unknown, ", "));
  return text;
}

void print_memory(const std::string& name, const MemoryPlan& plan) {
  const MemoryPhase& peak = plan.peak();
  std::vector<std::string> parts;
  for (const MemoryPart& part : peak.parts) parts.push_back(fmt::format("{} {}", part.name, bytes_text(part.bytes)));
  fmt::print("  {:<14} {} at its peak ({}): {}\n", name, bytes_text(peak.bytes()), peak.name, fmt::join(parts, ", "));
}

// The same training with each value of train.shard: by the processes of the experiment, or by eight.
void print_shares(MemorySettings settings) {
  using harness::Shard;
  if (settings.processes == 1 && !settings.cuda) return;
  if (settings.processes == 1) settings.processes = 8;
  std::vector<std::string> values;
  for (const Shard shard : {Shard::none, Shard::optimizer, Shard::gradients, Shard::parameters}) {
    share_states(settings, shard);
    const MemoryPhase peak = plan_memory(settings).peak();
    values.push_back(fmt::format("{} {} ({})", harness::shard_name(shard), bytes_text(peak.bytes()), peak.name));
  }
  fmt::print("  {:<14} on each of {} processes at its peak: {}\n", "train.shard", settings.processes, fmt::join(values, ", "));
}

// Of the rows on one base model those whose training and whose evaluation need most.
struct NeediestRows {
  std::optional<MemoryPlan> training, evaluation;
  MemorySettings settings;  // of that training
  std::string training_row;
  bool cuda = false;
};

void warn_of_positions(const PlannedRow& row, const TrainCell& train, const EvalCell& eval, int64_t max_positions) {
  const int64_t longest =
      std::max(row.untrained ? 0 : train.settings.sampling.max_new_tokens, eval.settings.sampling.max_new_tokens);
  if (eval.prompt.prompt_tokens + longest <= max_positions) return;
  fmt::print(
      "warning          {}: {} + {} tokens of prompt and response do not fit the {} positions of {} (key positions of "
      "[models.NAME])\n",
      row.name, eval.prompt.prompt_tokens, longest, max_positions, row.base_model);
}

// `problems`: of the test sets.
NeediestRows neediest_rows(const Experiment& experiment, const BaseModel& model, const harness::ModelConfig& shape,
                           int64_t problems) {
  NeediestRows needy;
  for (const PlannedRow& row : experiment.rows) {
    if (row.base_model != model.name) continue;
    harness::Config config = row.config;
    const TrainCell train = read_train_cell(config);
    const EvalCell eval = read_eval_cell(config);
    needy.cuda = train.numerics.numerics.device.is_cuda();
    const MemoryPlan evaluation = plan_memory(memory_of(eval, shape, problems));
    if (!needy.evaluation || evaluation.peak().bytes() > needy.evaluation->peak().bytes()) needy.evaluation = evaluation;
    warn_of_positions(row, train, eval, shape.max_positions);
    if (row.untrained) continue;
    const MemorySettings settings = memory_of(train, shape);
    const MemoryPlan training = plan_memory(settings);
    if (needy.training && training.peak().bytes() <= needy.training->peak().bytes()) continue;
    needy.training = training;
    needy.settings = settings;
    needy.training_row = row.name;
  }
  return needy;
}

// Memory of one base model; the peak of its rows, in bytes.
double print_model(const Experiment& experiment, const BaseModel& model, const harness::ModelConfig& shape, int64_t problems) {
  const NeediestRows needy = neediest_rows(experiment, model, shape, problems);
  if (!needy.evaluation) return 0;
  fmt::print("model            {}: {:.3f} G parameters\n", model.name, parameter_count(shape) / 1e9);
  double peak = needy.evaluation->peak().bytes();
  if (needy.training) {
    const int64_t processes = needy.settings.processes;
    print_memory(fmt::format("training ({}){}", needy.training_row, processes > 1 ? ", each process" : ""), *needy.training);
    peak = std::max(peak, needy.training->peak().bytes() * (needy.cuda ? 1 : static_cast<double>(processes)));
  }
  print_memory("evaluation", *needy.evaluation);
  if (needy.training) print_shares(needy.settings);
  if (needy.cuda && needy.training) {
    fmt::print("  {:<14} {} beside each GPU\n", "memory", bytes_text(needy.training->host_bytes));
  }
  return peak;
}

void add_model(const Experiment& experiment, const BaseModel& model, const harness::ModelConfig& shape, int64_t problems,
               CellCosts& costs) {
  for (const PlannedRow& row : experiment.rows) {
    if (row.base_model != model.name) continue;
    harness::Config config = row.config;
    const auto seeds = static_cast<double>(row.seeds.size());
    if (!row.untrained) add_training(read_train_cell(config), shape, seeds, costs);
    add_evaluation(read_eval_cell(config), shape, seeds, static_cast<double>(problems), costs);
  }
}

struct Machine {
  double memory = 0;
  bool has_device = true;
};

Machine this_machine(const NumericsKeys& keys) {
  Machine machine;
  machine.memory = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGE_SIZE));
  machine.has_device = !keys.numerics.device.is_cuda() || torch::cuda::is_available();
  return machine;
}

void print_time(const NumericsKeys& keys, const CellCosts& costs, int64_t jobs, const Machine& machine) {
  fmt::print("operations       {:.3g} at most (two for a multiply-add)\n", costs.flops);
  if (!machine.has_device) {
    fmt::print("time             not measured: no CUDA device here; {:.3g} hours at 1e15 operations a second\n",
               costs.flops / 1e15 / 3600);
    return;
  }
  const double rate = matrix_rate(keys);
  // A whole run reaches about a third of one product's rate (attention, sampling, small matrices).
  const double hours = costs.flops / (rate * 0.33) / static_cast<double>(jobs) / 3600;
  fmt::print(
      "time, at most    {:.3g} h here ({:.0f} GFLOP/s measured on one product in {}, {} threads; a third of it assumed)\n",
      hours, rate / 1e9, keys.numerics.dtype == torch::kFloat32 ? "fp32" : "bf16", keys.threads);
}

void print_peak(double peak, int64_t jobs, const Machine& machine) {
  fmt::print("peak memory      {} a worker, {} workers at once; this machine has {}\n", bytes_text(peak), jobs,
             bytes_text(machine.memory));
  if (peak * static_cast<double>(jobs) > machine.memory) {
    fmt::print(
        "warning          that is more than this machine has: fewer --jobs, train.micro_batch_responses, eval.max_rows, "
        "train.recompute_activations\n");
  }
}

// `problems`: of the training sets.
void print_visits(harness::Config& row, int64_t problems) {
  const double visits = static_cast<double>(row.integer("train.steps", 36) * row.integer("train.prompts_per_step", 16)) /
                        static_cast<double>(std::max<int64_t>(1, problems));
  fmt::print("visits           {:.1f} a training problem (before refills)\n", visits);
  if (visits < 2) fmt::print("warning          a method with a memory meets its problems fewer than twice\n");
}

int plan_verb(const PlanOptions& options) {
  const Experiment experiment = read_experiment_file(options.file, options.plan);
  const auto cells = all_cells(experiment);
  const auto done = std::count_if(cells.begin(), cells.end(), [](const PlannedCell* cell) { return cell_done(*cell); });
  harness::Config first = experiment.rows.front().config;
  const NumericsKeys keys = read_numerics(first);
  use_threads(keys.threads);
  const DataKeys data = read_data(first);
  const ProblemCount test = count_problems(data.sets, "test", data.load);
  const ProblemCount train = count_problems(data.train, "train", data.load);
  if (experiment.scale != 1) fmt::print("scale            {}\n", scale_note(experiment.scale, experiment.scaled));
  fmt::print("cells            {} ({} done)\n", cells.size(), done);
  fmt::print("problems         training: {}\n                 test: {}\n", count_text(train), count_text(test));
  CellCosts costs;
  std::vector<std::string> unknown;
  double peak = 0;
  for (const BaseModel& model : experiment.models) {
    const auto shape = shape_of(experiment, model);
    if (!shape) {
      unknown.push_back(model.name);
      continue;
    }
    peak = std::max(peak, print_model(experiment, model, *shape, test.known));
    add_model(experiment, model, *shape, test.known, costs);
  }
  const Machine machine = this_machine(keys);
  fmt::print("tokens, at most  {:.3g} sampled in training (before refills), {:.3g} in evaluation\n", costs.train_tokens,
             costs.eval_tokens);
  if (keys.numerics.device.is_cpu()) print_peak(peak, experiment.jobs, machine);
  fmt::print("disk             {}\n", bytes_text(costs.disk_bytes));
  print_time(keys, costs, experiment.jobs, machine);
  if (!unknown.empty()) fmt::print("not counted      models whose folder is not there yet: {}\n", fmt::join(unknown, ", "));
  if (train.unknown.empty()) print_visits(first, train.known);
  print_power(experiment, options, test.known);
  for (const std::string& also : experiment.also) fmt::print("then             {}\n", also);
  return 0;
}

}  // namespace

void add_plan(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<PlanOptions>();
  CLI::App* verb = app.add_subcommand("plan", "before anything starts: cells, tokens, memory, disk, time, what it can show");
  verb->add_option("file", options->file, "experiment TOML")->required();
  verb->add_option("--out", options->plan.runs, "folder for run folders and results");
  verb->add_option("--jobs", options->plan.jobs, "worker processes at once")->check(CLI::PositiveNumber);
  verb->add_option("--seeds", options->plan.seeds, "number of training seeds")->check(CLI::PositiveNumber);
  verb->add_option("--data", options->plan.data_dir, "folder with the published data sets");
  verb->add_option("--scale", options->plan.scale, "multiplies steps, prompts and samples")->check(CLI::PositiveNumber);
  verb->add_option("--set", options->plan.sets, "KEY=VALUE, over the file");
  verb->add_option("--seed-deviation", options->seed_deviation,
                   "assumed standard deviation between training seeds, points of pass@1")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  verb->callback([&chosen, options] { chosen = [options] { return plan_verb(*options); }; });
}

}  // namespace experiments
