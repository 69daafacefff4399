// ErrorMemory: fingerprints of earlier responses by problem and correctness; looks up, adds, clusters. What the look-up costs a
// response is said in penalty.h alone.
#pragma once

#include <cstdint>
#include <future>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "meds/history.h"
#include "meds/settings.h"

namespace meds {

// Texts as small ids, in order of first appearance. What is not UTF-8 is replaced as in JSON, so that a file gives it back.
class TextTable {
 public:
  int32_t intern(const std::string& text);
  // -1 where it never appeared.
  [[nodiscard]] int32_t find(const std::string& text) const;
  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
  std::unordered_map<std::string, int32_t> ids_;
};

// A map from problem and correctness to a history.
class ErrorMemory {
 public:
  struct Key {
    uint64_t problem = 0;
    bool correct = false;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  // Throws Error for settings that contradict each other.
  explicit ErrorMemory(Settings settings);

  // One training step (docs/method.md, "Memory"): every response is looked up in what earlier steps stored, then all are
  // added and their problems clustered anew. Returns what was found of each [samples]. Throws Error, with nothing changed, for
  // fingerprints of differing lengths or with numbers that are not finite. Steps ascend. Where only earlier steps are looked up
  // (`history_only`), the new clusters are made by a thread that goes on after this returns: beside the policy's update, for
  // instance; whoever needs them waits.
  std::vector<Recalled> recall_and_store(std::span<const harness::Sample> samples, int64_t step);

  // FOLDER/NAME.json and FOLDER/NAME-00000.safetensors and so on (memory_file.cpp); the same memory gives the same bytes. Files
  // that stand unchanged in the folder `previous`, where this memory was saved or loaded before, are linked from there.
  void save(const std::string& folder, const std::string& name = "meds", const std::string& previous = "") const;
  // Throws Error for a damaged file, a newer version or a memory of other settings; the memory is then unchanged.
  void load(const std::string& folder, const std::string& name = "meds");

  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] const std::map<Key, History>& histories() const {
    wait();
    return histories_;
  }
  // Numbers of a fingerprint; 0: none seen yet.
  [[nodiscard]] int64_t dimension() const { return dimension_; }
  // Responses stored.
  [[nodiscard]] int64_t size() const;
  // Responses to the same problem, as correct or wrong, with the same answer that earlier steps stored; 0 without an answer.
  [[nodiscard]] int64_t times_answered(const harness::Sample& sample) const;
  // The same of true error labels.
  [[nodiscard]] int64_t times_labelled(const harness::Sample& sample) const;
  // Texts behind the ids of the histories.
  [[nodiscard]] const TextTable& answers() const { return answers_; }
  [[nodiscard]] const TextTable& error_labels() const { return error_labels_; }

 private:
  struct Task;
  // Stored responses in the order in which they came.
  struct Log {
    struct Row {
      int32_t history = 0;  // place in `keys`
      int32_t place = 0;    // place in that history
    };
    std::vector<Row> rows;
    std::vector<Key> keys;  // in order of first appearance
    std::map<Key, int32_t> numbers;
    int32_t number_of(const Key& key);
  };
  void require_comparable(std::span<const harness::Sample> samples) const;
  [[nodiscard]] std::vector<Task> tasks_of(std::span<const harness::Sample> samples);
  void run_task(const Task& task, std::span<const harness::Sample> samples, int64_t step,
                std::vector<Recalled>& recalled) const;
  void wait() const;  // until the clusters of the last step stand
  void log_stored(std::span<const Task> tasks, std::span<const harness::Sample> samples);
  [[nodiscard]] Log log_of_histories() const;

  Settings settings_;
  int64_t dimension_ = 0;  // of fingerprints; 0: none seen
  std::map<Key, History> histories_;
  TextTable answers_;
  TextTable error_labels_;
  Log log_;                                  // empty where the settings forget
  mutable std::vector<std::string> sealed_;  // SHA-256 of the full files of `save` that have been written or read
  mutable std::future<void> clustering_;     // the last member: it ends before the histories do
};

// The settings a saved memory was made with (those that memory_keys names; alpha, beta and target stand at their defaults).
Settings saved_settings(const std::string& folder);

}  // namespace meds
