#include "harness/cluster/points.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/core/error.h"

namespace harness {

void PointBlocks::append(std::span<const double> point) {
  MEDSBENCH_CHECK(static_cast<int64_t>(point.size()) == dimension_, "a point of {} numbers among points of {}", point.size(),
                  dimension_);
  if (size_ % kLanes == 0) {
    values_.resize(values_.size() + static_cast<size_t>(dimension_ * kLanes), std::numeric_limits<double>::infinity());
  }
  double* place = values_.data() + size_ / kLanes * dimension_ * kLanes + size_ % kLanes;
  for (int64_t k = 0; k < dimension_; ++k) place[k * kLanes] = point[static_cast<size_t>(k)];
  if (std::all_of(point.begin(), point.end(), [](double value) { return value == 0; })) zeros_.push_back(size_);
  ++size_;
}

void PointBlocks::copy_point(int64_t i, double* out) const {
  const double* place = first(i);
  for (int64_t k = 0; k < dimension_; ++k) out[k] = place[k * kLanes];
}

std::vector<double> normalised_rows(std::span<const double> rows, int64_t n, int64_t dimension) {
  std::vector<double> normalised(rows.begin(), rows.end());
  for (int64_t i = 0; i < n; ++i) {
    double* row = normalised.data() + i * dimension;
    const auto norm_of = [&] {
      double sum = 0;
      for (int64_t k = 0; k < dimension; ++k) sum += row[k] * row[k];
      return std::sqrt(sum);
    };
    double norm = norm_of();
    if (!std::isfinite(norm) || norm < 1e-150) {  // the squares left the range of doubles: scale by the largest first
      double largest = 0;
      for (int64_t k = 0; k < dimension; ++k) largest = std::max(largest, std::abs(row[k]));
      if (largest == 0) continue;
      for (int64_t k = 0; k < dimension; ++k) row[k] /= largest;
      norm = norm_of();
    }
    for (int64_t k = 0; k < dimension; ++k) row[k] /= norm;
  }
  return normalised;
}

void require_finite(std::span<const double> rows, int64_t dimension) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!std::isfinite(rows[i])) {
      throw Error("vector {}: expected finite numbers, found {}", i / static_cast<size_t>(std::max<int64_t>(dimension, 1)),
                  rows[i]);
    }
  }
}

}  // namespace harness
