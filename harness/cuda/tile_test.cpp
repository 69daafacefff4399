// Products of tiles against their definition, for each way in which the bodies read their sides.
#include "harness/cuda/tile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "harness/core/random.h"

namespace harness::cuda {
namespace {

// left [kRows, depth] and right [depth, kColumns] in rows of their own, or turned: `kTurned` columns are rows.
template <typename Tile, int kThreads, int kRows, int kColumns, int kDepth, bool kLeftTurned, bool kRightTurned>
void expect_product(bool backwards) {
  using Staged = typename Tile::Staged;
  constexpr int kLeftStride = (kLeftTurned ? kRows : kDepth) + Tile::kPad,
                kRightStride = (kRightTurned ? kDepth : kColumns) + Tile::kPad;
  using Left = Layout<kLeftTurned ? 1 : kLeftStride, kLeftTurned ? kLeftStride : 1>;
  using Right = Layout<kRightTurned ? kRightStride : 1, kRightTurned ? 1 : kRightStride>;
  Block<kThreads> block(0, 0, backwards);
  MEDSBENCH_SHARED(Staged, left, (kLeftTurned ? kDepth : kRows) * kLeftStride);
  MEDSBENCH_SHARED(Staged, right, (kRightTurned ? kColumns : kDepth) * kRightStride);
  const RandomStream stream("tile test", {1});
  std::vector<double> a, b;  // [kRows, kDepth], [kDepth, kColumns], as they are stored
  const auto number = [&](int i) { return from_float<Staged>(static_cast<float>(stream.normal(static_cast<uint64_t>(i)))); };
  block.each([&](int thread) {
    if (thread != 0) return;
    for (int m = 0; m < kRows; ++m) {
      for (int k = 0; k < kDepth; ++k) {
        left[m * Left::kOuter + k * Left::kDepth] = number(m * kDepth + k);
        a.push_back(static_cast<double>(to_float(number(m * kDepth + k))));
      }
    }
    for (int k = 0; k < kDepth; ++k) {
      for (int n = 0; n < kColumns; ++n) {
        right[n * Right::kOuter + k * Right::kDepth] = number(100000 + k * kColumns + n);
        b.push_back(static_cast<double>(to_float(number(100000 + k * kColumns + n))));
      }
    }
  });
  Tile tile;
  tile.clear(block);
  tile.template add_product<Left, Right>(block, left, right, kDepth);
  tile.template add_product<Left, Right>(block, left, right, 16);  // adds to what is there
  std::vector<int> seen(static_cast<size_t>(kRows * kColumns), 0);
  for (int thread = 0; thread < kThreads; ++thread) {
    for (int n = 0; n < Tile::kOwn; ++n) {
      const int row = Tile::row(thread, n), column = Tile::column(thread, n);
      double expected = 0;
      for (int k = 0; k < kDepth; ++k) {
        expected += (k < 16 ? 2 : 1) * a[static_cast<size_t>(row * kDepth + k)] * b[static_cast<size_t>(k * kColumns + column)];
      }
      ASSERT_NEAR(tile.at(thread, n), expected, 1e-4) << "row " << row << ", column " << column;
      ++seen[static_cast<size_t>(row * kColumns + column)];
    }
  }
  for (const int count : seen) ASSERT_EQ(count, 1) << "a sum that no thread holds, or two";
}

template <typename T, int kThreads, int kRows, int kColumns, int kDepth>
void expect_products() {
  using Tile = TileOf<T, kThreads, kRows, kColumns>;
  for (const bool backwards : {false, true}) {
    expect_product<Tile, kThreads, kRows, kColumns, kDepth, false, true>(backwards);   // q k^T
    expect_product<Tile, kThreads, kRows, kColumns, kDepth, false, false>(backwards);  // dS k
    expect_product<Tile, kThreads, kRows, kColumns, kDepth, true, false>(backwards);   // P^T dout
  }
}

TEST(Tile, AddsTheProductOfItsSidesHoweverTheyLie) {
  expect_products<float, 128, 64, 64, 32>();
  expect_products<float, 256, 32, 256, 32>();
  expect_products<Bf16, 128, 64, 64, 32>();
  expect_products<Bf16, 256, 64, 128, 48>();
  expect_products<Bf16, 256, 64, 64, 16>();
  expect_products<Bf16, 256, 32, 32, 32>();
  expect_products<Bf16, 64, 64, 16, 32>();  // two rows of products a warp
}

// P v: weights in registers times rows in shared memory, as many of them as there are.
template <int kThreads, int kRows, int kDepth, int kColumns>
void expect_product_of_sums() {
  using Weights = MmaTile<kThreads, kRows, kDepth, kThreads / kWarp>;
  using Tile = MmaTile<kThreads, kRows, kColumns, kThreads / kWarp>;
  constexpr int kStride = kColumns + Tile::kPad;
  Block<kThreads> block(0, 0, false);
  MEDSBENCH_SHARED(Bf16, right, kDepth * kStride);
  const RandomStream stream("tile test", {2});
  const auto number = [&](int i) { return static_cast<float>(stream.normal(static_cast<uint64_t>(i))); };
  const auto rounded = [&](int i) { return to_float(from_float<Bf16>(number(i))); };
  block.each([&](int thread) {
    for (int i = thread; i < kDepth * kColumns; i += kThreads)
      right[i / kColumns * kStride + i % kColumns] = from_float<Bf16>(number(100000 + i));
  });
  Weights weights;
  Tile tile;
  block.each_own([&](int thread) {
    for (int n = 0; n < Weights::kOwn; ++n)
      weights.at(thread, n) = number(Weights::row(thread, n) * kDepth + Weights::column(thread, n));
  });
  tile.clear(block);
  tile.template add_product_of<Layout<1, kStride>>(block, weights, right, kDepth - 16);
  for (int thread = 0; thread < kThreads; ++thread) {
    for (int n = 0; n < Tile::kOwn; ++n) {
      double expected = 0;
      for (int k = 0; k < kDepth - 16; ++k) {
        expected += static_cast<double>(rounded(Tile::row(thread, n) * kDepth + k)) *
                    static_cast<double>(rounded(100000 + k * kColumns + Tile::column(thread, n)));
      }
      ASSERT_NEAR(tile.at(thread, n), expected, 1e-4)
          << "row " << Tile::row(thread, n) << ", column " << Tile::column(thread, n);
    }
  }
}

TEST(Tile, AddsTheProductOfTheSumsOfAnother) {
  expect_product_of_sums<128, 64, 64, 64>();
  expect_product_of_sums<128, 128, 64, 32>();  // two rows of products a warp
  expect_product_of_sums<32, 16, 32, 64>();
}

}  // namespace
}  // namespace harness::cuda
