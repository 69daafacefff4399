// ClusterWatch: clusters a training's wrong responses under several layer choices at once, and holds them against the truth.
//
// It measures and changes nothing. One set of responses serves every choice, so that choices differ in their clusters alone.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/cluster/hdbscan.h"
#include "harness/metrics/cluster_agreement.h"
#include "harness/rollout/fingerprint.h"
#include "meds/memory.h"

namespace meds {

// What is clustered: layers of the readout, or a control that needs none of them.
struct WatchedChoice {
  enum class Kind { layers, single, answers };
  std::string name;
  Kind kind = Kind::layers;
  harness::LayerChoice layers;
};

// A list with commas of LAYERS ("half", "all", "lastN"), LAYERS-diff (first differences), "single" (all of a problem's) and
// "answers" (equal normalised answers). Throws Error for another text, an empty list, a name that stands twice.
std::vector<WatchedChoice> watched_choices(const std::string& list);

class ClusterWatch {
 public:
  // At least one choice.
  explicit ClusterWatch(std::vector<WatchedChoice> choices);

  // One training step: adds its wrong responses that have a readout (Sample::readout, all layers [L]) and measures
  // everything stored so far. Values by name:
  //   clusters/CHOICE/TRUTH/MEASURE  of the stored wrong responses of each problem with two at least, weighted by their number;
  //                                  TRUTH: labels (true error labels), labels_without_slips (slips left out after
  //                                  clustering), answers (equal answers); MEASURE: adjusted_rand, homogeneity, completeness,
  //                                  purity (harness/metrics/cluster_agreement.h); noise (-1) is one cluster
  //   clusters/CHOICE/differ         share of pairs of stored wrong responses of one problem, both with a true error label, on
  //                                  which clusters and equal answers disagree (together in one, apart in the other); noise is
  //                                  in no cluster here, so apart from all
  //   clusters/CHOICE/right_where_differ  of those pairs the share on which the clusters agree with the true labels; on the
  //                                  others the answers do
  //   clusters/CHOICE/place          number of the choice in the list
  //   clusters/CHOICE/noise          share of the stored that are in no cluster
  //   clusters/CHOICE/per_problem    clusters a problem, mean over problems with two stored responses at least
  //   cluster_size/N                 first choice: share of clusters that hold N responses or more, but fewer than the next N
  //   eigen_ratio, eigen_ratio_pooled  first choice, all responses of the step: largest covariance eigenvalue over the trace,
  //                                  mean over problems, and of all problems together
  //   repeated_answer_share          of the step's wrong responses with an answer: an earlier step stored the same one
  //   repeated_label_share           the same of true error labels, slips left out
  // What is undefined (nothing stored, no labels) is left out.
  harness::Metrics observe(std::span<const harness::Sample> samples, int64_t step);

  // FOLDER/cluster_probe.json and cluster_probe-*.safetensors, as a memory of MEDS.
  void save(const std::string& folder, const std::string& previous = "") const;
  // Throws Error for a damaged file or a newer version.
  void load(const std::string& folder);

  // Clusters of the stored wrong responses of one problem under choice number `choice`; -1 is noise.
  [[nodiscard]] std::vector<int64_t> labels(uint64_t problem, size_t choice) const;

 private:
  struct Watched {
    std::vector<harness::IncrementalClusters> clusters;  // one a choice of layers
    int64_t clustered = 0;                               // stored responses that the clusters hold
  };
  void cluster_new(const History& history, Watched& watched) const;
  [[nodiscard]] std::vector<int64_t> labels_of(const History& history, const Watched& watched, size_t choice) const;
  void measure_choice(size_t choice, harness::Metrics& values) const;
  void measure_step(std::span<const harness::Sample> samples, harness::Metrics& values) const;

  std::vector<WatchedChoice> choices_;
  ErrorMemory memory_;  // readouts as they came, wrong responses only
  std::map<uint64_t, Watched> watched_;
};

}  // namespace meds
