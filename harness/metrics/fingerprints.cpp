#include "harness/metrics/fingerprints.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "harness/core/error.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// The places of the finite rows, with a direction those that are not all zeros.
std::vector<size_t> usable_rows(std::span<const std::vector<float>> rows, bool direction) {
  std::vector<size_t> kept;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() != rows.front().size()) {
      throw Error("fingerprints: expected {} numbers as in the first, found {}", rows.front().size(), rows[i].size());
    }
    const bool finite = std::all_of(rows[i].begin(), rows[i].end(), [](float value) { return std::isfinite(value); });
    const bool zero = std::all_of(rows[i].begin(), rows[i].end(), [](float value) { return value == 0; });
    if (finite && !(direction && zero)) kept.push_back(i);
  }
  return kept;
}

Matrix matrix_of(std::span<const std::vector<float>> rows, const std::vector<size_t>& kept) {
  Matrix matrix(static_cast<Eigen::Index>(kept.size()), static_cast<Eigen::Index>(rows.empty() ? 0 : rows.front().size()));
  for (size_t i = 0; i < kept.size(); ++i) {
    for (size_t j = 0; j < rows[kept[i]].size(); ++j) {
      matrix(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = static_cast<double>(rows[kept[i]][j]);
    }
  }
  return matrix;
}

Matrix unit_matrix(std::span<const std::vector<float>> rows, const std::vector<size_t>& kept) {
  Matrix matrix = matrix_of(rows, kept);
  matrix.rowwise().normalize();
  return matrix;
}

// Eigenvalues of rows^T rows, or of rows rows^T where that is the smaller: they share all that are not zero.
Eigen::VectorXd gram_eigenvalues(const Matrix& rows) {
  const Eigen::MatrixXd gram =
      rows.cols() <= rows.rows() ? Eigen::MatrixXd(rows.transpose() * rows) : Eigen::MatrixXd(rows * rows.transpose());
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram, Eigen::EigenvaluesOnly).eigenvalues();
}

}  // namespace

double eigen_ratio(std::span<const std::vector<float>> rows) {
  Matrix matrix = matrix_of(rows, usable_rows(rows, false));
  if (matrix.rows() < 2) return kUndefined;
  const Eigen::RowVectorXd mean = matrix.colwise().mean();
  const double scale = matrix.squaredNorm();
  matrix.rowwise() -= mean;
  const double trace = matrix.squaredNorm();
  // Equal rows leave rounding noise of the mean behind, not a variance.
  if (!(trace > 1e-24 * scale)) return kUndefined;
  return gram_eigenvalues(matrix).maxCoeff() / trace;
}

double mean_cosine_distance(std::span<const std::vector<float>> rows) {
  const Matrix units = unit_matrix(rows, usable_rows(rows, true));
  const auto n = static_cast<double>(units.rows());
  if (n < 2) return kUndefined;
  // Sum over ordered pairs of cos = |sum of unit rows|^2 - n.
  return 1 - (units.colwise().sum().squaredNorm() - n) / (n * (n - 1));
}

double vendi_score(std::span<const std::vector<float>> rows) {
  const Matrix units = unit_matrix(rows, usable_rows(rows, true));
  if (units.rows() == 0) return kUndefined;
  const Eigen::VectorXd eigenvalues = gram_eigenvalues(units) / static_cast<double>(units.rows());
  double entropy = 0;
  for (const double value : eigenvalues) {
    if (value > 0) entropy -= value * std::log(value);
  }
  return std::exp(entropy);
}

Directions directions_of(std::span<const std::vector<float>> rows) {
  Directions directions;
  directions.rows = usable_rows(rows, true);
  const Matrix units = unit_matrix(rows, directions.rows);
  directions.values.assign(units.data(), units.data() + units.size());
  directions.width = units.cols();
  return directions;
}

}  // namespace harness
