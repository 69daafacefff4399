#include "harness/stats/rank_correlation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "harness/core/error.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

// Twice the rank of each value less the mean of that, whole numbers: with `below` smaller and `equal` equal ones (itself one of
// them) the mean rank is below + (equal + 1) / 2, that of all n is (n + 1) / 2.
std::vector<double> centred_ranks(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> ranks;
  for (const double value : values) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    ranks.push_back(static_cast<double>((first - sorted.begin()) + (last - sorted.begin()) - std::ssize(sorted)));
  }
  return ranks;
}

}  // namespace

double rank_correlation(std::span<const double> x, std::span<const double> y) {
  MEDSBENCH_CHECK(x.size() == y.size(), "{} against {} values", x.size(), y.size());
  const std::vector<double> a = centred_ranks(x), b = centred_ranks(y);
  double aa = 0, bb = 0, ab = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    ab += a[i] * b[i];
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : kUndefined;
}

}  // namespace harness
