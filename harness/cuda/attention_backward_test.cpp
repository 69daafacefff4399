// The gradient of attention over packed rows against its definition in double precision, and how it is cut into blocks.
#include <algorithm>

#include "harness/cuda/packed_tiles.h"
#include "harness/cuda/testing.h"

namespace harness::cuda {
namespace {

using AttentionGradient = KernelTest;

template <typename T>
struct Case : PackedCase<T> {
  Buffer<T> dout, out;
  Buffer<float> lse;
};

// Random inputs; what the forward pass would leave (out, lse) by its definition, rounded as it would be; random where no row
// is.
template <typename T>
Case<T> make_case(Heads s, int64_t rows, std::vector<PackedSpan> spans, int64_t offset = 0) {
  Case<T> c{packed_case<T>(s, rows, std::move(spans), offset), random_buffer<T>(rows * s.heads * s.dim, 4, 1.0, offset),
            random_buffer<T>(rows * s.heads * s.dim, 5, 1.0, offset), random_buffer<float>(rows * s.heads, 6)};
  const AttentionDefinition d = attention_definition(c);
  for (const PackedSpan& span : c.spans) {
    for (int64_t i = span.begin * s.heads; i < (span.begin + span.length) * s.heads; ++i) {
      c.lse.data()[i] = static_cast<float>(d.lse[static_cast<size_t>(i)]);
      for (int64_t at = i * s.dim; at < (i + 1) * s.dim; ++at)
        c.out.data()[at] = from_float<T>(static_cast<float>(d.out[static_cast<size_t>(at)]));
    }
  }
  return c;
}

// dqkv [R, (H + 2K) E], written by the kernels.
template <typename T>
Buffer<T> attend_backward(const Table<T>& table, Stand stand, const Case<T>& c) {
  const BackwardPlan plan = plan_attention_backward(c.spans, c.rows, c.s);
  const Buffer<QueryTask> queries(plan.queries);
  const Buffer<KeyTask> keys(plan.keys);
  const Buffer<KeyJoin> joins(plan.joins);
  Buffer<float> delta(c.rows * c.s.heads), part_sums(plan.parts * c.s.kv_heads * 2 * attention_tile(c.s) * c.s.dim);
  Buffer<T> dqkv(c.rows * c.width());
  for (int64_t i = 0; i < dqkv.size(); ++i) dqkv.data()[i] = from_float<T>(7.0f);
  AttentionBackward<T> a;
  a.dout = c.dout.data(), a.out = c.out.data(), a.lse = c.lse.data(), a.q = c.q.data(), a.k = c.k.data();
  a.v = c.values(), a.v_stride = c.width();
  a.dq = dqkv.data(), a.dk = a.dq + c.s.heads * c.s.dim, a.dv = a.dk + c.s.kv_heads * c.s.dim, a.gradient_stride = c.width();
  a.delta = delta.data(), a.part_sums = part_sums.data();
  a.query_tasks = queries.data(), a.key_tasks = keys.data(), a.joins = joins.data();
  a.query_task_count = queries.size(), a.key_task_count = keys.size(), a.join_count = joins.size();
  a.rows = c.rows, a.shape = c.s, a.scale = static_cast<float>(c.scale());
  table.attend_backward(a, nullptr);
  finish(stand);
  return dqkv;
}

// Of each gradient its value and the root of the sum of the squares of what it adds up.
struct Expected {
  std::vector<double> values, spread;
};

// d<out, dout> by the chain rule, in double, from the out and lse given.
template <typename T>
Expected definition(const Case<T>& c) {
  const auto size = static_cast<size_t>(c.rows * c.width());
  Expected expected{std::vector<double>(size, 0), std::vector<double>(size, 0)};
  // `bound`: the size of `scale` before its two terms cancel.
  const auto add = [&](int64_t at, double scale, double bound, const Buffer<T>& from, int64_t from_at) {
    for (int64_t e = 0; e < c.s.dim; ++e) {
      expected.values[static_cast<size_t>(at + e)] += scale * from[from_at + e];
      expected.spread[static_cast<size_t>(at + e)] += std::pow(bound * from[from_at + e], 2);
    }
  };
  for (const PackedSpan& span : c.spans) {
    for (int64_t row = span.begin; row < span.begin + span.length; ++row) {
      for (int64_t h = 0; h < c.s.heads; ++h) {
        const int64_t at = c.q_at(row, h);
        const double delta = dot(c.dout, at, c.out, at, c.s.dim);
        each_seen(c.spans, span, row, [&](int64_t j) {
          const double p = std::exp(dot(c.q, at, c.k, c.k_at(j, h), c.s.dim) * c.scale() - c.lse[row * c.s.heads + h]);
          const double dp = dot(c.dout, at, c.qkv, c.v_at(j, h), c.s.dim);
          const double ds = p * (dp - delta) * c.scale(), bound = p * (std::abs(dp) + std::abs(delta)) * c.scale();
          add(row * c.width() + h * c.s.dim, ds, bound, c.k, c.k_at(j, h));
          add(c.v_at(j, h) - c.s.kv_heads * c.s.dim, ds, bound, c.q, at);
          add(c.v_at(j, h), p, p, c.dout, at);
        });
      }
    }
  }
  for (double& spread : expected.spread) spread = std::sqrt(spread);
  return expected;
}

// Within 1e-5 of the value or of what it adds up, and 1e-6 where all of it cancels. In bf16 the rounding of the result is half
// a unit, 2^-9, and each term is rounded by as much: a sum of n such errors, each at most u, passes 6 u sqrt(n) with a
// probability below 2 exp(-18) were they drawn at random from [-u, u] (Hoeffding), and those here are fixed.
template <typename T>
void expect_definition(const Case<T>& c, const Buffer<T>& found) {
  const Expected expected = definition(c);
  const bool narrow = std::is_same_v<T, Bf16>;
  const double of_value = narrow ? 1.0 / 256 : 1e-5, of_spread = narrow ? 6.0 / 512 : 1e-5;
  for (int64_t i = 0; i < found.size(); ++i) {
    const double value = expected.values[static_cast<size_t>(i)], spread = expected.spread[static_cast<size_t>(i)];
    ASSERT_NEAR(found[i], value, of_value * std::abs(value) + of_spread * spread + 1e-6)
        << "row " << i / c.width() << ", column " << i % c.width();
  }
}

template <typename T>
void check(const Table<T>& table, Stand stand, Heads s, int64_t rows, const std::vector<PackedSpan>& spans,
           int64_t offset = 0) {
  SCOPED_TRACE(testing::Message() << s.heads << " and " << s.kv_heads << " heads of " << s.dim << ", " << rows << " rows"
                                  << (std::is_same_v<T, Bf16> ? ", bf16" : ", fp32"));
  const auto c = make_case<T>(s, rows, spans, offset);
  const auto found = attend_backward(table, stand, c);
  expect_definition(c, found);
  EXPECT_TRUE(found.same_bytes(attend_backward(table, stand, c))) << "another result in the second run";
}

// A prompt of 17 with responses of 1, 20 and 70, a sequence alone, three rows of padding.
const std::vector<PackedSpan> kFamily = {{0, 17, -1}, {17, 1, 0}, {18, 20, 0}, {38, 70, 0}, {108, 5, -1}};

TEST_P(AttentionGradient, IsItsDefinitionForAnyShapeOfHeads) {
  for (const Heads shape : {Heads{2, 2, 32}, Heads{4, 2, 64}, Heads{7, 1, 64}, Heads{8, 1, 80}, Heads{2, 1, 128},
                            Heads{4, 2, 6}, Heads{2, 1, 256}}) {
    check(table<float>(), GetParam(), shape, 116, kFamily);
    check(table<Bf16>(), GetParam(), shape, 116, kFamily);
  }
}

TEST_P(AttentionGradient, IsItsDefinitionForAnyAlignment) {
  check(table<float>(), GetParam(), {2, 1, 32}, 116, kFamily, 1);
  check(table<Bf16>(), GetParam(), {2, 1, 32}, 116, kFamily, 1);
}

TEST_P(AttentionGradient, IsItsDefinitionForLengthsAroundTheBordersOfTiles) {
  for (const int64_t length : {1, 17, 63, 64, 65, 256, 300}) {
    check(table<float>(), GetParam(), {2, 2, 32}, length, {{0, length, -1}});
  }
  check(table<Bf16>(), GetParam(), {2, 1, 64}, 300, {{0, 300, -1}});
  check(table<float>(), GetParam(), {1, 1, 128}, 700, {{0, 700, -1}});
}

// 8 heads of 256 + 300 + 40 + 200 rows are 6368 queries of the first prompt: more than one part.
TEST_P(AttentionGradient, OfAPromptIsSummedInPartsOverItsResponses) {
  const std::vector<PackedSpan> spans = {{0, 70, -1},   {70, 256, 0}, {326, 300, 0}, {626, 40, 0},
                                         {670, 30, -1}, {700, 20, 4}, {720, 60, 0}};
  const Heads shape{8, 1, 32};
  EXPECT_GT(plan_attention_backward(spans, 784, shape).parts, 4);
  check(table<float>(), GetParam(), shape, 784, spans);
  check(table<Bf16>(), GetParam(), shape, 784, spans);
}

MEDSBENCH_KERNEL_STANDS(AttentionGradient);

// Every pair of a query and a key that it sees stands in one task of each kind; counted by brute force.
TEST(AttentionPlan, CoversEachPairOfQueryAndKeyOnce) {
  const std::vector<PackedSpan> spans = {{2, 70, -1},   {72, 256, 0}, {330, 300, 0}, {630, 0, 0},
                                         {640, 30, -1}, {670, 20, 4}, {690, 700, 0}};
  const Heads shape{14, 2, 64};
  const int64_t rows = 1400, share = 7, tile = attention_tile(shape);
  const BackwardPlan plan = plan_attention_backward(spans, rows, shape);
  std::vector<int> expected(static_cast<size_t>(rows * rows), 0), by_queries = expected, by_keys = expected;
  for (const PackedSpan& span : spans) {
    for (int64_t row = span.begin; row < span.begin + span.length; ++row)
      each_seen(spans, span, row, [&](int64_t key) { expected[static_cast<size_t>(row * rows + key)] += share; });
  }
  std::vector<int> written(static_cast<size_t>(rows * share), 0), key_written(static_cast<size_t>(rows), 0);
  for (const QueryTask& task : plan.queries) {
    ASSERT_LE(task.count, tile);
    for (int64_t n = task.first; n < task.first + task.count; ++n) {
      const int64_t row = n / share;
      ++written[static_cast<size_t>(n)];
      for (int64_t j = task.prefix_row; j < task.prefix_row + task.prefix_rows; ++j)
        if (j <= row) ++by_queries[static_cast<size_t>(row * rows + j)];
      for (int64_t j = task.own_row; j < task.own_row + task.own_rows; ++j)
        if (j <= row) ++by_queries[static_cast<size_t>(row * rows + j)];
    }
  }
  int64_t parts = 0;
  for (const KeyTask& task : plan.keys) {
    ASSERT_LE(task.rows, tile);
    for (int64_t j = task.first_row; j < task.first_row + task.rows; ++j) {
      key_written[static_cast<size_t>(j)] += task.part < 0;
      for (int64_t n = task.first; n < task.first + task.count; ++n)
        if (j <= n / share) ++by_keys[static_cast<size_t>(n / share * rows + j)];
    }
    if (task.part >= 0) {
      EXPECT_EQ(task.part, parts++);
    }
  }
  EXPECT_EQ(parts, plan.parts);
  for (const KeyJoin& join : plan.joins) {
    ASSERT_LE(join.rows, tile);
    for (int64_t j = join.first_row; j < join.first_row + join.rows; ++j) ++key_written[static_cast<size_t>(j)];
    for (int64_t part = join.part; part < join.part + join.parts; ++part) {
      const auto task = std::find_if(plan.keys.begin(), plan.keys.end(), [&](const KeyTask& t) { return t.part == part; });
      ASSERT_TRUE(task != plan.keys.end() && task->first_row == join.first_row && task->rows == join.rows);
    }
  }
  EXPECT_EQ(by_queries, expected);
  EXPECT_EQ(by_keys, expected);
  EXPECT_EQ(std::count(written.begin(), written.end(), 1), rows * share);
  EXPECT_EQ(std::count(key_written.begin(), key_written.end(), 1), rows);
}

TEST(AttentionPlan, RowsOfQueriesAreTheirQuotients) {
  for (int share = 1; share <= 16; ++share) {
    const PackedTiles<float, 64> tiles({2 * share, 2, 64}, false);
    for (int row = 0; row < kMostQueries / share; row += row < 5000 ? 1 : 99991) {
      ASSERT_EQ(tiles.row(row * share), row);
      ASSERT_EQ(tiles.row(row * share + share - 1), row);
    }
    const int last = static_cast<int>(kMostQueries) - 1;
    ASSERT_EQ(tiles.row(last), last / share);
  }
}

TEST(AttentionPlan, RefusesSpansThatItCannotCut) {
  const Heads shape{2, 1, 64};
  EXPECT_ANY_THROW(plan_attention_backward({{0, 5, -1}, {4, 5, -1}}, 10, shape)) << "a row of two sequences";
  EXPECT_ANY_THROW(plan_attention_backward({{0, 11, -1}}, 10, shape)) << "beyond the rows";
  EXPECT_ANY_THROW(plan_attention_backward({{0, 2, 1}, {2, 5, -1}}, 10, shape)) << "a prefix behind";
  EXPECT_ANY_THROW(plan_attention_backward({{0, 2, -1}, {2, 2, 0}, {4, 2, 1}}, 10, shape)) << "a prefix with a prefix";
}

TEST(AttentionPlan, OfALongSequenceLeavesFewParts) {
  const BackwardPlan plan = plan_attention_backward({{0, 32768, -1}}, 32768, {14, 2, 64});
  EXPECT_LE(plan.parts * 2, 2048);
  EXPECT_EQ(plan.queries.size(), 32768u * 7 / 64);
}

}  // namespace
}  // namespace harness::cuda
