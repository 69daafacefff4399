// The softmax of rows over several tiles against its definition, for every way in which rows lie in the threads.
#include "harness/cuda/softmax_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "harness/core/random.h"

namespace harness::cuda {
namespace {

constexpr float kScale = 0.37f;

// Columns that a row sees, of all: the last rows those of a sequence, row 3 none, the others all.
int seen_columns(int row, int rows, int columns) {
  if (row == 3) return 0;
  return row >= rows / 2 ? columns - 2 * (rows - row) : columns;
}
constexpr int kMostRows = 64, kMostColumns = 3 * 128;
float score_of(int row, int column) {
  static const std::vector<float> scores = [] {
    const RandomStream stream("softmax test", {1});
    std::vector<float> out;
    for (uint64_t i = 0; i < kMostRows * kMostColumns; ++i) out.push_back(static_cast<float>(20 * stream.normal(i)));
    return out;
  }();
  return scores.at(static_cast<size_t>(row * kMostColumns + column));
}

template <typename T, int kThreads, int kRows, int kColumns, int kWarpRows>
class Rows {
 public:
  using Scores = TileOf<T, kThreads, kRows, kColumns, kWarpRows>;
  using Sums = TileOf<T, kThreads, kRows, 2 * kColumns, kWarpRows>;
  static constexpr int kTiles = 3;

  explicit Rows(bool backwards) : block_(0, 0, backwards) {}

  void run() {
    Block<kThreads>& block = block_;
    MEDSBENCH_SHARED(float, room, (SoftmaxRows<Scores, kThreads>::kRoom));
    softmax_.clear(block);
    sums_.clear(block);
    for (int first = 0; first < kTiles * kColumns; first += kColumns) step(first, room);
    softmax_.finish(block, room);
    block.each([](int) {});
  }

  void expect_definition() {
    std::vector<Expected> rows;
    for (int i = 0; i < kRows; ++i) rows.push_back(definition(i));
    for (int thread = 0; thread < kThreads; ++thread) {
      for (int n = 0; n < Sums::kOwn; ++n) {
        const int row = Sums::row(thread, n), index = Sums::row_index(n);
        ASSERT_EQ(Sums::own_row(thread, index), row);
        ASSERT_EQ(Scores::own_row(thread, index), row);
        const Expected& expected = rows[static_cast<size_t>(row)];
        ASSERT_NEAR(softmax_.total(thread, index), expected.total, 2e-5 * expected.total) << "row " << row;
        ASSERT_NEAR(sums_.at(thread, n), expected.sum, 2e-5 * expected.sum) << "row " << row;
        if (expected.total == 0) continue;
        ASSERT_EQ(softmax_.largest(thread, index), expected.largest);
        ASSERT_NEAR(softmax_.log_sum(thread, index, kScale), kScale * expected.largest + std::log(expected.total), 2e-4);
      }
    }
  }

  // Bits of what the rows hold, thread by thread.
  std::vector<float> values() {
    std::vector<float> out;
    for (int thread = 0; thread < kThreads; ++thread) {
      for (int n = 0; n < Sums::kOwn; ++n) out.push_back(sums_.at(thread, n));
      for (int r = 0; r < Scores::kOwnRows; ++r) {
        out.push_back(softmax_.total(thread, r));
        out.push_back(softmax_.largest(thread, r));
      }
    }
    return out;
  }

 private:
  struct Expected {
    double largest = -std::numeric_limits<double>::infinity(), total = 0, sum = 0;
  };
  // Columns are summed with their index + 1 as the value.
  static Expected definition(int row) {
    const int seen = seen_columns(row, kRows, kTiles * kColumns);
    Expected e;
    for (int j = 0; j < seen; ++j) e.largest = std::max(e.largest, static_cast<double>(score_of(row, j)));
    for (int j = 0; j < seen; ++j) {
      const double weight = std::exp(static_cast<double>(kScale) * (static_cast<double>(score_of(row, j)) - e.largest));
      e.total += weight;
      e.sum += weight * (j + 1);
    }
    return e;
  }

  template <typename Room>
  void step(int first, Room& room) {
    Scores scores;
    block_.each_own([&](int thread) {
      for (int n = 0; n < Scores::kOwn; ++n)
        scores.at(thread, n) = score_of(Scores::row(thread, n), first + Scores::column(thread, n));
    });
    bool all = true;
    for (int i = 0; i < kRows; ++i) all = all && seen_columns(i, kRows, kTiles * kColumns) >= first + kColumns;
    softmax_.weigh(
        block_, scores, kScale, [&](int i) { return seen_columns(i, kRows, kTiles * kColumns) - first; }, all, room);
    softmax_.shrink(block_, sums_);
    block_.each([](int) {});
    std::vector<float> sum(static_cast<size_t>(kRows), 0);
    for (int thread = 0; thread < kThreads; ++thread) {
      for (int n = 0; n < Scores::kOwn; ++n)
        sum[static_cast<size_t>(Scores::row(thread, n))] +=
            scores.at(thread, n) * static_cast<float>(first + Scores::column(thread, n) + 1);
    }
    for (int thread = 0; thread < kThreads; ++thread) {
      for (int n = 0; n < Sums::kOwn; ++n) sums_.at(thread, n) += sum[static_cast<size_t>(Sums::row(thread, n))];
    }
  }

  Block<kThreads> block_;
  SoftmaxRows<Scores, kThreads> softmax_;
  Sums sums_;
};

template <typename T, int kThreads, int kRows, int kColumns, int kWarpRows>
void check() {
  SCOPED_TRACE(testing::Message() << kRows << " rows in " << kThreads << " threads, " << kWarpRows
                                  << " warps below one another");
  Rows<T, kThreads, kRows, kColumns, kWarpRows> forwards(false), backwards(true);
  forwards.run();
  forwards.expect_definition();
  backwards.run();
  EXPECT_EQ(forwards.values(), backwards.values());
}

TEST(SoftmaxRows, IsTheSoftmaxOfRowsThatSeeDifferentColumns) {
  check<Bf16, 128, 64, 64, 4>();  // a warp has whole rows
  check<Bf16, 64, 32, 32, 2>();
  check<Bf16, 128, 16, 64, 1>();  // four warps have each row
  check<Bf16, 128, 32, 64, 2>();
  check<Bf16, 256, 64, 128, 4>();
  check<Bf16, 256, 64, 64, 2>();
  check<float, 128, 64, 64, 4>();
  check<float, 64, 32, 32, 2>();
  check<float, 128, 16, 64, 1>();
  check<float, 256, 32, 64, 2>();
}

TEST(SoftmaxRows, AskingForWhatIsSeenWhereAllIsChangesNothing) {
  using Tile = TileOf<Bf16, 128, 16, 64, 1>;
  const auto run = [](bool all) {
    Block<128> block(0, 0, false);
    MEDSBENCH_SHARED(float, room, (SoftmaxRows<Tile, 128>::kRoom));
    SoftmaxRows<Tile, 128> softmax;
    Tile scores;
    softmax.clear(block);
    block.each_own([&](int thread) {
      for (int n = 0; n < Tile::kOwn; ++n) scores.at(thread, n) = score_of(Tile::row(thread, n), Tile::column(thread, n));
    });
    softmax.weigh(
        block, scores, kScale, [](int) { return 64; }, all, room);
    std::vector<float> weights;
    for (int thread = 0; thread < 128; ++thread) {
      for (int n = 0; n < Tile::kOwn; ++n) weights.push_back(scores.at(thread, n));
    }
    return weights;
  };
  EXPECT_EQ(run(true), run(false));
}

// Without a barrier of the block a warp may still read what the next tile overwrites.
TEST(SoftmaxRows, OfRowsInSeveralWarpsNeedsABarrierBetweenTiles) {
  using Tile = TileOf<Bf16, 128, 16, 64, 1>;
  Block<128> block(0, 0, false);
  MEDSBENCH_SHARED(float, room, (SoftmaxRows<Tile, 128>::kRoom));
  SoftmaxRows<Tile, 128> softmax;
  Tile scores;
  softmax.clear(block);
  scores.clear(block);
  const auto weigh = [&] {
    softmax.weigh(
        block, scores, kScale, [](int) { return 64; }, true, room);
  };
  weigh();
  EXPECT_THROW(weigh(), std::logic_error);
  block.each([](int) {});
  weigh();
}

}  // namespace
}  // namespace harness::cuda
