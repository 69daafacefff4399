// Settings of MEDS: every choice of the method as a key, with the value of the published recipe as default.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "harness/cluster/nearest.h"
#include "harness/core/config_reader.h"

namespace meds {

// Which responses are penalised.
enum class PenaltyTarget { wrong, right, both, none };

// What makes two stored responses of one problem "the same error":
// hdbscan: clusters of fingerprints (the method); single: all of a problem's (pure count); answers: equal normalised answers;
// random: the clusters of hdbscan with their labels dealt out at random (same sizes); labels: equal true error labels (oracle);
// density: no clusters, the size is the number of stored fingerprints within `radius`.
enum class ClusterMode { hdbscan, single, answers, random, labels, density };

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
  double min_cluster_share = 0;  // smallest cluster as a share of the history; the larger of both holds
  int64_t min_samples = 1;
  double radius = 0.05;     // of cluster = "density": Euclidean distance of normalised fingerprints
  int64_t random_seed = 0;  // of cluster = "random"
  int64_t threads = 1;      // over problems; changes no result
  std::string preset;       // "reference": every key but alpha must have the value of the recipe

  [[nodiscard]] bool needs_fingerprints() const;
  // Whether stored responses are ever dropped.
  [[nodiscard]] bool forgets() const { return current_only || window_steps > 0 || max_per_problem > 0; }
  [[nodiscard]] bool needs_answers() const { return cluster == ClusterMode::answers; }
  [[nodiscard]] bool needs_error_labels() const { return cluster == ClusterMode::labels; }
};

// The keys that shape the stored memory or what is read from it, as name -> text; a saved memory carries them. Those of a
// departure (min_cluster_share, radius) are there only where it is made.
std::map<std::string, std::string> memory_keys(const Settings& settings);

PenaltyTarget penalty_target(const std::string& name);
ClusterMode cluster_mode(const std::string& name);
harness::VoteTie vote_tie(const std::string& name);
std::string to_string(PenaltyTarget target);
std::string to_string(ClusterMode mode);
std::string to_string(harness::VoteTie tie);

// Throws Error for combinations that contradict each other, and for keys that the preset fixes.
void check_settings(const Settings& settings);

// Reads the method's keys and checks them.
Settings read_settings(harness::MethodKeys& keys);

}  // namespace meds
