// An ExperimentPlan for people.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include "harness/plan/experiment_plan.h"

namespace harness {

namespace {

std::string bytes_text(double bytes) {
  return bytes > 1e9 ? fmt::format("{:.1f} GB", bytes / 1e9) : fmt::format("{:.0f} MB", bytes / 1e6);
}

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
  std::string text;
  for (const TooFewPositions& few : model.too_few_positions) {
    text += fmt::format(
        "warning          {}: {} + {} tokens of prompt and response do not fit the {} positions of {} (key positions of "
        "[models.NAME])\n",
        few.row, few.prompt_tokens, few.response_tokens, few.positions, few.model);
  }
  text += fmt::format("model            {}: {:.3f} G parameters\n", model.model, model.parameters / 1e9);
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
  const double peak = plan.peak();
  std::string text = fmt::format("peak memory      {} a worker, {} workers at once; this machine has {}\n", bytes_text(peak),
                                 plan.workers, bytes_text(plan.machine.memory));
  if (peak * static_cast<double>(plan.workers) > plan.machine.memory) {
    text +=
        "warning          that is more than this machine has: fewer --jobs, train.micro_batch_responses, eval.max_rows, "
        "train.recompute_activations\n";
  }
  return text;
}

std::string time_text(const ExperimentPlan& plan) {
  std::string text = fmt::format("operations       {:.3g} at most (two for a multiply-add)\n", plan.costs.flops);
  const MachineFacts& machine = plan.machine;
  if (!machine.has_device) {
    return text + fmt::format("time             not measured: no CUDA device here; {:.3g} hours at 1e15 operations a second\n",
                              plan.costs.flops / 1e15 / 3600);
  }
  // A whole run reaches about a third of one product's rate (attention, sampling, small matrices).
  const double hours = plan.costs.flops / (machine.matrix_rate * 0.33) / static_cast<double>(plan.workers) / 3600;
  return text + fmt::format(
                    "time, at most    {:.3g} h here ({:.0f} GFLOP/s measured on one product in {}, {} threads; a third of it "
                    "assumed)\n",
                    hours, machine.matrix_rate / 1e9, machine.numerics.numerics.dtype == torch::kFloat32 ? "fp32" : "bf16",
                    machine.numerics.threads);
}

std::string detectable_text(const Detectable& d) {
  if (d.comparisons == 0) {
    return "can show         no difference: no row names another to be compared with (compare_to)\n";
  }
  if (d.seeds == 1) {
    return "can show         no difference: with one training seed a row nothing is known of the spread between seeds\n";
  }
  std::string text = fmt::format(
      "can show         with {:.0f} % power a difference of {:.1f} points of pass@1 over all {} problems ({:.1f} points if it "
      "were the only comparison)\n",
      100 * d.power, d.points, d.problems, d.points_alone);
  if (d.sets > 1) {
    text +=
        fmt::format("                 and of {:.1f} points on one set of {} problems\n", d.points_of_set, d.problems / d.sets);
  }
  return text +
         fmt::format(
             "                 (assumed: {} seeds, {} samples, {} comparisons in Holm's family, {:.1f} points of standard "
             "deviation between seeds: --seed-deviation)\n",
             d.seeds, d.samples, d.comparisons, d.seed_deviation);
}

}  // namespace

std::string plan_text(const ExperimentPlan& plan) {
  std::string text;
  if (!plan.scale_note.empty()) text += fmt::format("scale            {}\n", plan.scale_note);
  text += fmt::format("cells            {} ({} done)\n", plan.jobs, plan.done);
  text +=
      fmt::format("problems         training: {}\n                 test: {}\n", count_text(plan.train), count_text(plan.test));
  for (const ModelMemory& model : plan.models) text += model_text(model);
  text += fmt::format("tokens, at most  {:.3g} sampled in training (before refills), {:.3g} in evaluation\n",
                      plan.costs.train_tokens, plan.costs.eval_tokens);
  if (plan.machine.numerics.numerics.device.is_cpu()) text += peak_text(plan);
  text += fmt::format("disk             {}\n", bytes_text(plan.costs.disk_bytes));
  text += time_text(plan);
  if (!plan.unknown_models.empty()) {
    text += fmt::format("not counted      models whose folder is not there yet: {}\n", fmt::join(plan.unknown_models, ", "));
  }
  if (plan.train.unknown.empty()) {
    text += fmt::format("visits           {:.1f} a training problem (before refills)\n", plan.visits);
    if (plan.visits < 2) text += "warning          a method with a memory meets its problems fewer than twice\n";
  }
  text += detectable_text(plan.detectable);
  for (const std::string& also : plan.also) text += fmt::format("then             {}\n", also);
  return text;
}

}  // namespace harness
