#include <benchmark/benchmark.h>

#include "harness/cluster/hdbscan.h"
#include "harness/cluster/nearest.h"
#include "harness/core/error.h"
#include "harness/core/random.h"

namespace harness {
namespace {

constexpr int64_t kDimension = 14;

// n unit vectors around n / 8 centres, from a fixed seed.
std::vector<double> clustered_rows(uint64_t seed, int64_t n) {
  const RandomStream stream("cluster bench", {seed});
  std::vector<double> rows;
  uint64_t draw = 0;
  for (int64_t i = 0; i < n; ++i) {
    const RandomStream centre("cluster bench centre", {seed, stream.below(draw++, static_cast<uint64_t>(n / 8 + 1))});
    for (uint64_t k = 0; k < kDimension; ++k) rows.push_back(centre.normal(k) + 0.1 * stream.normal(draw++));
  }
  return normalised_rows(rows, n, kDimension);
}

// One history fitted from nothing.
void BM_Refit(benchmark::State& state) {
  const int64_t n = state.range(0);
  const std::vector<double> rows = clustered_rows(1, n);
  const std::vector<int64_t> expected = hdbscan(rows, n, kDimension);
  IncrementalClusters halves(kDimension);
  halves.append(std::span(rows).first(static_cast<size_t>(n / 2 * kDimension)), n / 2);
  halves.append(std::span(rows).subspan(static_cast<size_t>(n / 2 * kDimension)), n - n / 2);
  MEDSBENCH_CHECK(halves.labels() == expected, "a refit differs from an extension");
  for (auto _ : state) benchmark::DoNotOptimize(hdbscan(rows, n, kDimension));
  state.SetItemsProcessed(state.iterations() * n);
}
BENCHMARK(BM_Refit)->Arg(16)->Arg(32)->Arg(64)->Arg(128)->Arg(512)->Arg(1024);

// 16 newcomers to a history of n.
void BM_Append(benchmark::State& state) {
  const int64_t n = state.range(0);
  const std::vector<double> rows = clustered_rows(2, n + 16);
  const std::span<const double> old = std::span(rows).first(static_cast<size_t>(n * kDimension));
  const std::span<const double> newcomers = std::span(rows).subspan(static_cast<size_t>(n * kDimension));
  IncrementalClusters start(kDimension);
  start.append(old, n);
  IncrementalClusters checked = start;
  checked.append(newcomers, 16);
  MEDSBENCH_CHECK(checked.labels() == hdbscan(rows, n + 16, kDimension), "an extension differs from a refit");
  for (auto _ : state) {
    state.PauseTiming();
    IncrementalClusters clusters = start;
    state.ResumeTiming();
    clusters.append(newcomers, 16);
    benchmark::DoNotOptimize(clusters.labels().data());
  }
  state.SetItemsProcessed(state.iterations() * 16);
}
BENCHMARK(BM_Append)->Arg(64)->Arg(256)->Arg(1024);

// One response's 3-NN vote in a history of n.
void BM_Vote(benchmark::State& state) {
  const int64_t n = state.range(0);
  const std::vector<double> rows = clustered_rows(3, n);
  PointBlocks points(kDimension);
  for (int64_t i = 0; i < n; ++i) {
    points.append(std::span(rows).subspan(static_cast<size_t>(i * kDimension), static_cast<size_t>(kDimension)));
  }
  const std::vector<int64_t> labels = hdbscan(rows, n, kDimension);
  const std::span<const double> query = std::span(rows).first(static_cast<size_t>(kDimension));
  MEDSBENCH_CHECK(nearest_points(points, query, 1).front() == 0, "a stored vector is not its own nearest");
  for (auto _ : state) benchmark::DoNotOptimize(nearest_vote(points, labels, query, 3));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Vote)->Arg(64)->Arg(512)->Arg(1024);

}  // namespace
}  // namespace harness
