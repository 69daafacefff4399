// SequentialTest: t tests at several looks while seeds are added, which together err at most as often as one test.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

namespace harness {

// How the error is spread over the looks: little early (O'Brien and Fleming 1979), or the same p-value at every look (Pocock
// 1977).
enum class Boundary { obrien_fleming, pocock };
std::string_view boundary_name(Boundary boundary);
// Of "obrien_fleming", "pocock". Throws Error for another name.
Boundary boundary_of(std::string_view name);

// Throws Error unless there are looks, in increasing order, the first at 2 seeds or more.
void check_looks(std::span<const int64_t> looks);

// Two-sided tests of mean 0 by Student's t over the seeds so far. A boundary is given by its critical value c of a standard
// normal statistic: at a look with n of N seeds the p-value must be at most 2 (1 - Phi(c sqrt(N / n))) (O'Brien and Fleming)
// or 2 (1 - Phi(c)) (Pocock). What such a boundary errs in all is computed for t tests of normal seeds, not for the normal
// statistics of the tables in use, which would err in 5.1 to 6.1 % where they say 5.
//
// r = S / sqrt(n Q) with the sum S and the sum of squares Q of n seeds gives t = r sqrt((n - 1) / (1 - r^2)) and is a Markov
// chain under the null: Q is independent of the past of r (Basu), so that one seed more takes r to
//   (r sqrt(n) cos(f) + sin(f)) / sqrt(n + 1),  f in (-pi/2, pi/2) with a density proportional to cos(f)^(n - 1).
// Its distribution is carried from look to look in cells of asin(r).
class SequentialTest {
 public:
  // `looks`: numbers of seeds. Throws Error as check_looks.
  SequentialTest(Boundary boundary, std::vector<int64_t> looks);

  [[nodiscard]] const std::vector<int64_t>& looks() const { return looks_; }
  // The p-value that a look's t test must reach so that all looks together err at `alpha`: one a look.
  [[nodiscard]] std::vector<double> levels(double alpha) const;
  // Smallest alpha at which a test that had this p-value at this look would have called a difference there: valid whenever one
  // stops, and the smaller of several looks is.
  [[nodiscard]] double p_value(size_t look, double nominal) const;

 private:
  [[nodiscard]] std::vector<double> levels_of(double critical) const;
  [[nodiscard]] double error_of(double critical) const;

  Boundary boundary_;
  std::vector<int64_t> looks_;
  mutable std::map<int64_t, double> errors_;  // log of what a critical value errs, by multiples of the grid's step
};

// Chance that the t test of some look falls to its level or below, for independent normal seeds of mean 0. As many levels as
// looks; accurate to about a thousandth of it.
double crossing_probability(std::span<const int64_t> looks, std::span<const double> levels);

}  // namespace harness
