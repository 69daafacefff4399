#include "baselines/partition.h"

#include <cmath>
#include <map>
#include <utility>

#include "harness/cluster/hdbscan.h"
#include "harness/core/error.h"

namespace baselines {

namespace {

using Group = std::span<const harness::Sample>;
using Sizes = std::vector<int64_t>;

Sizes alone(const std::vector<bool>& members) {
  Sizes sizes;
  for (const bool member : members) sizes.push_back(member ? 1 : 0);
  return sizes;
}

Sizes sizes_by_answer(Group group, const std::vector<bool>& members) {
  std::map<std::string, int64_t> counts;
  for (size_t i = 0; i < group.size(); ++i) counts[group[i].answer] += members[i] ? 1 : 0;
  Sizes sizes = alone(members);
  for (size_t i = 0; i < group.size(); ++i) {
    if (members[i] && group[i].has_answer) sizes[i] = counts[group[i].answer];
  }
  return sizes;
}

void append_normalised(const std::vector<float>& fingerprint, std::vector<double>& rows) {
  double squares = 0;
  for (const float value : fingerprint) squares += static_cast<double>(value) * value;
  const double norm = squares > 0 ? std::sqrt(squares) : 1;
  for (const float value : fingerprint) rows.push_back(value / norm);
}

Sizes sizes_by_fingerprint(Group group, const std::vector<bool>& members, const std::string& method) {
  std::vector<size_t> read;  // members with a fingerprint
  std::vector<double> rows;
  for (size_t i = 0; i < group.size(); ++i) {
    if (!members[i] || group[i].fingerprint.empty()) continue;
    read.push_back(i);
    append_normalised(group[i].fingerprint, rows);
  }
  Sizes sizes = alone(members);
  if (read.empty()) return sizes;
  const auto count = static_cast<int64_t>(read.size());
  for (const size_t member : read) {
    if (group[member].fingerprint.size() != group[read.front()].fingerprint.size()) {
      throw harness::Error("method {}: expected fingerprints of one length, found {} and {}", method,
                           group[read.front()].fingerprint.size(), group[member].fingerprint.size());
    }
  }
  const std::vector<int64_t> labels = harness::hdbscan(rows, count, static_cast<int64_t>(rows.size()) / count);
  for (size_t i = 0; i < read.size(); ++i) {
    sizes[read[i]] = 0;
    for (size_t j = 0; j < read.size(); ++j) {
      const bool together = labels[i] == -1 ? labels[j] == -1 && group[read[i]].fingerprint == group[read[j]].fingerprint
                                            : labels[i] == labels[j];
      sizes[read[i]] += together ? 1 : 0;
    }
  }
  return sizes;
}

}  // namespace

Partition::Partition(harness::MethodKeys& keys, const std::string& key, std::string method)
    : method_(std::move(method)),
      by_answer_(keys.text(key, "fingerprint", {"fingerprint", "answer"}, "what stands for a strategy") == "answer") {}

Sizes Partition::sizes(Group group, const std::vector<bool>& members) const {
  return by_answer_ ? sizes_by_answer(group, members) : sizes_by_fingerprint(group, members, method_);
}

std::vector<bool> right_ones(Group group) {
  std::vector<bool> right;
  for (const harness::Sample& sample : group) right.push_back(sample.correct);
  return right;
}

}  // namespace baselines
