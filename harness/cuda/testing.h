// What the tests of this folder share: the stands of the kernels (host, GPU), tolerances, attention by its definition.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "harness/cuda/attention_plan.h"
#include "harness/cuda/buffer.h"

namespace harness::cuda {

enum class Stand { host, host_backwards, gpu };

// The same tests on every stand; on the GPU they are skipped, with the reason, where there is none.
class KernelTest : public testing::TestWithParam<Stand> {
 protected:
  void SetUp() override {
    if (GetParam() != Stand::gpu) return;
    const Devices devices = find_devices();
    if (devices.count == 0) GTEST_SKIP() << "skipped without a GPU: " << devices.why_none;
  }
  template <typename T>
  [[nodiscard]] const Table<T>& table() const {
    return GetParam() == Stand::gpu ? *gpu_table<T>() : host_table<T>(GetParam() == Stand::host_backwards);
  }
};

#define MEDSBENCH_KERNEL_STANDS(suite)                                                        \
  INSTANTIATE_TEST_SUITE_P(Host, suite, testing::Values(Stand::host, Stand::host_backwards)); \
  INSTANTIATE_TEST_SUITE_P(Gpu, suite, testing::Values(Stand::gpu))

inline void finish(Stand stand) {
#ifdef MEDSBENCH_CUDA
  if (stand == Stand::gpu) {
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  }
#else
  (void)stand;
#endif
}

// Half a unit in the last place of bf16 is 2^-9 of the value; a rounding that falls to the other side is twice that.
template <typename T>
double tolerance(double expected, double fp32 = 2e-5) {
  return (std::is_same_v<T, Bf16> ? 1.0 / 128 : fp32) * std::abs(expected) + (std::is_same_v<T, Bf16> ? 1e-4 : fp32);
}

// Of attention over packed rows: random inputs, and attention by its definition in double precision.

// Keys that a row sees: the rows of the prefix, then of its own sequence up to itself.
template <typename Visit>
void each_seen(const std::vector<PackedSpan>& spans, const PackedSpan& span, int64_t row, Visit visit) {
  if (span.prefix >= 0) {
    const PackedSpan& prefix = spans[static_cast<size_t>(span.prefix)];
    for (int64_t j = prefix.begin; j < prefix.begin + prefix.length; ++j) visit(j);
  }
  for (int64_t j = span.begin; j <= row; ++j) visit(j);
}

template <typename T, typename S>
double dot(const Buffer<T>& a, int64_t at_a, const Buffer<S>& b, int64_t at_b, int64_t dim) {
  double sum = 0;
  for (int64_t e = 0; e < dim; ++e) sum += a[at_a + e] * b[at_b + e];
  return sum;
}

// Queries, keys and, among qkv, values.
template <typename T>
struct PackedCase {
  Heads s;
  int64_t rows;
  std::vector<PackedSpan> spans;
  Buffer<T> q, k, qkv;  // [R, H, E], [R, K, E], [R, (H + 2K) E]
  [[nodiscard]] int64_t share() const { return s.heads / s.kv_heads; }
  [[nodiscard]] int64_t width() const { return (s.heads + 2 * s.kv_heads) * s.dim; }
  [[nodiscard]] int64_t q_at(int64_t row, int64_t head) const { return (row * s.heads + head) * s.dim; }
  [[nodiscard]] int64_t k_at(int64_t row, int64_t head) const { return (row * s.kv_heads + head / share()) * s.dim; }
  [[nodiscard]] int64_t v_at(int64_t row, int64_t head) const {
    return row * width() + (s.heads + s.kv_heads + head / share()) * s.dim;
  }
  [[nodiscard]] const T* values() const { return qkv.data() + (s.heads + s.kv_heads) * s.dim; }
  [[nodiscard]] double scale() const { return 1 / std::sqrt(static_cast<double>(s.dim)); }
};

// Normal values, those of the queries times `size`, all `offset` values off their alignment.
template <typename T>
PackedCase<T> packed_case(Heads s, int64_t rows, std::vector<PackedSpan> spans, int64_t offset = 0, double size = 1.5) {
  return {s,
          rows,
          std::move(spans),
          random_buffer<T>(rows * s.heads * s.dim, 1, size, offset),
          random_buffer<T>(rows * s.kv_heads * s.dim, 2, 1.0, offset),
          random_buffer<T>(rows * (s.heads + 2 * s.kv_heads) * s.dim, 3, 1.0, offset)};
}

// Zeros for rows of no span. `spread`: the root of the sum of the squares of what a value of `out` adds up.
struct AttentionDefinition {
  std::vector<double> out, spread;  // [R, H, E]
  std::vector<double> lse;          // [R, H]
};
template <typename T>
AttentionDefinition attention_definition(const PackedCase<T>& c) {
  const auto heads = static_cast<size_t>(c.rows * c.s.heads), size = heads * static_cast<size_t>(c.s.dim);
  AttentionDefinition d{std::vector<double>(size, 0), std::vector<double>(size, 0), std::vector<double>(heads, 0)};
  for (const PackedSpan& span : c.spans) {
    for (int64_t row = span.begin; row < span.begin + span.length; ++row) {
      for (int64_t h = 0; h < c.s.heads; ++h) {
        std::vector<std::pair<int64_t, double>> scores;
        double largest = -1e300, total = 0;
        each_seen(c.spans, span, row, [&](int64_t j) {
          scores.emplace_back(j, dot(c.q, c.q_at(row, h), c.k, c.k_at(j, h), c.s.dim) * c.scale());
          largest = std::max(largest, scores.back().second);
        });
        for (const auto& [j, score] : scores) total += std::exp(score - largest);
        const auto at = static_cast<size_t>(c.q_at(row, h));
        for (const auto& [j, score] : scores) {
          const double p = std::exp(score - largest) / total;
          for (int64_t e = 0; e < c.s.dim; ++e) {
            const double term = p * c.qkv[c.v_at(j, h) + e];
            d.out[at + static_cast<size_t>(e)] += term;
            d.spread[at + static_cast<size_t>(e)] += term * term;
          }
        }
        d.lse[static_cast<size_t>(row * c.s.heads + h)] = largest + std::log(total);
      }
    }
  }
  for (double& spread : d.spread) spread = std::sqrt(spread);
  return d;
}

}  // namespace harness::cuda
