#include "experiments/cli/scale.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace experiments {

using harness::Config;

namespace {

int64_t scaled(int64_t value, double factor, int64_t least) {
  return std::max(std::min(value, least), static_cast<int64_t>(std::llround(static_cast<double>(value) * factor)));
}

// Bounds the product of two values that belong together.
constexpr int64_t kMost = 1'000'000'000;

int64_t all_updates(Config config) {
  const int64_t prompts = config.integer("train.prompts_per_step", 16, 1, kMost);
  const int64_t mini_batch = config.integer("train.mini_batch_prompts", 4, 1, kMost);
  return config.integer("train.steps", 36, 1, kMost) * ((prompts + mini_batch - 1) / mini_batch);
}

}  // namespace

std::vector<ScaledKey> apply_scale(Config& config, double scale) {
  std::vector<ScaledKey> changed;
  if (scale == 1) return changed;
  Config reader = config;  // what is read of `config` itself would count as a key of the cells made from it
  const auto change = [&](const std::string& key, int64_t before, int64_t after) {
    config.set(key, Config::Value(after), "--scale");
    if (after != before) changed.push_back({key, before, after});
  };
  const int64_t updates = all_updates(config);
  const auto multiply = [&](const std::string& key, int64_t fallback, int64_t least) {
    const int64_t before = reader.integer(key, fallback, 1);
    change(key, before, scaled(before, scale, least));
  };
  multiply("train.steps", 36, 1);
  multiply("train.prompts_per_step", 16, 1);
  multiply("train.mini_batch_prompts", 4, 1);
  multiply("train.responses_per_prompt", 16, 2);
  multiply("eval.n", 128, 1);
  const int64_t warmup = reader.integer("optimizer.warmup_updates", 0, 0);
  if (warmup > 0) {
    const double share = static_cast<double>(all_updates(config)) / static_cast<double>(updates);
    change("optimizer.warmup_updates", warmup, scaled(warmup, share, 0));
  }
  return changed;
}

std::string scale_note(double scale, const std::vector<std::vector<ScaledKey>>& rows) {
  std::vector<std::string> keys;
  for (const auto& row : rows) {
    for (const ScaledKey& entry : row) {
      if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) keys.push_back(entry.key);
    }
  }
  std::vector<std::string> parts;
  for (const std::string& key : keys) {
    std::vector<std::string> values;
    for (const auto& row : rows) {
      for (const ScaledKey& entry : row) {
        const std::string value = fmt::format("{} to {}", entry.before, entry.after);
        if (entry.key == key && std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
      }
    }
    parts.push_back(fmt::format("{} {}", key, fmt::join(values, " or ")));
  }
  return fmt::format("Not the experiment as its file has it, but scaled by {} (--scale): {}.", scale, fmt::join(parts, ", "));
}

std::vector<int64_t> reachable_k(const std::vector<int64_t>& k, int64_t n) {
  std::vector<int64_t> reached;
  for (const int64_t value : k) {
    const int64_t least = std::min(value, n);
    if (std::find(reached.begin(), reached.end(), least) == reached.end()) reached.push_back(least);
  }
  return reached;
}

}  // namespace experiments
