#include "harness/verdicts/sequential.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "harness/core/error.h"
#include "harness/stats/distributions.h"

namespace harness {

namespace {

constexpr double kHalfTurn = std::numbers::pi / 2;
constexpr size_t kCells = 640;

// Distribution of an angle in (-pi/2, pi/2) with a density proportional to cos^power.
class AngleDistribution {
 public:
  explicit AngleDistribution(int64_t power) : below_(kSteps + 1, 0.0) {
    const double step = 2 * kHalfTurn / kSteps;
    const auto density = [&](double place) {
      return std::pow(std::max(0.0, std::cos(-kHalfTurn + place * step)), static_cast<double>(power));
    };
    for (size_t i = 0; i < kSteps; ++i) {  // Simpson's rule
      const auto place = static_cast<double>(i);
      below_[i + 1] = below_[i] + density(place) + 4 * density(place + 0.5) + density(place + 1);
    }
    for (double& value : below_) value /= below_.back();
  }

  [[nodiscard]] double below(double angle) const {
    const double place = (angle + kHalfTurn) / (2 * kHalfTurn) * kSteps;
    if (place <= 0) return 0;
    if (place >= kSteps) return 1;
    const auto cell = static_cast<size_t>(place);
    return below_[cell] + (place - static_cast<double>(cell)) * (below_[cell + 1] - below_[cell]);
  }

 private:
  static constexpr size_t kSteps = 4096;
  std::vector<double> below_;
};

// Mass of asin(r) in equal cells of (-reach, reach).
struct Cells {
  double reach = kHalfTurn;
  std::vector<double> mass;

  Cells(size_t count, double reach_of) : reach(reach_of), mass(count, 0.0) {}
  // In cells from the left end.
  [[nodiscard]] double at(double cells) const { return reach * (2 * cells / static_cast<double>(mass.size()) - 1); }
  [[nodiscard]] double total() const {
    double sum = 0;
    for (const double value : mass) sum += value;
    return sum;
  }
};

// Where asin(r) of n seeds has the t statistic that a test at this level needs.
double reach_of(double level, int64_t n) {
  const auto degrees = static_cast<double>(n - 1);
  const double t = t_critical(std::clamp(level, 1e-100, 1.0), degrees);
  return std::asin(t / std::hypot(t, std::sqrt(degrees)));
}

Cells first_look(size_t count, int64_t n, double reach) {
  const AngleDistribution angle(n - 2);
  Cells cells(count, reach);
  for (size_t i = 0; i < count; ++i) {
    const auto place = static_cast<double>(i);
    cells.mass[i] = angle.below(cells.at(place + 1)) - angle.below(cells.at(place));
  }
  return cells;
}

// One seed more than n.
Cells add_seed(const Cells& from, int64_t n, double reach) {
  const AngleDistribution angle(n - 1);
  const double root = std::sqrt(static_cast<double>(n)), longer = std::sqrt(static_cast<double>(n + 1));
  const size_t count = from.mass.size();
  Cells to(count, reach);
  std::vector<double> edges(count + 1);
  for (size_t j = 0; j <= count; ++j) edges[j] = longer * std::sin(to.at(static_cast<double>(j)));
  for (size_t i = count / 2; i < count; ++i) {  // the other half mirrors this one
    const double length = root * std::sin(from.at(static_cast<double>(i) + 0.5));
    const double tilt = std::atan(length), size = std::hypot(1.0, length);
    // P(r' <= edge): size sin(f + tilt) <= edge.
    const auto below = [&](double edge) {
      const double turn = std::asin(std::clamp(edge / size, -1.0, 1.0));
      return angle.below(turn - tilt) + 1 - angle.below(2 * kHalfTurn - turn - tilt);
    };
    double last = below(edges.front());
    for (size_t j = 0; j < count; ++j) {
      const double next = below(edges[j + 1]);
      to.mass[j] += from.mass[i] * (next - last);
      to.mass[count - 1 - j] += from.mass[i] * (next - last);
      last = next;
    }
  }
  return to;
}

double crossing_in_cells(size_t count, std::span<const int64_t> looks, std::span<const double> levels) {
  Cells cells = first_look(count, looks.front(), reach_of(levels.front(), looks.front()));
  double crossed = 1 - cells.total();
  for (size_t k = 1; k < looks.size(); ++k) {
    const double before = cells.total();
    for (int64_t n = looks[k - 1]; n < looks[k]; ++n) {
      // Between looks r is followed to eight standard deviations.
      const double wide = std::min(kHalfTurn, 8 / std::sqrt(static_cast<double>(n + 1)));
      cells = add_seed(cells, n, n + 1 == looks[k] ? reach_of(levels[k], looks[k]) : wide);
    }
    crossed += before - cells.total();
  }
  return crossed;
}

double normal_tail(double z) { return std::erfc(z / std::numbers::sqrt2); }  // two-sided

// Two-sided normal quantile by bisection.
double normal_critical(double p) {
  double low = 0, high = 40;
  for (int step = 0; step < 80; ++step) {
    const double middle = 0.5 * (low + high);
    (normal_tail(middle) > p ? low : high) = middle;
  }
  return high;
}

}  // namespace

std::string_view boundary_name(Boundary boundary) { return boundary == Boundary::obrien_fleming ? "obrien_fleming" : "pocock"; }

double crossing_probability(std::span<const int64_t> looks, std::span<const double> levels) {
  MEDSBENCH_CHECK(!looks.empty() && looks.size() == levels.size(), "{} looks, {} levels", looks.size(), levels.size());
  // Mass stands at the middle of its cell, an error that falls with the square of the cells' width: extrapolated.
  const double coarse = crossing_in_cells(kCells / 2, looks, levels), fine = crossing_in_cells(kCells, looks, levels);
  return fine + (fine - coarse) / 3;
}

Boundary boundary_of(std::string_view name) {
  for (const Boundary boundary : {Boundary::obrien_fleming, Boundary::pocock}) {
    if (name == boundary_name(boundary)) return boundary;
  }
  throw Error("boundary: expected obrien_fleming or pocock, found {}", name);
}

void check_looks(std::span<const int64_t> looks) {
  if (looks.empty() || looks.front() < 2) {
    throw Error("expected looks at 2 seeds or more, found {}", looks.empty() ? "none" : std::to_string(looks.front()));
  }
  for (size_t k = 1; k < looks.size(); ++k) {
    if (looks[k] <= looks[k - 1]) throw Error("expected looks in increasing order, found {} after {}", looks[k], looks[k - 1]);
  }
}

SequentialTest::SequentialTest(Boundary boundary, std::vector<int64_t> looks) : boundary_(boundary), looks_(std::move(looks)) {
  check_looks(looks_);
}

std::vector<double> SequentialTest::levels_of(double critical) const {
  std::vector<double> levels;
  for (const int64_t n : looks_) {
    const double fraction = static_cast<double>(n) / static_cast<double>(looks_.back());
    levels.push_back(normal_tail(boundary_ == Boundary::pocock ? critical : critical / std::sqrt(fraction)));
  }
  return levels;
}

// A parabola through the logarithms at three neighbours on a grid of critical values; far out the sum of the levels, which
// bounds it.
double SequentialTest::error_of(double critical) const {
  constexpr double kStep = 0.1;
  const std::vector<double> levels = levels_of(critical);
  double sum = 0;
  for (const double level : levels) sum += level;
  if (looks_.size() == 1 || critical > 6 || critical < 2 * kStep) return std::min(1.0, sum);
  const auto at = [&](int64_t place) {
    const auto [found, fresh] = errors_.try_emplace(place, 0.0);
    if (fresh) found->second = std::log(crossing_probability(looks_, levels_of(static_cast<double>(place) * kStep)));
    return found->second;
  };
  const auto middle = static_cast<int64_t>(std::lround(critical / kStep));
  const double x = critical / kStep - static_cast<double>(middle);
  const double before = at(middle - 1), here = at(middle), after = at(middle + 1);
  return std::min({1.0, sum, std::exp(here + 0.5 * x * (after - before) + 0.5 * x * x * (after - 2 * here + before))});
}

std::vector<double> SequentialTest::levels(double alpha) const {
  double low = 0, high = 40;
  for (int step = 0; step < 60; ++step) {
    const double middle = 0.5 * (low + high);
    (error_of(middle) > alpha ? low : high) = middle;
  }
  return levels_of(high);
}

double SequentialTest::p_value(size_t look, double nominal) const {
  const double fraction = static_cast<double>(looks_.at(look)) / static_cast<double>(looks_.back());
  const double z = normal_critical(nominal);
  return error_of(boundary_ == Boundary::pocock ? z : z * std::sqrt(fraction));
}

}  // namespace harness
