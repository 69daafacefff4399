#include "meds/settings.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "harness/core/error.h"

namespace meds {

namespace {

template <typename Value, size_t N>
Value value_of(const std::array<std::pair<Value, const char*>, N>& names, const std::string& name) {
  for (const auto& [value, text] : names) {
    if (name == text) return value;
  }
  throw harness::Error("expected one of the names of this key, found \"{}\"", name);
}

template <typename Value, size_t N>
std::string name_of(const std::array<std::pair<Value, const char*>, N>& names, Value value) {
  for (const auto& [candidate, text] : names) {
    if (candidate == value) return text;
  }
  return "";
}

constexpr std::array<std::pair<PenaltyTarget, const char*>, 4> kTargets = {{{PenaltyTarget::wrong, "wrong"},
                                                                            {PenaltyTarget::right, "right"},
                                                                            {PenaltyTarget::both, "both"},
                                                                            {PenaltyTarget::none, "none"}}};
constexpr std::array<std::pair<ClusterMode, const char*>, 6> kModes = {{{ClusterMode::hdbscan, "hdbscan"},
                                                                        {ClusterMode::single, "single"},
                                                                        {ClusterMode::answers, "answers"},
                                                                        {ClusterMode::random, "random"},
                                                                        {ClusterMode::labels, "labels"},
                                                                        {ClusterMode::density, "density"}}};
constexpr std::array<std::pair<harness::VoteTie, const char*>, 3> kTies = {
    {{harness::VoteTie::smallest, "smallest"}, {harness::VoteTie::largest, "largest"}, {harness::VoteTie::nearest, "nearest"}}};

std::string truth(bool value) { return value ? "true" : "false"; }

}  // namespace

PenaltyTarget penalty_target(const std::string& name) { return value_of(kTargets, name); }
ClusterMode cluster_mode(const std::string& name) { return value_of(kModes, name); }
harness::VoteTie vote_tie(const std::string& name) { return value_of(kTies, name); }
std::string to_string(PenaltyTarget target) { return name_of(kTargets, target); }
std::string to_string(ClusterMode mode) { return name_of(kModes, mode); }
std::string to_string(harness::VoteTie tie) { return name_of(kTies, tie); }

bool Settings::needs_fingerprints() const { return !needs_answers() && !needs_error_labels(); }

std::map<std::string, std::string> memory_keys(const Settings& s) {
  std::map<std::string, std::string> keys = {{"cluster", to_string(s.cluster)},
                                             {"current_only", truth(s.current_only)},
                                             {"history_only", truth(s.history_only)},
                                             {"k", std::to_string(s.k)},
                                             {"max_per_problem", std::to_string(s.max_per_problem)},
                                             {"min_cluster_size", std::to_string(s.min_cluster_size)},
                                             {"min_samples", std::to_string(s.min_samples)},
                                             {"noise_counts", truth(s.noise_counts)},
                                             {"random_seed", std::to_string(s.random_seed)},
                                             {"tie", to_string(s.tie)},
                                             {"window_steps", std::to_string(s.window_steps)}};
  if (s.min_cluster_share > 0) keys["min_cluster_share"] = fmt::format("{}", s.min_cluster_share);
  if (s.cluster == ClusterMode::density) keys["radius"] = fmt::format("{}", s.radius);
  return keys;
}

void check_settings(const Settings& s) {
  if (s.preset == "reference") {
    Settings recipe;
    recipe.preset = s.preset;
    const auto fixed = memory_keys(recipe);
    for (const auto& [key, given] : memory_keys(s)) {
      const auto found = fixed.find(key);
      const std::string expected = found == fixed.end() ? "none" : found->second;
      if (given != expected) {
        throw harness::Error("method.{}: expected {} with method.preset \"reference\", found {}", key, expected, given);
      }
    }
    if (s.target != PenaltyTarget::wrong) {
      throw harness::Error("method.penalty_target: expected wrong with method.preset \"reference\", found {}",
                           to_string(s.target));
    }
    if (s.beta != 2 * s.alpha) {
      throw harness::Error("method.beta: expected 2 * alpha = {} with method.preset \"reference\", found {}", 2 * s.alpha,
                           s.beta);
    }
  }
  if (s.current_only && (s.max_per_problem != 0 || s.window_steps != 0)) {
    throw harness::Error("method.current_only: expected no method.max_per_problem and no method.window_steps beside it");
  }
}

Settings read_settings(harness::MethodKeys& keys) {
  constexpr int64_t kMost = 1'000'000'000;
  Settings s;
  s.preset = keys.text("preset", "", {"", "reference"}, "\"reference\": refuses every departure from the published recipe");
  s.alpha = keys.number("alpha", s.alpha, 0, 1e6, "penalty a unit of ln(size + 1)");
  s.beta = keys.number("beta", 2 * s.alpha, 0, 1e6, "largest penalty; 2 * alpha where absent");
  s.target = penalty_target(keys.text("penalty_target", "wrong", {"wrong", "right", "both", "none"}, "responses penalised"));
  s.cluster = cluster_mode(keys.text("cluster", "hdbscan", {"hdbscan", "single", "answers", "random", "labels", "density"},
                                     "what makes two responses the same error"));
  s.noise_counts = keys.boolean("noise_counts", s.noise_counts, "noise (-1) has a size like any other label");
  s.history_only = keys.boolean("history_only", s.history_only, "look-up before the step's own responses are added");
  s.current_only = keys.boolean("current_only", s.current_only, "no memory: each step knows only itself");
  s.k = keys.integer("k", s.k, 1, kMost, "neighbours that vote");
  s.tie = vote_tie(keys.text("tie", "smallest", {"smallest", "largest", "nearest"}, "label that wins a tied vote"));
  s.max_per_problem = keys.integer("max_per_problem", 0, 0, kMost, "newest vectors kept of a problem; 0: all");
  s.window_steps = keys.integer("window_steps", 0, 0, kMost, "only the last so many steps are kept; 0: all");
  s.min_cluster_size = keys.integer("min_cluster_size", s.min_cluster_size, 2, kMost, "smallest cluster");
  s.min_cluster_share =
      keys.number("min_cluster_share", s.min_cluster_share, 0, 1, "smallest cluster as a share of the history");
  s.min_samples = keys.integer("min_samples", s.min_samples, 1, kMost, "neighbours of the core distance");
  s.radius = keys.number("radius", s.radius, 1e-9, 2, "of cluster = \"density\": fingerprints that count as near");
  s.random_seed = keys.integer("random_seed", 0, 0, kMost, "seed of cluster = \"random\"");
  s.threads = keys.integer("threads", s.threads, 1, 256, "threads over problems; changes no result");
  check_settings(s);
  return s;
}

}  // namespace meds
