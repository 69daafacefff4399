// For the tests of this folder: random steps, and the error memory once more as plain loops.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/cluster/testing.h"
#include "harness/core/random.h"
#include "harness/train/method/sample.h"
#include "meds/settings.h"

namespace meds {

// A step of an epoch over six problems, two prompts a step: problem 0 stands twice in the list. Four errors a problem, each
// with a fingerprint and an answer of its own more often than not; some responses lack one of them, none of problem 4 has a
// fingerprint. True error labels are drawn beside them, so that no mode can stand for another.
inline harness::StepBatch random_batch(int64_t step) {
  const std::vector<uint64_t> list = {0, 1, 2, 0, 3, 4};
  const harness::RandomStream stream("meds test", {static_cast<uint64_t>(step)});
  uint64_t draw = 0;
  harness::StepBatch batch{.step = step, .groups = 2, .samples = {}};
  for (int64_t group = 0; group < 2; ++group) {
    for (int64_t k = 0; k < 8; ++k) {
      harness::Sample sample;
      sample.group = group;
      sample.problem = list[static_cast<size_t>((2 * (step - 1) + group) % 6)];
      sample.correct = stream.uniform(draw++) < 0.3;
      sample.reward = (sample.correct ? 1.0 : 0.0) - (stream.uniform(draw++) < 0.2 ? 0.25 : 0.0);  // some are overlong
      const uint64_t error = stream.below(draw++, 4);
      const harness::RandomStream centre("meds test centre", {sample.problem, error});
      if (sample.problem != 4 && stream.uniform(draw++) < 0.85) {
        for (uint64_t d = 0; d < 3; ++d) {
          sample.fingerprint.push_back(static_cast<float>(centre.normal(d) + 0.05 * stream.normal(draw++)));
        }
      }
      sample.has_answer = stream.uniform(draw++) < 0.9;
      if (sample.has_answer) sample.answer = std::to_string(error + stream.below(draw++, 2));
      if (stream.uniform(draw++) < 0.8) sample.error_label = "error " + std::to_string(stream.below(draw++, 3));
      batch.samples.push_back(sample);
    }
  }
  return batch;
}

// The memory as its settings say it (arXiv 2604.11297 at their defaults): a list of samples a problem and correctness, every
// label made anew from all of it whenever one is looked up.
class PlainMemory {
 public:
  struct Found {
    bool had_history = false;
    std::optional<int64_t> label;
    int64_t size = 0;
    double score = 0;
  };

  explicit PlainMemory(const Settings& settings) : settings_(settings) {}

  // What is found of each sample and the score that is left of its reward; then all are stored.
  std::vector<Found> step(const std::vector<harness::Sample>& samples, int64_t step) {
    for (const harness::Sample& sample : samples) forget(stored_[key_of(sample)], step);
    const bool looks_first = settings_.history_only && !settings_.current_only;
    std::vector<Found> found(samples.size());
    if (looks_first) {
      for (size_t i = 0; i < samples.size(); ++i) found[i] = look_up(stored_[key_of(samples[i])], samples[i]);
    }
    std::vector<size_t> places(samples.size());
    for (size_t i = 0; i < samples.size(); ++i) {
      List& list = stored_[key_of(samples[i])];
      places[i] = list.size();
      if (is_comparable(samples[i])) list.push_back({step, samples[i]});
    }
    if (!looks_first) {
      for (size_t i = 0; i < samples.size(); ++i) {
        if (is_comparable(samples[i])) found[i] = look_at(stored_[key_of(samples[i])], places[i]);
      }
    }
    for (size_t i = 0; i < samples.size(); ++i) {
      List& list = stored_[key_of(samples[i])];
      if (settings_.max_per_problem > 0 && std::ssize(list) > settings_.max_per_problem) {
        list.erase(list.begin(), list.end() - settings_.max_per_problem);
      }
      found[i].score = score_of(samples[i], found[i].size);
    }
    return found;
  }

 private:
  struct Stored {
    int64_t step;
    harness::Sample sample;
  };
  using List = std::vector<Stored>;
  using Labels = std::vector<int64_t>;

  static std::pair<uint64_t, bool> key_of(const harness::Sample& sample) { return {sample.problem, sample.correct}; }

  // The responses of steps step - window .. step - 1 stay; without a memory none.
  void forget(List& list, int64_t step) const {
    std::erase_if(list, [&](const Stored& stored) {
      return settings_.current_only || (settings_.window_steps > 0 && step - stored.step > settings_.window_steps);
    });
  }

  [[nodiscard]] bool is_comparable(const harness::Sample& sample) const {
    if (settings_.cluster == ClusterMode::answers) return sample.has_answer;
    if (settings_.cluster == ClusterMode::labels) return !sample.error_label.empty();
    return !sample.fingerprint.empty();
  }

  [[nodiscard]] double score_of(const harness::Sample& sample, int64_t size) const {
    const bool targeted = settings_.target == PenaltyTarget::both ||
                          settings_.target == (sample.correct ? PenaltyTarget::right : PenaltyTarget::wrong);
    const double b = targeted ? std::min(settings_.alpha * std::log(static_cast<double>(size) + 1), settings_.beta) : 0;
    return sample.correct ? sample.reward / (1 + b) : sample.reward - b;
  }

  static double cosine_distance(const std::vector<float>& a, const std::vector<float>& b) {
    double dot = 0, aa = 0, bb = 0;
    for (size_t k = 0; k < a.size(); ++k) {
      dot += static_cast<double>(a[k]) * b[k];
      aa += static_cast<double>(a[k]) * a[k];
      bb += static_cast<double>(b[k]) * b[k];
    }
    return 1 - dot / std::sqrt(aa * bb);
  }

  // Equal texts get equal labels, numbered by first appearance.
  static Labels by_equality(const List& list, std::string harness::Sample::*text) {
    std::vector<std::string> seen;
    Labels labels;
    for (const Stored& stored : list) {
      const auto found = std::find(seen.begin(), seen.end(), stored.sample.*text);
      labels.push_back(found - seen.begin());
      if (found == seen.end()) seen.push_back(stored.sample.*text);
    }
    return labels;
  }

  // Labels of a full fit. The partition is that of the plain transcription; the numbers, which a tied vote asks for, are those
  // of the product, checked to name the same partition.
  [[nodiscard]] Labels fit(const List& list) const {
    if (list.size() < 2) return Labels(list.size(), -1);
    std::vector<double> flat;
    for (const Stored& stored : list) {
      double square = 0;
      for (const float value : stored.sample.fingerprint) square += static_cast<double>(value) * value;
      for (const float value : stored.sample.fingerprint) flat.push_back(value / std::sqrt(square));
    }
    const auto n = static_cast<int64_t>(list.size()), d = static_cast<int64_t>(flat.size()) / n;
    const harness::HdbscanSettings how{static_cast<int>(settings_.min_cluster_size), static_cast<int>(settings_.min_samples),
                                       settings_.min_cluster_share};
    const Labels labels = harness::hdbscan(flat, n, d, how);
    EXPECT_EQ(harness::canonical(labels), harness::canonical(harness::plain_hdbscan(flat, n, d, how)));
    return labels;
  }

  // The labels of a fit dealt out anew by the permutation of the settings' stream.
  [[nodiscard]] Labels dealt_out(const List& list) const {
    const Labels labels = fit(list);
    if (list.empty()) return labels;
    const harness::RandomStream stream("meds random labels",
                                       {static_cast<uint64_t>(settings_.random_seed), list.front().sample.problem,
                                        list.front().sample.correct ? 1U : 0U, static_cast<uint64_t>(list.size())});
    Labels dealt;
    for (const int64_t from : stream.permutation(static_cast<int64_t>(list.size()))) {
      dealt.push_back(labels[static_cast<size_t>(from)]);
    }
    return dealt;
  }

  [[nodiscard]] Labels labels_of(const List& list) const {
    switch (settings_.cluster) {
      case ClusterMode::hdbscan:
        return fit(list);
      case ClusterMode::random:
        return dealt_out(list);
      case ClusterMode::answers:
        return by_equality(list, &harness::Sample::answer);
      case ClusterMode::labels:
        return by_equality(list, &harness::Sample::error_label);
      case ClusterMode::single:
      case ClusterMode::density:
        break;
    }
    return Labels(list.size(), 0);
  }

  [[nodiscard]] int64_t size_of(const Labels& labels, int64_t label) const {
    return label < 0 && !settings_.noise_counts ? 0 : std::count(labels.begin(), labels.end(), label);
  }

  // A response against what is stored.
  [[nodiscard]] Found look_up(const List& list, const harness::Sample& sample) const {
    Found found;
    if (list.empty() || !is_comparable(sample)) return found;
    found.had_history = true;
    if (settings_.cluster == ClusterMode::density) {
      found.size = near(list, sample.fingerprint);
      return found;
    }
    const Labels labels = labels_of(list);
    switch (settings_.cluster) {
      case ClusterMode::single:
        found.label = 0;
        break;
      case ClusterMode::answers:
      case ClusterMode::labels: {
        const auto text = settings_.cluster == ClusterMode::answers ? &harness::Sample::answer : &harness::Sample::error_label;
        for (size_t i = 0; i < list.size(); ++i) {
          if (list[i].sample.*text == sample.*text) found.label = labels[i];
        }
        break;
      }
      case ClusterMode::hdbscan:
      case ClusterMode::random:
        found.label = vote(list, labels, sample.fingerprint);
        break;
      case ClusterMode::density:  // above
        break;
    }
    if (found.label) found.size = size_of(labels, *found.label);
    return found;
  }

  // Stored fingerprints within the radius; of unit vectors the squared Euclidean distance is twice the cosine distance.
  [[nodiscard]] int64_t near(const List& list, const std::vector<float>& query) const {
    return std::count_if(list.begin(), list.end(), [&](const Stored& stored) {
      return std::sqrt(2 * std::max(0.0, cosine_distance(stored.sample.fingerprint, query))) <= settings_.radius;
    });
  }

  // The label that most of the k nearest bear.
  [[nodiscard]] int64_t vote(const List& list, const Labels& labels, const std::vector<float>& query) const {
    std::vector<std::pair<double, size_t>> by_distance;
    for (size_t i = 0; i < list.size(); ++i) by_distance.emplace_back(cosine_distance(list[i].sample.fingerprint, query), i);
    std::sort(by_distance.begin(), by_distance.end());
    by_distance.resize(std::min(static_cast<size_t>(settings_.k), list.size()));
    std::map<int64_t, int64_t> votes;
    for (const auto& [distance, i] : by_distance) ++votes[labels[i]];
    int64_t most = 0;
    for (const auto& [label, count] : votes) most = std::max(most, count);
    Labels tied;  // ascending
    for (const auto& [label, count] : votes) {
      if (count == most) tied.push_back(label);
    }
    if (settings_.tie == harness::VoteTie::smallest) return tied.front();
    if (settings_.tie == harness::VoteTie::largest) return tied.back();
    for (const auto& [distance, i] : by_distance) {
      if (std::find(tied.begin(), tied.end(), labels[i]) != tied.end()) return labels[i];
    }
    return -1;
  }

  // The stored response number `i` against the others.
  [[nodiscard]] Found look_at(const List& list, size_t i) const {
    if (settings_.cluster == ClusterMode::density) {
      return {list.size() > 1, std::nullopt, near(list, list[i].sample.fingerprint) - 1, 0};
    }
    const Labels labels = labels_of(list);
    const int64_t size = size_of(labels, labels[i]);
    return {list.size() > 1, labels[i], std::max<int64_t>(0, size - 1), 0};
  }

  Settings settings_;
  std::map<std::pair<uint64_t, bool>, List> stored_;
};

}  // namespace meds
