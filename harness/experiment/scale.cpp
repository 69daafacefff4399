#include "harness/experiment/scale.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace harness {

namespace {

int64_t scaled(int64_t value, double factor, int64_t least) {
  return std::max(std::min(value, least), static_cast<int64_t>(std::llround(static_cast<double>(value) * factor)));
}

double updates_of(int64_t steps, int64_t prompts, int64_t mini_batch) {
  return static_cast<double>(steps) * std::ceil(static_cast<double>(prompts) / static_cast<double>(mini_batch));
}

}  // namespace

std::vector<ScaledKey> scaled_keys(const TrainSettings& train, int64_t eval_n, double scale) {
  if (scale == 1) return {};
  const auto times = [&](const char* key, int64_t before, int64_t least) {
    return ScaledKey{key, before, scaled(before, scale, least)};
  };
  const ScaledKey steps = times("train.steps", train.steps, 1);
  const ScaledKey prompts = times("train.prompts_per_step", train.prompts_per_step, 1);
  const ScaledKey mini_batch = times("train.mini_batch_prompts", train.mini_batch_prompts, 1);
  std::vector<ScaledKey> keys = {steps, prompts, mini_batch, times("train.responses_per_prompt", train.responses_per_prompt, 2),
                                 times("eval.n", eval_n, 1)};
  if (const int64_t warmup = train.optimizer.warmup_updates; warmup > 0) {
    const double share =
        updates_of(steps.after, prompts.after, mini_batch.after) / updates_of(steps.before, prompts.before, mini_batch.before);
    keys.push_back({"optimizer.warmup_updates", warmup, scaled(warmup, share, 0)});
  }
  return keys;
}

std::string scale_note(double scale, const std::vector<std::vector<ScaledKey>>& rows) {
  std::vector<std::string> keys;
  for (const auto& row : rows) {
    for (const ScaledKey& entry : row) {
      if (entry.before == entry.after) continue;
      if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) keys.push_back(entry.key);
    }
  }
  std::vector<std::string> parts;
  for (const std::string& key : keys) {
    std::vector<std::string> values;
    for (const auto& row : rows) {
      for (const ScaledKey& entry : row) {
        const std::string value = fmt::format("{} to {}", entry.before, entry.after);
        if (entry.before == entry.after || entry.key != key) continue;
        if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
      }
    }
    parts.push_back(fmt::format("{} {}", key, fmt::join(values, " or ")));
  }
  return fmt::format("Not the experiment as its file has it, but scaled by {} (--scale): {}.", scale, fmt::join(parts, ", "));
}

std::vector<int64_t> scaled_steps(const std::vector<int64_t>& steps, int64_t before, int64_t after) {
  std::vector<int64_t> now;
  for (const int64_t step : steps) now.push_back((2 * step * after + before) / (2 * before));  // rounded
  now.erase(std::unique(now.begin(), now.end()), now.end());
  return now;
}

std::vector<int64_t> reachable_k(const std::vector<int64_t>& k, int64_t n) {
  std::vector<int64_t> reached;
  for (const int64_t value : k) {
    const int64_t least = std::min(value, n);
    if (std::find(reached.begin(), reached.end(), least) == reached.end()) reached.push_back(least);
  }
  return reached;
}

}  // namespace harness
