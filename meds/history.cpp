#include "meds/history.h"

#include <algorithm>
#include <map>
#include <utility>

#include "harness/cluster/nearest.h"
#include "harness/core/random.h"

namespace meds {

namespace {

template <typename T>
void drop_front(std::vector<T>& values, int64_t count) {
  values.erase(values.begin(), values.begin() + count);
}

// Equal ids get equal labels, numbered by first appearance.
std::vector<int64_t> labels_by_equality(const std::vector<int32_t>& ids) {
  std::map<int32_t, int64_t> label_of;
  std::vector<int64_t> labels;
  for (const int32_t id : ids) labels.push_back(label_of.emplace(id, static_cast<int64_t>(label_of.size())).first->second);
  return labels;
}

}  // namespace

bool History::is_comparable(const Settings& settings, const harness::Sample& sample) {
  if (settings.cluster == ClusterMode::answers) return sample.has_answer;
  if (settings.cluster == ClusterMode::labels) return !sample.error_label.empty();
  return !sample.fingerprint.empty();
}

std::vector<double> History::normalised(std::span<const float> rows, int64_t n) const {
  const std::vector<double> wide(rows.begin(), rows.end());
  return harness::normalised_rows(wide, n, dimension_);
}

harness::IncrementalClusters History::no_clusters() const {
  return harness::IncrementalClusters(dimension_, {.min_cluster_size = static_cast<int>(settings_.min_cluster_size),
                                                   .min_samples = static_cast<int>(settings_.min_samples),
                                                   .min_cluster_share = settings_.min_cluster_share});
}

int64_t History::size_of(int64_t label) const {
  if (label < 0 && !settings_.noise_counts) return 0;
  return counts_[static_cast<size_t>(label + 1)];
}

void History::open_window(int64_t step) {
  if (settings_.window_steps == 0) return;
  forget(std::lower_bound(steps_.begin(), steps_.end(), step - settings_.window_steps) - steps_.begin());
  settle();
}

void History::close_window() {
  if (settings_.max_per_problem > 0) forget(size() - settings_.max_per_problem);
}

Recalled History::recall(const harness::Sample& sample, const TextIds& own) const {
  Recalled recalled;
  if (size() == 0 || !is_comparable(settings_, sample)) return recalled;
  recalled.had_history = true;
  if (settings_.cluster == ClusterMode::single) {
    recalled.label = 0;
  } else if (settings_.cluster == ClusterMode::density) {
    recalled.size = harness::points_within(clusters_.points(), normalised(sample.fingerprint, 1), settings_.radius);
  } else if (settings_.needs_fingerprints()) {
    const std::vector<double> query = normalised(sample.fingerprint, 1);
    recalled.label = harness::nearest_vote(clusters_.points(), labels_, query, settings_.k, settings_.tie);
  } else {
    const bool by_answer = settings_.cluster == ClusterMode::answers;
    const std::vector<int32_t>& ids = by_answer ? answers_ : error_labels_;
    const auto found = std::find(ids.begin(), ids.end(), by_answer ? own.answer : own.error_label);
    if (found != ids.end()) recalled.label = labels_[static_cast<size_t>(found - ids.begin())];
  }
  if (recalled.label) recalled.size = size_of(*recalled.label);
  return recalled;
}

Recalled History::recall_stored(int64_t i) const {
  if (settings_.cluster == ClusterMode::density) {
    std::vector<double> own(static_cast<size_t>(dimension_));
    clusters_.points().copy_point(i, own.data());
    return {size() > 1, std::nullopt, harness::points_within(clusters_.points(), own, settings_.radius) - 1};
  }
  const int64_t label = labels_[static_cast<size_t>(i)];
  return {size() > 1, label, std::max<int64_t>(size_of(label) - 1, 0)};
}

void History::add(const harness::Sample& sample, const TextIds& ids, int64_t step) {
  if (!is_comparable(settings_, sample)) return;
  if (settings_.needs_fingerprints()) {
    if (dimension_ == 0) {
      dimension_ = static_cast<int64_t>(sample.fingerprint.size());
      clusters_ = no_clusters();
    }
    vectors_.insert(vectors_.end(), sample.fingerprint.begin(), sample.fingerprint.end());
  }
  steps_.push_back(step);
  answers_.push_back(ids.answer);
  error_labels_.push_back(ids.error_label);
  ++unsettled_;
}

void History::settle() {
  const int64_t appended = std::exchange(unsettled_, 0);
  if (appended == 0) return;
  if (settings_.cluster == ClusterMode::single) {
    labels_.assign(steps_.size(), 0);
  } else if (!settings_.needs_fingerprints()) {
    labels_ = labels_by_equality(settings_.cluster == ClusterMode::answers ? answers_ : error_labels_);
  } else {
    const std::span<const float> rows(vectors_.data() + (size() - appended) * dimension_,
                                      static_cast<size_t>(appended * dimension_));
    clusters_.append(normalised(rows, appended), appended);
    labels_ = clusters_.labels();
    if (settings_.cluster == ClusterMode::random) {
      const harness::RandomStream stream("meds random labels", {static_cast<uint64_t>(settings_.random_seed), problem_,
                                                                correct_ ? 1ULL : 0ULL, static_cast<uint64_t>(size())});
      const std::vector<int64_t> order = stream.permutation(size());
      for (size_t i = 0; i < labels_.size(); ++i) labels_[i] = clusters_.labels()[static_cast<size_t>(order[i])];
    }
  }
  count_labels();
}

void History::count_labels() {
  counts_.assign(1, 0);
  for (const int64_t label : labels_) {
    if (static_cast<size_t>(label + 1) >= counts_.size()) counts_.resize(static_cast<size_t>(label + 2), 0);
    ++counts_[static_cast<size_t>(label + 1)];
  }
}

// The oldest `count` go; the rest is to be clustered from nothing.
void History::forget(int64_t count) {
  if (count <= 0) return;
  drop_front(steps_, count);
  drop_front(answers_, count);
  drop_front(error_labels_, count);
  if (settings_.needs_fingerprints()) drop_front(vectors_, count * dimension_);
  clusters_ = no_clusters();
  labels_.clear();
  counts_.assign(1, 0);
  unsettled_ = size();
}

void History::restore(std::span<const float> vectors, std::span<const int64_t> steps, std::span<const int32_t> answers,
                      std::span<const int32_t> error_labels) {
  vectors_.assign(vectors.begin(), vectors.end());
  steps_.assign(steps.begin(), steps.end());
  answers_.assign(answers.begin(), answers.end());
  error_labels_.assign(error_labels.begin(), error_labels.end());
  if (!vectors_.empty()) {
    dimension_ = static_cast<int64_t>(vectors_.size()) / size();
    clusters_ = no_clusters();
  }
  unsettled_ = size();
}

}  // namespace meds
