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

// C(n, k), or `most` + 1 where it is more than `most`.
int64_t subset_count(int64_t n, int64_t k, int64_t most) {
  int64_t count = 1;
  for (int64_t i = 1; i <= std::min(k, n - k); ++i) {
    count = count * (n - i + 1) / i;  // C(n, i), growing with i up to n / 2
    if (count > most) return most + 1;
  }
  return count;
}

// Mean over all k-subsets, in lexicographic order.
double mean_of_all_subsets(const Votes& votes, int64_t k) {
  const auto n = static_cast<int64_t>(votes.answers.size());
  std::vector<int64_t> chosen(static_cast<size_t>(k));
  std::iota(chosen.begin(), chosen.end(), 0);
  Tally tally(votes);
  double sum = 0;
  int64_t count = 0;
  for (;;) {
    tally.clear();
    for (const int64_t sample : chosen) tally.add(sample);
    sum += tally.value();
    ++count;
    int64_t place = k - 1;
    while (place >= 0 && chosen[static_cast<size_t>(place)] == n - k + place) --place;
    if (place < 0) return sum / static_cast<double>(count);
    ++chosen[static_cast<size_t>(place)];
    for (int64_t next = place + 1; next < k; ++next) {
      chosen[static_cast<size_t>(next)] = chosen[static_cast<size_t>(next) - 1] + 1;
    }
  }
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
    } else if (subset_count(n, ks[i], subsets) <= subsets) {
      values[i] = mean_of_all_subsets(votes, ks[i]);
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
    if (ks[i] != 1 && subset_count(n, ks[i], subsets) > subsets)
      values[i] = after[static_cast<size_t>(ks[i])] / static_cast<double>(subsets);
  }
  return values;
}

}  // namespace harness
