#include "harness/stats/pass_at_k.h"

#include <algorithm>
#include <cmath>

#include "harness/core/error.h"

namespace harness {

namespace {

void check_counts(int64_t n, int64_t c, int64_t k) {
  MEDSBENCH_CHECK(0 <= c && c <= n && 1 <= k && k <= n, "n {}, c {}, k {}", n, c, k);
}

// Of n samples the fewest right ones that are a share tau: 0.7 * 10 is 7.000000000000001 in binary, which is forgiven.
int64_t needed_right(int64_t n, double tau) {
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(tau * static_cast<double>(n) - 1e-9)));
}

long double log_binomial(int64_t n, int64_t k) {
  const auto real = [](int64_t value) { return static_cast<long double>(value); };
  return std::lgamma(real(n) + 1) - std::lgamma(real(k) + 1) - std::lgamma(real(n - k) + 1);
}

}  // namespace

double pass_at_k(int64_t n, int64_t c, int64_t k) {
  check_counts(n, c, k);
  if (k == 1) return static_cast<double>(c) / static_cast<double>(n);
  if (n - c < k) return 1.0;
  // C(n-c, k) / C(n, k) = C(n-k, c) / C(n, c): the shorter of the two products.
  const int64_t removed = std::max(c, k);
  const int64_t factors = std::min(c, k);
  long double none_right = 1;
  for (int64_t i = 0; i < factors; ++i) {
    none_right *= static_cast<long double>(n - removed - i) / static_cast<long double>(n - i);
  }
  return static_cast<double>(1 - none_right);
}

double g_pass_at_k(int64_t n, int64_t c, int64_t k, double tau) {
  check_counts(n, c, k);
  MEDSBENCH_CHECK(tau >= 0 && tau <= 1, "tau {}", tau);
  const int64_t needed = needed_right(k, tau);
  const long double all = log_binomial(n, k);
  long double sum = 0;
  for (int64_t j = std::max(needed, k - (n - c)); j <= std::min(c, k); ++j) {
    sum += std::exp(log_binomial(c, j) + log_binomial(n - c, k - j) - all);
  }
  return static_cast<double>(std::min(sum, 1.0L));
}

double cover_at(int64_t n, int64_t c, double tau) {
  check_counts(n, c, n);
  MEDSBENCH_CHECK(tau > 0 && tau <= 1, "tau {}", tau);
  return c >= needed_right(n, tau) ? 1.0 : 0.0;
}

std::vector<int64_t> powers_of_two_up_to(int64_t n) {
  std::vector<int64_t> ks;
  for (int64_t k = 1; k <= n; k *= 2) ks.push_back(k);
  return ks;
}

}  // namespace harness
