#include "harness/experiment/jobs/identity.h"

#include <fmt/format.h>

#include "harness/core/hash.h"
#include "harness/model/transformer.h"
#include "harness/train/states/shares.h"

namespace harness {

namespace {

template <typename T>
T value_of(const Config::Entries& effective, const std::string& key, T fallback) {
  const auto found = effective.find(key);
  return found == effective.end() ? fallback : std::get<T>(found->second.value);
}

std::vector<std::string> keys_without_result(const Config::Entries& effective) {
  std::vector<std::string> keys = {
      "model.folder",     "data.dir",        "model.start", "method.threads",          "checkpoint.every",
      "eval.checkpoints", "train.processes", "train.shard", "train.offload_optimizer", "train.offload_reference"};
  for (const auto& [key, entry] : effective) {
    if (key.starts_with("alarm.")) keys.push_back(key);
  }
  if (value_of(effective, "numerics.strict", true)) {
    keys.insert(keys.end(), {"numerics.threads", "rollout.max_rows"});
  }
  // Newer than finished runs; empty they change nothing.
  for (const char* key : {"data.problem_field", "data.answer_field"}) {
    if (value_of<std::string>(effective, key, "").empty()) keys.emplace_back(key);
  }
  // Likewise at these values, their defaults.
  for (const auto& [key, neutral] : {std::pair("method.min_cluster_share", 0.0), std::pair("method.radius", 0.05)}) {
    if (value_of(effective, key, neutral) == neutral) keys.emplace_back(key);
  }
  return keys;
}

// What the arithmetic of a job is called: bf16 on the CPU has changed once more than the rest.
std::string numerics_version(const Config::Entries& effective) {
  const bool pairs = value_of<std::string>(effective, "numerics.dtype", "fp32") == "bf16" &&
                     value_of<std::string>(effective, "numerics.device", "cpu") == "cpu";
  return fmt::format("{}{}", kNumericsVersion, pairs ? ", bf16 2" : "");
}

}  // namespace

std::string job_identity(const Config::Entries& effective, const std::string& kind) {
  std::string what = kind;
  if (const int64_t count = value_of<int64_t>(effective, "train.processes", 1); count > 1) {
    what += fmt::format(" by {} processes", count);
  }
  // Shared gradients are summed over the processes for each micro-batch, whole ones once.
  if (shard_of(value_of<std::string>(effective, "train.shard", "none")) >= Shard::gradients) what += ", gradients shared";
  // AdamW of the CPU rounds otherwise than that of a GPU.
  if (value_of(effective, "train.offload_optimizer", false) &&
      value_of<std::string>(effective, "numerics.device", "cpu") == "cuda") {
    what += ", AdamW on the CPU";
  }
  return sha256_hex(
      fmt::format("{} {} {}", what, numerics_version(effective), entries_hash(effective, keys_without_result(effective))));
}

std::string eval_identity(const Config::Entries& effective) {
  std::vector<std::string> keys = keys_without_result(effective);
  keys.insert(keys.end(), {"eval.n", "eval.outcomes_folder"});
  if (value_of(effective, "numerics.strict", true)) keys.emplace_back("eval.max_rows");
  return sha256_hex(fmt::format("eval {} {}", numerics_version(effective), entries_hash(effective, keys)));
}

}  // namespace harness
