#include "meds/cluster_watch.h"

#include <algorithm>
#include <array>
#include <set>

#include "harness/cluster/points.h"
#include "harness/core/error.h"
#include "harness/metrics/fingerprints.h"

namespace meds {

namespace {

constexpr const char* kFiles = "cluster_probe";
constexpr std::array<int64_t, 6> kSizes = {2, 3, 5, 9, 17, 33};  // smallest of each bin of cluster sizes

Settings store_settings() {
  Settings settings;
  settings.cluster = ClusterMode::single;  // stores vectors, clusters nothing
  settings.target = PenaltyTarget::none;
  return settings;
}

WatchedChoice watched_choice(const std::string& name) {
  WatchedChoice choice;
  choice.name = name;
  if (name == "single") {
    choice.kind = WatchedChoice::Kind::single;
  } else if (name == "answers") {
    choice.kind = WatchedChoice::Kind::answers;
  } else {
    const std::string suffix = "-diff";
    const bool differences = name.ends_with(suffix);
    choice.layers = harness::layer_choice(differences ? name.substr(0, name.size() - suffix.size()) : name, differences);
  }
  return choice;
}

std::vector<int64_t> wide(const std::vector<int32_t>& ids) { return {ids.begin(), ids.end()}; }

// Of the problems with two responses at least.
using Agreements = std::vector<harness::ClusterAgreement>;

void report(const Agreements& parts, const std::string& place, harness::Metrics& values) {
  if (parts.empty()) return;
  const harness::ClusterAgreement mean = harness::mean_agreement(parts);
  values[place + "adjusted_rand"] = mean.adjusted_rand;
  values[place + "homogeneity"] = mean.homogeneity;
  values[place + "completeness"] = mean.completeness;
  values[place + "purity"] = mean.purity;
}

// The clusters and classes of those stored responses that have a class (>= 0) other than `left_out`.
void add_known(Agreements& parts, const std::vector<int64_t>& clusters, const std::vector<int64_t>& classes, int64_t left_out) {
  std::vector<int64_t> known_clusters, known_classes;
  for (size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] < 0 || classes[i] == left_out) continue;
    known_clusters.push_back(clusters[i]);
    known_classes.push_back(classes[i]);
  }
  if (known_clusters.size() >= 2) parts.push_back(harness::cluster_agreement(known_clusters, known_classes));
}

// Counts of clusters by the bin of their size.
struct SizeBins {
  std::array<int64_t, kSizes.size()> bins{};
  int64_t clusters = 0, problems = 0, noise = 0, stored = 0;

  void add(const std::vector<int64_t>& labels) {
    std::map<int64_t, int64_t> sizes;
    for (const int64_t label : labels) ++sizes[label];
    noise += sizes.contains(-1) ? sizes[-1] : 0;
    sizes.erase(-1);
    stored += static_cast<int64_t>(labels.size());
    clusters += static_cast<int64_t>(sizes.size());
    problems += labels.size() >= 2 ? 1 : 0;
    for (const auto& [label, size] : sizes) {
      const auto next = std::upper_bound(kSizes.begin(), kSizes.end(), std::max(size, kSizes.front()));
      ++bins[static_cast<size_t>(next - kSizes.begin() - 1)];
    }
  }
};

// Pairs of responses, of one problem each, on which clusters and equal answers disagree, and who then has the true labels'
// word.
struct Disputes {
  int64_t pairs = 0, differ = 0, clusters_right = 0;

  // The responses of one problem; those without a label (-1) are left out, noise and a missing answer (-1) equal nothing.
  void add(const std::vector<int64_t>& clusters, const std::vector<int64_t>& answers, const std::vector<int64_t>& labels) {
    std::vector<std::array<int64_t, 3>> rows;
    for (size_t i = 0; i < labels.size(); ++i) {
      const int64_t alone = -1 - static_cast<int64_t>(i);
      if (labels[i] >= 0)
        rows.push_back({clusters[i] < 0 ? alone : clusters[i], answers[i] < 0 ? alone : answers[i], labels[i]});
    }
    // Pairs that are equal in all of the columns asked for.
    const auto equal = [&](bool cluster, bool answer, bool label) {
      std::map<std::array<int64_t, 3>, int64_t> counts;
      for (const auto& row : rows) ++counts[{cluster ? row[0] : 0, answer ? row[1] : 0, label ? row[2] : 0}];
      int64_t sum = 0;
      for (const auto& [row, count] : counts) sum += count * (count - 1) / 2;
      return sum;
    };
    const int64_t both = equal(true, true, false), all = equal(true, true, true);
    pairs += equal(false, false, false);
    differ += equal(true, false, false) + equal(false, true, false) - 2 * both;
    clusters_right += equal(true, false, true) - all;                                         // together, and one error
    clusters_right += (equal(false, true, false) - both) - (equal(false, true, true) - all);  // apart, and two errors
  }
};

double share(int64_t part, int64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

}  // namespace

std::vector<WatchedChoice> watched_choices(const std::string& list) {
  std::vector<WatchedChoice> choices;
  std::set<std::string> names;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    std::string name = list.substr(begin, end - begin);
    std::erase(name, ' ');
    choices.push_back(harness::with_context("choices", [&] { return watched_choice(name); }));
    if (!names.insert(name).second) throw harness::Error("choices: expected each name once, found {} twice", name);
    begin = end + 1;
  }
  return choices;
}

ClusterWatch::ClusterWatch(std::vector<WatchedChoice> choices) : choices_(std::move(choices)), memory_(store_settings()) {
  MEDSBENCH_CHECK(!choices_.empty(), "{} choices", choices_.size());
}

void ClusterWatch::cluster_new(const History& history, Watched& watched) const {
  const int64_t added = history.size() - watched.clustered;
  if (added == 0) return;
  const auto layers = static_cast<size_t>(memory_.dimension());
  watched.clusters.resize(choices_.size());
  for (size_t c = 0; c < choices_.size(); ++c) {
    if (choices_[c].kind != WatchedChoice::Kind::layers) continue;
    std::vector<double> rows;
    for (int64_t i = watched.clustered; i < history.size(); ++i) {
      const std::span<const float> readout(history.vectors().data() + static_cast<size_t>(i) * layers, layers);
      const std::vector<float> chosen = harness::choose_layers(readout, choices_[c].layers);
      rows.insert(rows.end(), chosen.begin(), chosen.end());
    }
    const auto width = static_cast<int64_t>(rows.size()) / added;
    if (watched.clustered == 0) watched.clusters[c] = harness::IncrementalClusters(width);
    watched.clusters[c].append(harness::normalised_rows(rows, added, width), added);
  }
  watched.clustered = history.size();
}

std::vector<int64_t> ClusterWatch::labels_of(const History& history, const Watched& watched, size_t choice) const {
  switch (choices_[choice].kind) {
    case WatchedChoice::Kind::layers:
      return watched.clusters[choice].labels();
    case WatchedChoice::Kind::single:
      return std::vector<int64_t>(static_cast<size_t>(history.size()), 0);
    case WatchedChoice::Kind::answers:
      return wide(history.answers());
  }
  return {};
}

std::vector<int64_t> ClusterWatch::labels(uint64_t problem, size_t choice) const {
  return labels_of(memory_.histories().at({problem, false}), watched_.at(problem), choice);
}

void ClusterWatch::measure_choice(size_t choice, harness::Metrics& values) const {
  const int64_t slip = memory_.error_labels().find("slip");
  Agreements labels, labels_without_slips, answers;
  SizeBins sizes;
  Disputes disputes;
  for (const auto& [problem, watched] : watched_) {
    const History& history = memory_.histories().at({problem, false});
    const std::vector<int64_t> clusters = labels_of(history, watched, choice);
    const std::vector<int64_t> truth = wide(history.error_labels());
    add_known(labels, clusters, truth, -1);
    add_known(labels_without_slips, clusters, truth, slip);
    add_known(answers, clusters, wide(history.answers()), -1);
    sizes.add(clusters);
    disputes.add(clusters, wide(history.answers()), truth);
  }
  const std::string place = "clusters/" + choices_[choice].name + "/";
  values[place + "place"] = static_cast<double>(choice);
  report(labels, place + "labels/", values);
  report(labels_without_slips, place + "labels_without_slips/", values);
  report(answers, place + "answers/", values);
  if (disputes.pairs > 0) values[place + "differ"] = share(disputes.differ, disputes.pairs);
  if (disputes.differ > 0) values[place + "right_where_differ"] = share(disputes.clusters_right, disputes.differ);
  if (sizes.stored > 0) values[place + "noise"] = share(sizes.noise, sizes.stored);
  if (sizes.problems > 0) values[place + "per_problem"] = share(sizes.clusters, sizes.problems);
  if (choice > 0 || sizes.clusters == 0) return;
  for (size_t b = 0; b < kSizes.size(); ++b) {
    values["cluster_size/" + std::to_string(kSizes[b])] = share(sizes.bins[b], sizes.clusters);
  }
}

// What is told of a step before its responses are stored.
void ClusterWatch::measure_step(std::span<const harness::Sample> samples, harness::Metrics& values) const {
  int64_t answered = 0, repeated_answers = 0, labelled = 0, repeated_labels = 0;
  std::map<uint64_t, std::vector<std::vector<float>>> by_problem;
  std::vector<std::vector<float>> all;
  for (const harness::Sample& sample : samples) {
    if (!sample.readout.empty() && choices_.front().kind == WatchedChoice::Kind::layers) {
      all.push_back(harness::choose_layers(sample.readout, choices_.front().layers));
      by_problem[sample.problem].push_back(all.back());
    }
    if (sample.correct) continue;
    if (sample.has_answer) {
      ++answered;
      repeated_answers += memory_.times_answered(sample) > 0 ? 1 : 0;
    }
    if (!sample.error_label.empty() && sample.error_label != "slip") {
      ++labelled;
      repeated_labels += memory_.times_labelled(sample) > 0 ? 1 : 0;
    }
  }
  if (answered > 0) values["repeated_answer_share"] = share(repeated_answers, answered);
  if (labelled > 0) values["repeated_label_share"] = share(repeated_labels, labelled);
  double sum = 0;
  int64_t defined = 0;
  for (const auto& [problem, rows] : by_problem) {
    const double ratio = harness::eigen_ratio(rows);
    if (std::isnan(ratio)) continue;
    sum += ratio;
    ++defined;
  }
  if (defined > 0) values["eigen_ratio"] = sum / static_cast<double>(defined);
  const double pooled = harness::eigen_ratio(all);
  if (!std::isnan(pooled)) values["eigen_ratio_pooled"] = pooled;
}

harness::Metrics ClusterWatch::observe(std::span<const harness::Sample> samples, int64_t step) {
  harness::Metrics values;
  std::vector<harness::Sample> wrong;
  for (const harness::Sample& sample : samples) {
    if (sample.correct) continue;
    wrong.push_back(sample);
    wrong.back().fingerprint = sample.readout;
  }
  measure_step(samples, values);
  (void)memory_.recall_and_store(wrong, step);
  for (const harness::Sample& sample : wrong) {
    const History& history = memory_.histories().at({sample.problem, false});
    if (history.size() > 0) cluster_new(history, watched_[sample.problem]);
  }
  for (size_t c = 0; c < choices_.size(); ++c) measure_choice(c, values);
  return values;
}

void ClusterWatch::save(const std::string& folder, const std::string& previous) const {
  memory_.save(folder, kFiles, previous);
}

void ClusterWatch::load(const std::string& folder) {
  memory_.load(folder, kFiles);
  watched_.clear();
  for (const auto& [key, history] : memory_.histories()) {
    if (history.size() > 0) cluster_new(history, watched_[key.problem]);
  }
}

}  // namespace meds
