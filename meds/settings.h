// Settings of MEDS: every choice of the method as a key, with the value of the published recipe as default.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/cluster/nearest.h"
#include "harness/core/config.h"
#include "harness/core/error.h"

namespace meds {

// Which responses are penalised.
enum class PenaltyTarget { wrong, right, both, none };

// What makes two stored responses of one problem "the same error":
// hdbscan: clusters of fingerprints (the method); single: all of a problem's (pure count); answers: equal normalised answers;
// random: the clusters of hdbscan with their labels dealt out at random (same sizes); labels: equal true error labels (oracle).
enum class ClusterMode { hdbscan, single, answers, random, labels };

struct Settings {
  double alpha = 0.1;  // penalty a unit of ln(size + 1)
  double beta = 0.2;   // largest penalty; 2 * alpha where the key is absent
  PenaltyTarget target = PenaltyTarget::wrong;
  ClusterMode cluster = ClusterMode::hdbscan;
  bool noise_counts = true;   // label -1 has a size like any other label
  bool history_only = true;   // false: the step's own responses are added first, each counts the others
  bool current_only = false;  // no memory: each step knows only itself (then history_only is false too)
  int64_t k = 3;              // neighbours that vote
  harness::VoteTie tie = harness::VoteTie::smallest;
  int64_t max_per_problem = 0;  // newest vectors kept of one problem and correctness; 0: all
  int64_t window_steps = 0;     // only the last so many steps are kept; 0: all
  int64_t min_cluster_size = 2;
  int64_t min_samples = 1;
  int64_t random_seed = 0;  // of cluster = "random"
  int64_t threads = 1;      // over problems; changes no result
  std::string preset;       // "reference": every key but alpha must have the value of the recipe

  [[nodiscard]] bool needs_fingerprints() const;
  // Whether stored responses are ever dropped.
  [[nodiscard]] bool forgets() const { return current_only || window_steps > 0 || max_per_problem > 0; }
  [[nodiscard]] bool needs_answers() const { return cluster == ClusterMode::answers; }
  [[nodiscard]] bool needs_error_labels() const { return cluster == ClusterMode::labels; }
};

// The keys that shape the stored memory or what is read from it, as name -> text; a saved memory carries them.
std::vector<std::pair<std::string, std::string>> memory_keys(const Settings& settings);

PenaltyTarget penalty_target(const std::string& name);
ClusterMode cluster_mode(const std::string& name);
harness::VoteTie vote_tie(const std::string& name);
std::string to_string(PenaltyTarget target);
std::string to_string(ClusterMode mode);
std::string to_string(harness::VoteTie tie);

// Throws Error for combinations that contradict each other, and for keys that the preset fixes.
void check_settings(const Settings& settings);

// Reads method.KEY of a Config as harness::MethodKeys does for a method of a run.
class ConfigKeys {
 public:
  explicit ConfigKeys(harness::Config& config) : config_(config) {}
  double number(const std::string& key, double fallback, double low, double high, const std::string&) {
    return config_.number("method." + key, fallback, low, high);
  }
  int64_t integer(const std::string& key, int64_t fallback, int64_t low, int64_t high, const std::string&) {
    return config_.integer("method." + key, fallback, low, high);
  }
  bool boolean(const std::string& key, bool fallback, const std::string&) { return config_.boolean("method." + key, fallback); }
  std::string text(const std::string& key, const std::string& fallback, const std::vector<std::string>& choices,
                   const std::string&) {
    return config_.text("method." + key, fallback, choices);
  }

 private:
  harness::Config& config_;
};

// Keys: ConfigKeys or harness::MethodKeys.
template <typename Keys>
Settings read_settings(Keys& keys) {
  constexpr int64_t kMost = 1'000'000'000;
  Settings s;
  s.preset = keys.text("preset", "", {"", "reference"}, "\"reference\": refuses every departure from the published recipe");
  s.alpha = keys.number("alpha", s.alpha, 0, 1e6, "penalty a unit of ln(size + 1)");
  s.beta = keys.number("beta", 2 * s.alpha, 0, 1e6, "largest penalty; 2 * alpha where absent");
  s.target = penalty_target(keys.text("penalty_target", "wrong", {"wrong", "right", "both", "none"}, "responses penalised"));
  s.cluster = cluster_mode(keys.text("cluster", "hdbscan", {"hdbscan", "single", "answers", "random", "labels"},
                                     "what makes two responses the same error"));
  s.noise_counts = keys.boolean("noise_counts", s.noise_counts, "noise (-1) has a size like any other label");
  s.history_only = keys.boolean("history_only", s.history_only, "look-up before the step's own responses are added");
  s.current_only = keys.boolean("current_only", s.current_only, "no memory: each step knows only itself");
  s.k = keys.integer("k", s.k, 1, kMost, "neighbours that vote");
  s.tie = vote_tie(keys.text("tie", "smallest", {"smallest", "largest", "nearest"}, "label that wins a tied vote"));
  s.max_per_problem = keys.integer("max_per_problem", 0, 0, kMost, "newest vectors kept of a problem; 0: all");
  s.window_steps = keys.integer("window_steps", 0, 0, kMost, "only the last so many steps are kept; 0: all");
  s.min_cluster_size = keys.integer("min_cluster_size", s.min_cluster_size, 2, kMost, "smallest cluster");
  s.min_samples = keys.integer("min_samples", s.min_samples, 1, kMost, "neighbours of the core distance");
  s.random_seed = keys.integer("random_seed", 0, 0, kMost, "seed of cluster = \"random\"");
  s.threads = keys.integer("threads", s.threads, 1, 256, "threads over problems; changes no result");
  check_settings(s);
  return s;
}

}  // namespace meds
