// Spread and directions of fingerprints: the one source that includes Eigen, which is dear to compile.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace harness {

// Of fingerprints as rows [n, d]; kUndefined where undefined. Rows that are not finite are left out, and rows of zeros where a
// direction is needed. Throws Error where rows differ in length.
double eigen_ratio(std::span<const std::vector<float>> rows);           // largest covariance eigenvalue / trace; n >= 2
double mean_cosine_distance(std::span<const std::vector<float>> rows);  // mean over pairs of 1 - cos; n >= 2
double vendi_score(
    std::span<const std::vector<float>> rows);  // exp(entropy of the eigenvalues of K/n), K_ij = cos (2210.02410)

// The rows that have a direction, at length 1.
struct Directions {
  std::vector<size_t> rows;    // [m] their places among the rows given
  std::vector<double> values;  // [m, width]
  int64_t width = 0;
};
Directions directions_of(std::span<const std::vector<float>> rows);

}  // namespace harness
