// PointBlocks: points in blocks of eight, dimension-major inside a block, so that distances vectorise over points.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace harness {

inline constexpr int64_t kLanes = 8;  // doubles of one 512-bit register

// A growing list of points of one dimension D. Coordinate k of point i stands at block i / 8, row k, lane i % 8; the lanes
// after the last point hold +infinity, so that their distance to anything is +infinity.
class PointBlocks {
 public:
  explicit PointBlocks(int64_t dimension = 0) : dimension_(dimension) {}

  void append(std::span<const double> point);  // [D]
  [[nodiscard]] int64_t size() const { return size_; }
  [[nodiscard]] int64_t dimension() const { return dimension_; }
  [[nodiscard]] int64_t blocks() const { return (size_ + kLanes - 1) / kLanes; }
  [[nodiscard]] const double* data() const { return values_.data(); }  // [blocks, D, 8]
  // First coordinate of point i; the next ones follow at a distance of 8.
  [[nodiscard]] const double* first(int64_t i) const { return values_.data() + i / kLanes * dimension_ * kLanes + i % kLanes; }
  void copy_point(int64_t i, double* out) const;  // out: [D]
  // Places of the points that are all zeros, ascending.
  [[nodiscard]] const std::vector<int64_t>& zeros() const { return zeros_; }

 private:
  int64_t dimension_ = 0;
  int64_t size_ = 0;
  std::vector<double> values_;
  std::vector<int64_t> zeros_;
};

// Rows [n, D] divided by their Euclidean norms (fp64, squares summed in index order); a row of zeros stays as it is.
std::vector<double> normalised_rows(std::span<const double> rows, int64_t n, int64_t dimension);
// Throws Error("vector I: expected finite numbers, found ...") for a NaN or an infinity in rows [n, D].
void require_finite(std::span<const double> rows, int64_t dimension);

}  // namespace harness
