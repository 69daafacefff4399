#include "harness/plan/experiment_plan.h"

#include <torch/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>

#include "harness/core/error.h"
#include "harness/cuda/device.h"
#include "harness/experiment/base_model.h"
#include "harness/experiment/jobs/start.h"
#include "harness/report/table/columns.h"
#include "harness/stats/power.h"

namespace harness {

std::optional<ModelConfig> shape_of(const Experiment& experiment, const BaseModel& model, const Program& program) {
  const std::string found = model.path.empty() ? "" : find_model(model.path, experiment.model_cache);
  for (const std::string& folder : {model.folder, found, model.shape}) {
    if (folder.empty() || !std::filesystem::exists(folder + "/config.json")) continue;
    ModelConfig shape = read_model_config(folder);
    shape.max_positions = std::max(shape.max_positions, model.positions);
    return shape;
  }
  for (size_t i = 0; i < experiment.base_jobs.size(); ++i) {
    if (experiment.base_jobs[i].job.id != model.job) continue;
    const PretrainJob& pretrain = *experiment.pretrain_jobs[i];
    if (!pretrain.start.empty()) {  // the shape of the model that it starts from
      const auto start = std::find_if(experiment.models.begin(), experiment.models.end(),
                                      [&](const BaseModel& other) { return other.folder == pretrain.start; });
      return start == experiment.models.end() ? std::nullopt : shape_of(experiment, *start, program);
    }
    ModelConfig shape = pretrain.model;
    shape.vocab_size = static_cast<int64_t>(program.problems.characters().size()) + 4;
    return shape;
  }
  return std::nullopt;
}

namespace {

// Operations a second of one matrix product of the dtype with the threads of a worker: the best of several short trials, so
// that a moment in which something else ran does not count.
double matrix_rate(const NumericsKeys& keys) {
  constexpr int kTrials = 9;
  constexpr double kTrialSeconds = 0.03;
  constexpr int64_t kSize = 512;
  const auto options = torch::TensorOptions().dtype(keys.numerics.dtype);
  const torch::Tensor a = torch::ones({kSize, kSize}, options), b = torch::ones({kSize, kSize}, options);
  double best = 0;
  for (int trial = 0; trial <= kTrials; ++trial) {
    const auto begin = std::chrono::steady_clock::now();
    double seconds = 0;
    int64_t products = 0;
    while (seconds < kTrialSeconds) {
      torch::mm(a, b);
      ++products;
      seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    const auto edge = static_cast<double>(kSize);
    // The first warms up.
    if (trial > 0) best = std::max(best, static_cast<double>(products) * 2 * edge * edge * edge / seconds);
  }
  return best;
}

MachineFacts this_machine(const NumericsKeys& keys) {
  MachineFacts machine;
  machine.numerics = keys;
  machine.memory = memory_of_machine();
  if (keys.numerics.device.is_cpu()) {
    use_threads(keys.threads);
    machine.matrix_rate = matrix_rate(keys);
    return machine;
  }
  machine.gpu = cuda::find_devices().name;
  machine.gpu_is_here = cuda::peak_of(machine.gpu).has_value();
  if (!machine.gpu_is_here) machine.gpu = "NVIDIA H100 80GB HBM3";
  machine.gpu_peak = rate_peak(machine.gpu, keys.numerics, 1).value();
  return machine;
}

// The size of Holm's family in the table.
int64_t comparisons_of(const Experiment& experiment) {
  const auto rows = std::count_if(experiment.rows.begin(), experiment.rows.end(),
                                  [](const PlannedRow& row) { return !row.compare_to.empty(); });
  const std::vector<Column> columns = table_columns(experiment, false);
  return rows * std::count_if(columns.begin(), columns.end(),
                              [](const Column& column) { return column.compared() && column.primary; });
}

Detectable detectable_by(const Experiment& experiment, double seed_deviation, int64_t test_problems) {
  Detectable d;
  d.seed_deviation = seed_deviation;
  d.samples = experiment.n;
  for (const PlannedRow& row : experiment.rows) {
    d.seeds = std::max(d.seeds, static_cast<int64_t>(row.seeds.size()));
    d.rows += row.compare_to.empty() ? 0 : 1;
  }
  d.comparisons = comparisons_of(experiment);
  d.column = (experiment.sets.size() == 1 ? experiment.sets.front() : kAverage) + std::string(" pass@1");
  d.problems = test_problems;
  d.sets = static_cast<int64_t>(std::max<size_t>(1, experiment.sets.size()));
  if (d.comparisons == 0) return d;
  PowerPlan plan;
  plan.samples = d.samples;
  plan.seed_deviation = seed_deviation / 100;
  d.power = plan.power;
  const auto points = [&](int64_t seeds, int64_t problems, int64_t family) {
    plan.seeds = seeds;
    plan.problems = std::max<int64_t>(2, problems);
    plan.comparisons = family;
    return 100 * plan_power(plan).detectable;
  };
  std::set<int64_t> numbers = {3, 5, 10, 20};
  if (d.seeds > 1) numbers.insert(d.seeds);
  for (const int64_t seeds : numbers) {
    d.by_seeds.push_back(
        {seeds, points(seeds, d.problems, d.comparisons), points(seeds, d.problems, d.rows), points(seeds, d.problems, 1)});
  }
  if (d.seeds > 1) d.points_of_set = points(d.seeds, d.problems / d.sets, d.comparisons);
  return d;
}

// None where no row stands on the model. `problems`: of the test sets.
std::optional<ModelMemory> memory_of_model(const Experiment& experiment, const BaseModel& model, const ModelConfig& shape,
                                           int64_t problems) {
  std::optional<ModelMemory> memory;
  for (const PlannedRow& row : experiment.rows) {
    if (row.base_model != model.name) continue;
    const MemoryPlan evaluation = plan_memory(memory_of(*row.eval_job, shape, problems));
    if (!memory) {
      memory.emplace();
      memory->model = model.name;
      memory->parameters = parameter_count(shape);
      memory->evaluation = evaluation;
    }
    memory->cuda = row.train_job->numerics.numerics.device.is_cuda();
    if (evaluation.peak().bytes() > memory->evaluation.peak().bytes()) memory->evaluation = evaluation;
    if (row.untrained) continue;
    const MemorySettings settings = memory_of(*row.train_job, shape);
    const MemoryPlan training = plan_memory(settings);
    if (memory->training && training.peak().bytes() <= memory->training->peak().bytes()) continue;
    memory->training = training;
    memory->settings = settings;
    memory->training_row = row.name;
  }
  return memory;
}

void add_model(const Experiment& experiment, const BaseModel& model, const ModelConfig& shape, int64_t problems,
               JobCosts& costs) {
  for (const PlannedRow& row : experiment.rows) {
    if (row.base_model != model.name) continue;
    const auto seeds = static_cast<double>(row.seeds.size());
    if (!row.untrained) add_training(*row.train_job, shape, seeds, costs);
    double evaluations = 0;  // of all samples
    for (const auto& [seed, job] : row.eval) {
      const auto steps = row.checkpoints.find(seed);
      const size_t others = steps == row.checkpoints.end() ? 0
                                                           : steps->second.size() - steps->second.count(0) -
                                                                 steps->second.count(row.train_job->settings.steps);
      const auto n = static_cast<double>(std::get<int64_t>(job.config.find("eval.n")->value));
      evaluations += static_cast<double>(1 + others) * n / static_cast<double>(row.eval_job->settings.n);
      costs.disk_bytes += static_cast<double>(others) * parameter_count(shape) * 4;  // kept models
    }
    add_evaluation(*row.eval_job, shape, evaluations, static_cast<double>(problems), costs);
  }
}

}  // namespace

double memory_of_machine() {
  return static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGE_SIZE));
}

double ModelMemory::peak() const {
  double peak = evaluation.peak().bytes();
  if (training) peak = std::max(peak, training->peak().bytes() * (cuda ? 1 : static_cast<double>(settings.processes)));
  return peak;
}

double ExperimentPlan::peak() const {
  double peak = 0;
  for (const ModelMemory& model : models) peak = std::max(peak, model.peak());
  return peak;
}

ExperimentPlan plan_experiment(const Experiment& experiment, const Program& program, double seed_deviation) {
  ExperimentPlan plan;
  const PlannedRow& first = experiment.rows.front();
  const DataKeys& data = first.eval_job->data;
  if (experiment.scale != 1) plan.scale_note = scale_note(experiment.scale, experiment.scaled);
  const auto jobs = all_jobs(experiment);
  plan.jobs = std::ssize(jobs);
  plan.done = std::count_if(jobs.begin(), jobs.end(), [](const PlannedJob* job) { return job_done(*job); });
  plan.workers = experiment.workers;
  plan.test = data.source->count(data.test, "test");
  plan.train = data.source->count(data.train, "train");
  for (const BaseModel& model : experiment.models) {
    std::optional<ModelConfig> shape;
    try {
      shape = shape_of(experiment, model, program);
    } catch (const Error&) {  // the check of the experiment says why
    }
    if (!shape) {
      plan.unknown_models.push_back(model.name);
      continue;
    }
    if (auto memory = memory_of_model(experiment, model, *shape, plan.test.known)) plan.models.push_back(std::move(*memory));
    add_model(experiment, model, *shape, plan.test.known, plan.costs);
  }
  plan.machine = this_machine(first.train_job->numerics);
  const TrainSettings& train = first.train_job->settings;
  plan.visits =
      static_cast<double>(train.steps * train.prompts_per_step) / static_cast<double>(std::max<int64_t>(1, plan.train.known));
  plan.detectable = detectable_by(experiment, seed_deviation, plan.test.known);
  plan.rule = experiment.rule;
  if (plan.rule != SeedRule{} && seed_deviation > 0 && plan.detectable.comparisons > 0) {
    // With common training seeds half the variance of a difference cancels (results/methods): its deviation is that of a row.
    plan.forecasts = forecast_rule(VerdictRule(plan.rule), seed_deviation / 100, std::vector<double>{0, 0.01, 0.02, 0.03, 0.05},
                                   plan.detectable.seeds);
  }
  plan.also = experiment.also;
  return plan;
}

}  // namespace harness
