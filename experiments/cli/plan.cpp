// plan: what an experiment will take before anything starts: cells, tokens, memory, disk, time, visits, and the difference
// that its seeds and samples can show.
#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "experiments/cli/cell.h"
#include "experiments/cli/experiment.h"
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

struct Size {
  double parameters = 0, matrix = 0;  // all; those that each token multiplies with
};

Size size_of(const harness::ModelConfig& m) {
  const auto width = static_cast<double>(m.width), head = static_cast<double>(m.head_dim);
  const double attention = width * head * static_cast<double>(2 * m.heads + 2 * m.kv_heads);
  const double layers = static_cast<double>(m.layers) * (attention + 3 * width * static_cast<double>(m.mlp_width));
  const double embedding = width * static_cast<double>(m.vocab_size);
  return {layers + embedding * (m.tied_head ? 1 : 2), layers + embedding};
}

// The shape of a base model: from its folder, or from the file that makes it.
std::optional<harness::ModelConfig> shape_of(const Experiment& experiment, const BaseModel& model) {
  if (std::filesystem::exists(model.folder + "/config.json")) return harness::read_model_config(model.folder);
  for (const PlannedCell& cell : experiment.base_cells) {
    if (cell.cell.id != model.cell) continue;
    harness::Config config = cell.config;
    PretrainCell pretrain = read_pretrain_cell(config);
    if (!pretrain.start.empty()) return std::nullopt;
    pretrain.model.vocab_size = static_cast<int64_t>(datasets::nano_characters().size()) + 4;
    return pretrain.model;
  }
  return std::nullopt;
}

// Multiply-adds a second of this machine on one matrix product, one thread, fp32.
double matrix_rate() {
  const torch::Tensor a = torch::ones({256, 256}), b = torch::ones({256, 256});
  const auto begin = std::chrono::steady_clock::now();
  double seconds = 0;
  int64_t products = 0;
  while (seconds < 0.2) {
    torch::mm(a, b);
    ++products;
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  return static_cast<double>(products) * 2 * 256.0 * 256 * 256 / seconds;
}

struct Totals {
  double train_tokens = 0, eval_tokens = 0, flops = 0, peak_bytes = 0, disk_bytes = 0;
};

// Upper bounds: every response as long as it may be, one batch of prompts a step.
void add_row(const PlannedRow& row, const harness::ModelConfig& shape, int64_t test_problems, Totals& totals) {
  harness::Config config = row.config;
  const Size size = size_of(shape);
  const auto seeds = static_cast<double>(row.seeds.size());
  const bool bf16 = config.text("numerics.dtype", "fp32") == "bf16";
  const double element = bf16 ? 2 : 4;
  const auto longest = static_cast<double>(config.integer("sampling.max_new_tokens", 256));
  const auto n = static_cast<double>(config.integer("eval.n", 128));
  const double evaluated = seeds * n * static_cast<double>(test_problems) * longest;
  const double kv = 2 * static_cast<double>(shape.layers * shape.kv_heads * shape.head_dim) * element;
  totals.eval_tokens += evaluated;
  totals.flops += evaluated * 2 * size.matrix;
  double peak = size.parameters * element + static_cast<double>(config.integer("eval.max_rows", 512)) * longest * kv;
  totals.disk_bytes += evaluated * 6 + seeds * size.parameters * element;
  if (!row.untrained) {
    const double responses = static_cast<double>(config.integer("train.prompts_per_step", 16) *
                                                 config.integer("train.responses_per_prompt", 16));
    const double tokens = seeds * static_cast<double>(config.integer("train.steps", 36)) * responses * longest;
    totals.train_tokens += tokens;
    totals.flops += tokens * 2 * size.matrix * 4;  // sampling once, forward and backward three times
    const int64_t micro = config.integer("train.micro_batch_responses", 0);
    const double rows = longest * static_cast<double>(micro > 0 ? micro : config.integer("train.mini_batch_prompts", 4) *
                                                                            config.integer("train.responses_per_prompt", 16));
    const double layer = static_cast<double>(6 * shape.width + (4 * shape.heads + 5 * shape.kv_heads) * shape.head_dim +
                                             5 * shape.mlp_width);
    const bool recompute = config.boolean("train.recompute_activations", false);
    const double activations = rows * element * (recompute ? layer + static_cast<double>(shape.layers * shape.width)
                                                           : layer * static_cast<double>(shape.layers));
    const double states = size.parameters * (4 + 8 + (bf16 ? 4 : 0));  // gradients, moments, masters
    peak = std::max(peak, size.parameters * element * (config.number("loss.kl_coef", 0) > 0 ? 2 : 1) + states + activations);
    totals.disk_bytes += seeds * size.parameters * 12;
  }
  totals.peak_bytes = std::max(totals.peak_bytes, peak);
}

std::string bytes_text(double bytes) {
  return bytes > 1e9 ? fmt::format("{:.1f} GB", bytes / 1e9) : fmt::format("{:.0f} MB", bytes / 1e6);
}

int64_t problems_in(const std::vector<std::string>& sets, const std::string& split, const datasets::LoadSettings& load) {
  int64_t count = 0;
  for (const harness::ProblemSet& set : datasets::load_sets(sets, split, load)) count += static_cast<int64_t>(set.problems.size());
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
  fmt::print("can show         with {:.0f} % power a difference of {:.1f} points of pass@1 over all {} problems ({:.1f} points if it "
             "were the only comparison)\n",
             100 * plan.power, points(test_problems, comparisons), test_problems, points(test_problems, 1));
  if (sets > 1) {
    fmt::print("                 and of {:.1f} points on one set of {} problems\n", points(test_problems / sets, comparisons),
               test_problems / sets);
  }
  fmt::print("                 (assumed: {} seeds, {} samples, {} comparisons in Holm's family, {:.1f} points of standard "
             "deviation between seeds: --seed-deviation)\n",
             plan.seeds, plan.samples, comparisons, options.seed_deviation);
}

int plan_verb(const PlanOptions& options) {
  const Experiment experiment = read_experiment_file(options.file, options.plan);
  use_threads(1);
  int64_t done = 0;
  const auto cells = all_cells(experiment);
  for (const PlannedCell* cell : cells) done += cell_done(*cell) ? 1 : 0;
  harness::Config first = experiment.rows.front().config;
  const DataKeys data = read_data(first);
  const int64_t test = problems_in(data.sets, "test", data.load), train = problems_in(data.train, "train", data.load);
  Totals totals;
  std::string unknown;
  for (const PlannedRow& row : experiment.rows) {
    for (const BaseModel& model : experiment.models) {
      if (model.name != row.base_model) continue;
      if (const auto shape = shape_of(experiment, model)) {
        add_row(row, *shape, test, totals);
      } else if (unknown.find(model.name) == std::string::npos) {
        unknown += (unknown.empty() ? "" : ", ") + model.name;
      }
    }
  }
  const double rate = matrix_rate();
  // A whole run reaches about a third of one product's rate (attention, sampling, small matrices).
  const double hours = totals.flops / (rate * 0.33) / static_cast<double>(experiment.jobs) / 3600;
  fmt::print("cells            {} ({} done)\n", cells.size(), done);
  fmt::print("problems         {} training, {} test\n", train, test);
  fmt::print("tokens, at most  {:.3g} sampled in training (before refills), {:.3g} in evaluation\n", totals.train_tokens,
             totals.eval_tokens);
  fmt::print("peak memory      {} a worker, {} workers at once\n", bytes_text(totals.peak_bytes), experiment.jobs);
  fmt::print("disk             {}\n", bytes_text(totals.disk_bytes));
  fmt::print("time, at most    {:.1f} h here ({:.0f} GFLOP/s measured on one product, a third of it assumed)\n", hours, rate / 1e9);
  if (!unknown.empty()) fmt::print("not counted      models whose folder is not there yet: {}\n", unknown);
  const double visits = static_cast<double>(first.integer("train.steps", 36) * first.integer("train.prompts_per_step", 16)) /
                        static_cast<double>(std::max<int64_t>(1, train));
  fmt::print("visits           {:.1f} a training problem (before refills)\n", visits);
  if (visits < 2) fmt::print("warning          a method with a memory meets its problems fewer than twice\n");
  print_power(experiment, options, test);
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
  verb->add_option("--seed-deviation", options->seed_deviation, "assumed standard deviation between training seeds, points of pass@1")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  verb->callback([&chosen, options] { chosen = [options] { return plan_verb(*options); }; });
}

}  // namespace experiments
