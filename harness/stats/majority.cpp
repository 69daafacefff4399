#include "harness/stats/majority.h"

#include <algorithm>
#include <numeric>

#include "harness/core/error.h"

namespace harness {

namespace {

// The running majority of a growing subset.
class Tally {
 public:
  explicit Tally(const Votes& votes) : votes_(votes), counts_(votes.right.size(), 0) {}

  void add(int64_t sample) {
    const int64_t answer = votes_.answers[static_cast<size_t>(sample)];
    if (answer < 0) return;
    const int64_t count = ++counts_[static_cast<size_t>(answer)];
    const double right = votes_.right[static_cast<size_t>(answer)];
    if (count > largest_) {
      largest_ = count;
      tied_ = 1;
      right_ = right;
    } else if (count == largest_) {
      ++tied_;
      right_ += right;
    }
  }
  [[nodiscard]] double value() const { return tied_ == 0 ? 0.0 : right_ / static_cast<double>(tied_); }
  void clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    largest_ = tied_ = 0;
    right_ = 0;
  }

 private:
  const Votes& votes_;
  std::vector<int64_t> counts_;
  int64_t largest_ = 0;
  int64_t tied_ = 0;
  double right_ = 0;
};

double mean_of_single_votes(const Votes& votes) {
  double sum = 0;
  for (const int64_t answer : votes.answers) sum += answer < 0 ? 0.0 : votes.right[static_cast<size_t>(answer)];
  return sum / static_cast<double>(votes.answers.size());
}

}  // namespace

std::vector<double> majority_at_k(const Votes& votes, std::span<const int64_t> ks, const RandomStream& stream,
                                  int64_t subsets) {
  const auto n = static_cast<int64_t>(votes.answers.size());
  std::vector<double> values(ks.size(), 0.0);
  int64_t longest = 0;  // the largest k that needs subsets
  const bool any_right = std::any_of(votes.right.begin(), votes.right.end(), [](double right) { return right > 0; });
  for (size_t i = 0; i < ks.size(); ++i) {
    MEDSBENCH_CHECK(1 <= ks[i] && ks[i] <= n, "k {}, n {}", ks[i], n);
    if (ks[i] == 1) {
      values[i] = mean_of_single_votes(votes);
    } else if (ks[i] == n) {
      Tally tally(votes);
      for (int64_t sample = 0; sample < n; ++sample) tally.add(sample);
      values[i] = tally.value();
    } else {
      longest = std::max(longest, ks[i]);
    }
  }
  if (longest == 0 || !any_right) return values;
  std::vector<double> after(static_cast<size_t>(longest) + 1, 0.0);  // [k] sum over draws of the majority after k samples
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  Tally tally(votes);
  uint64_t counter = 0;
  for (int64_t draw = 0; draw < subsets; ++draw) {
    tally.clear();
    for (int64_t taken = 0; taken < longest; ++taken) {
      // Fisher-Yates from whatever order the last draw left: a uniform start is not needed.
      const auto other = taken + static_cast<int64_t>(stream.below(counter++, static_cast<uint64_t>(n - taken)));
      std::swap(order[static_cast<size_t>(taken)], order[static_cast<size_t>(other)]);
      tally.add(order[static_cast<size_t>(taken)]);
      after[static_cast<size_t>(taken) + 1] += tally.value();
    }
  }
  for (size_t i = 0; i < ks.size(); ++i) {
    if (ks[i] != 1 && ks[i] != n) values[i] = after[static_cast<size_t>(ks[i])] / static_cast<double>(subsets);
  }
  return values;
}

}  // namespace harness
