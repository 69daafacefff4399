// An ExperimentPlan for people.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "harness/plan/experiment_plan.h"

namespace harness {

namespace {

std::string count_text(const ProblemCount& count) {
  std::string text = std::to_string(count.known);
  if (!count.from_manifest.empty()) {
    text += fmt::format(" (not here, by the manifest: {})", fmt::join(count.from_manifest, ", "));
  }
  if (!count.unknown.empty()) {
    text += fmt::format(" and those of {} (not here, no number known)", fmt::join(count.unknown, ", "));
  }
  return text;
}

std::string memory_text(const std::string& name, const MemoryPlan& plan) {
  const MemoryPhase& peak = plan.peak();
  std::vector<std::string> parts;
  for (const MemoryPart& part : peak.parts) parts.push_back(fmt::format("{} {}", part.name, bytes_text(part.bytes)));
  return fmt::format("  {:<14} {} at its peak ({}): {}\n", name, bytes_text(peak.bytes()), peak.name, fmt::join(parts, ", "));
}

// The same training with each value of train.shard: by the processes of the experiment, or by eight.
std::string shares_text(MemorySettings settings) {
  if (settings.processes == 1 && !settings.cuda) return "";
  if (settings.processes == 1) settings.processes = 8;
  std::vector<std::string> values;
  for (const Shard shard : {Shard::none, Shard::optimizer, Shard::gradients, Shard::parameters}) {
    share_states(settings, shard);
    const MemoryPhase peak = plan_memory(settings).peak();
    values.push_back(fmt::format("{} {} ({})", shard_name(shard), bytes_text(peak.bytes()), peak.name));
  }
  return fmt::format("  {:<14} on each of {} processes at its peak: {}\n", "train.shard", settings.processes,
                     fmt::join(values, ", "));
}

std::string model_text(const ModelMemory& model) {
  std::string text = fmt::format("model            {}: {:.3f} G parameters\n", model.model, model.parameters / 1e9);
  if (model.training) {
    const std::string each = model.settings.processes > 1 ? ", each process" : "";
    text += memory_text(fmt::format("training ({}){}", model.training_row, each), *model.training);
  }
  text += memory_text("evaluation", model.evaluation);
  if (model.training) text += shares_text(model.settings);
  if (model.cuda && model.training) {
    text += fmt::format("  {:<14} {} beside each GPU\n", "memory", bytes_text(model.training->host_bytes));
  }
  return text;
}

std::string peak_text(const ExperimentPlan& plan) {
  return fmt::format("peak memory      {} a worker, {} workers at once; this machine has {}\n", bytes_text(plan.peak()),
                     plan.workers, bytes_text(plan.machine.memory));
}

// Hours on one GPU, where passes reach one share of its peak and decoding another of its memory's bandwidth.
double gpu_hours(const JobCosts& costs, const RatePeak& peak, double of_peak, double of_bandwidth) {
  const double passes = costs.pass_flops / (peak.flops * of_peak);
  const double decoding =
      std::max(costs.decode_flops / (peak.flops * of_peak), costs.decode_bytes / (peak.bytes * of_bandwidth));
  return (passes + decoding) / 3600;
}

// Two digits, without an exponent.
std::string hours_text(double hours) {
  const double unit = std::pow(10, std::floor(std::log10(std::max(hours, 1e-6))) - 1);
  const double rounded = std::round(hours / unit) * unit;
  return rounded >= 10 ? fmt::format("{:.0f}", rounded) : fmt::format("{:.2g}", rounded);
}

std::string time_text(const ExperimentPlan& plan) {
  const JobCosts& costs = plan.costs;
  const double flops = costs.pass_flops + costs.decode_flops;
  std::string text = fmt::format("operations       {:.3g} at most (two for a multiply-add)\n", flops);
  const MachineFacts& machine = plan.machine;
  if (machine.numerics.numerics.device.is_cuda()) {
    return text +
           fmt::format(
               "time             {} to {} h on one {}{}, one cell after another; not measured\n"
               "                 (assumed: passes reach 45 to 20 % of its {:.0f} TFLOP/s, decoding 60 to 15 % of its {:.1f} "
               "TB/s; every response as long as it may be)\n",
               hours_text(gpu_hours(costs, machine.gpu_peak, 0.45, 0.6)),
               hours_text(gpu_hours(costs, machine.gpu_peak, 0.2, 0.15)), machine.gpu,
               machine.gpu_is_here ? "" : " (none here that is known)", machine.gpu_peak.flops / 1e12,
               machine.gpu_peak.bytes / 1e12);
  }
  // A whole run reaches about a third of one product's rate (attention, sampling, small matrices).
  const double hours = flops / (machine.matrix_rate * 0.33) / static_cast<double>(plan.workers) / 3600;
  return text + fmt::format(
                    "time, at most    {:.3g} h here ({:.0f} GFLOP/s measured on one product in {}, {} threads; a third of it "
                    "assumed)\n",
                    hours, machine.matrix_rate / 1e9, machine.numerics.numerics.dtype == torch::kFloat32 ? "fp32" : "bf16",
                    machine.numerics.threads);
}

std::string row_of_table(const std::string& name, const std::vector<std::string>& values) {
  std::string text = fmt::format("                 {:<44}", name);
  for (const std::string& value : values) text += fmt::format(" {:>6}", value);
  return text + "\n";
}

// The smallest differences by the number of training seeds.
std::string seeds_table(const Detectable& d) {
  std::vector<std::string> seeds, family, column, alone;
  for (const DetectableBySeeds& by : d.by_seeds) {
    seeds.push_back(std::to_string(by.seeds));
    family.push_back(fmt::format("{:.1f}", by.family));
    column.push_back(fmt::format("{:.1f}", by.column));
    alone.push_back(fmt::format("{:.1f}", by.alone));
  }
  std::string text = row_of_table("training seeds a row (--seeds)", seeds);
  text += row_of_table(fmt::format("points, all {} comparisons of the table", d.comparisons), family);
  if (d.rows > 1 && d.rows < d.comparisons) {
    text += row_of_table(fmt::format("table.primary = [\"{}\"], {} of them", d.column, d.rows), column);
  }
  if (d.comparisons > 1) text += row_of_table("one comparison alone", alone);
  return text;
}

// What the rule will say and cost, by true difference.
std::string forecasts_text(const ExperimentPlan& plan) {
  if (plan.forecasts.empty()) return "";
  std::string text = fmt::format("rule             {}\n", rule_text(plan.rule));
  std::vector<std::string> differences, better, equivalent, undecided, seeds;
  const auto share = [](double value) { return fmt::format("{:.0f} %", 100 * value); };
  for (const RuleForecast& one : plan.forecasts) {
    differences.push_back(fmt::format("{:.0f}", 100 * one.difference));
    better.push_back(share(one.better));
    equivalent.push_back(share(one.equivalent));
    undecided.push_back(share(one.undecided));
    seeds.push_back(fmt::format("{:.1f}", one.seeds));
  }
  text += row_of_table("one comparison, true difference in points", differences);
  text += row_of_table("called better", better);
  if (plan.rule.margin > 0)
    text += row_of_table(fmt::format("called equivalent within {:.3g}", 100 * plan.rule.margin), equivalent);
  text += row_of_table("undecided", undecided);
  text += row_of_table("training seeds a row", seeds);
  return text +
         fmt::format(
             "                 (simulated with the judgement of the tables; assumed: {:.1f} points of standard deviation of a "
             "paired difference between seeds: --seed-deviation)\n",
             plan.detectable.seed_deviation);
}

std::string detectable_text(const Detectable& d) {
  if (d.comparisons == 0) {
    return "can show         no difference: no row names another to be compared with (compare_to)\n";
  }
  const std::string assumed = fmt::format(
      "                 (smaller ones are mostly missed; assumed: {} samples of each problem, {:.1f} points of standard "
      "deviation between seeds: --seed-deviation)\n",
      d.samples, d.seed_deviation);
  if (d.seeds == 1) {
    return "can show         no difference: with one training seed a row nothing is known of the spread between seeds; with "
           "more, "
           "of pass@1:\n" +
           seeds_table(d) + assumed;
  }
  const auto planned =
      std::find_if(d.by_seeds.begin(), d.by_seeds.end(), [&](const DetectableBySeeds& by) { return by.seeds == d.seeds; });
  std::string text = fmt::format(
      "can show         with {:.0f} % power a difference of {:.1f} points of pass@1 over all {} problems with the {} seeds "
      "planned: found four times in five\n",
      100 * d.power, planned->family, d.problems, d.seeds);
  if (d.sets > 1) {
    text +=
        fmt::format("                 and of {:.1f} points on one set of {} problems\n", d.points_of_set, d.problems / d.sets);
  }
  return text + seeds_table(d) + assumed;
}

}  // namespace

std::string plan_text(const ExperimentPlan& plan) {
  std::string text;
  if (!plan.scale_note.empty()) text += fmt::format("scale            {}\n", plan.scale_note);
  text +=
      fmt::format("cells            {} ({} done){}\n", plan.jobs, plan.done,
                  plan.rule.kind == SeedRule::Kind::fixed ? "" : ", to the next look of the rule below; so is what follows");
  text +=
      fmt::format("problems         training: {}\n                 test: {}\n", count_text(plan.train), count_text(plan.test));
  for (const ModelMemory& model : plan.models) text += model_text(model);
  if (!plan.models.empty()) {
    text += fmt::format("tokens, at most  {:.3g} sampled in training (before refills), {:.3g} in evaluation\n",
                        plan.costs.train_tokens, plan.costs.eval_tokens);
    if (plan.machine.numerics.numerics.device.is_cpu()) text += peak_text(plan);
    text += fmt::format("disk             {}\n", bytes_text(plan.costs.disk_bytes));
    text += time_text(plan);
  }
  if (!plan.unknown_models.empty()) {
    text += fmt::format("not counted      models whose folder is not there yet: {}\n", fmt::join(plan.unknown_models, ", "));
  }
  if (plan.train.unknown.empty()) {
    text += fmt::format("visits           {:.1f} a training problem (before refills)\n", plan.visits);
  }
  text += plan.rule.kind == SeedRule::Kind::fixed ? detectable_text(plan.detectable) : "";
  text += forecasts_text(plan);
  for (const std::string& also : plan.also) text += fmt::format("then             {}\n", also);
  return text;
}

}  // namespace harness
