// pass@k, G-pass@k and Cover@tau: estimates from n stored samples of which c are right.
#pragma once

#include <cstdint>
#include <vector>

namespace harness {

// 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, arXiv 2107.03374, eq. 1), as a product in extended precision.
// Needs 0 <= c <= n and 1 <= k <= n: a k above n is undefined, callers leave it out.
double pass_at_k(int64_t n, int64_t c, int64_t k);

// sum over j >= max(1, ceil(tau k)) of C(c, j) C(n-c, k-j) / C(n, k) (arXiv 2412.13147, eq. 3), 0 <= tau <= 1: the chance that
// a share tau of k samples is right. tau = 0 is pass@k.
double g_pass_at_k(int64_t n, int64_t c, int64_t k, double tau);

// Cover@tau of one problem, 0 < tau <= 1: 1 where a share tau of the samples or more is right, else 0 (arXiv 2510.08325, G(tau)
// = mean of [p >= tau] over problems, at the rates p = c / n). [p >= tau] at the true rate has no unbiased estimate: what has
// one from n samples is a polynomial in p. This one expects P(Binomial(n, p) >= tau n): a problem counts on the wrong side with
// the chance of sampling there, which is below 5 % where p is more than 1.7 sqrt(p (1 - p) / n) from tau. It is G-pass@n
// without bias, and differs with n: compare at one n.
double cover_at(int64_t n, int64_t c, double tau);

// 1, 2, 4, ... up to the largest power of two that is <= n.
std::vector<int64_t> powers_of_two_up_to(int64_t n);

}  // namespace harness
