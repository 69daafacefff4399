// History: what is remembered of one problem's wrong (or of its right) responses, and how they cluster.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/cluster/hdbscan.h"
#include "harness/train/method/sample.h"
#include "meds/settings.h"

namespace meds {

// A response's texts as ids of the memory's tables, -1 for none.
struct TextIds {
  int32_t answer = -1;
  int32_t error_label = -1;
};

// What a look-up found of one response.
struct Recalled {
  bool had_history = false;      // something was stored to compare with
  std::optional<int64_t> label;  // none: no history, no clusters (density), or (answers, labels) nothing equal in it
  int64_t size = 0;              // stored responses that bear the label; with density those near it
};

// Not safe to look into while another thread settles it (ErrorMemory waits).
class History {
 public:
  History(const Settings& settings, uint64_t problem, bool correct)
      : settings_(settings), problem_(problem), correct_(correct) {}

  // Whether such a response is remembered at all: it has what the cluster mode compares.
  [[nodiscard]] static bool is_comparable(const Settings& settings, const harness::Sample& sample);

  // Forgets what is older than the window at `step`.
  void open_window(int64_t step);
  // Looks up against what is stored and settled.
  [[nodiscard]] Recalled recall(const harness::Sample& sample, const TextIds& ids) const;
  // Stores a comparable response; `settle` clusters what was stored.
  void add(const harness::Sample& sample, const TextIds& ids, int64_t step);
  // Brings labels up to date with what is stored.
  void settle();
  // The stored response i as seen by the others (history_only = false): its own label, itself not counted.
  [[nodiscard]] Recalled recall_stored(int64_t i) const;
  // Forgets the oldest beyond `max_per_problem`; to be settled after it.
  void close_window();
  // Takes what a file holds; to be settled after it.
  void restore(std::span<const float> vectors, std::span<const int64_t> steps, std::span<const int32_t> answers,
               std::span<const int32_t> error_labels);

  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(steps_.size()); }
  [[nodiscard]] const std::vector<float>& vectors() const { return vectors_; }  // [n, D], empty where not compared
  // Of each stored response, oldest first [n].
  [[nodiscard]] const std::vector<int64_t>& labels() const { return labels_; }
  [[nodiscard]] const std::vector<int64_t>& steps() const { return steps_; }
  [[nodiscard]] const std::vector<int32_t>& answers() const { return answers_; }
  [[nodiscard]] const std::vector<int32_t>& error_labels() const { return error_labels_; }

 private:
  [[nodiscard]] std::vector<double> normalised(std::span<const float> rows, int64_t n) const;
  [[nodiscard]] harness::IncrementalClusters no_clusters() const;
  [[nodiscard]] int64_t size_of(int64_t label) const;
  void forget(int64_t count);
  void count_labels();

  Settings settings_;
  uint64_t problem_;
  bool correct_;
  int64_t dimension_ = 0;
  int64_t unsettled_ = 0;                  // newest responses that have no label yet
  harness::IncrementalClusters clusters_;  // normalised vectors
  std::vector<float> vectors_;             // [n, D] raw
  std::vector<int64_t> labels_;            // [n]
  std::vector<int64_t> counts_;            // of label l at l + 1
  std::vector<int64_t> steps_;             // [n] when stored, ascending
  std::vector<int32_t> answers_;           // [n]
  std::vector<int32_t> error_labels_;      // [n]
};

}  // namespace meds
