// Attention over packed rows against its definition in double precision, and its independence of what else is packed.
#include "harness/cuda/testing.h"

namespace harness::cuda {
namespace {

using PackedAttentionKernel = KernelTest;

template <typename T>
struct Answer {
  Buffer<T> out;
  Buffer<float> lse;
};

template <typename T>
Answer<T> attend(const Table<T>& table, Stand stand, const PackedCase<T>& c, int64_t offset = 0) {
  const Buffer<QueryTask> tasks(plan_packed_attention(c.spans, c.rows, c.s));
  Answer<T> answer{Buffer<T>(c.rows * c.s.heads * c.s.dim, offset), Buffer<float>(c.rows * c.s.heads)};
  for (int64_t i = 0; i < answer.out.size(); ++i) answer.out.data()[i] = from_float<T>(7.0f);
  for (int64_t i = 0; i < answer.lse.size(); ++i) answer.lse.data()[i] = 7;
  PackedAttention<T> a;
  a.q = c.q.data(), a.k = c.k.data(), a.v = c.values(), a.v_stride = c.width();
  a.out = answer.out.data(), a.lse = answer.lse.data(), a.tasks = tasks.data(), a.task_count = tasks.size();
  a.shape = c.s, a.scale = static_cast<float>(c.scale());
  table.attend_packed(a, nullptr);
  finish(stand);
  return answer;
}

// In bf16 the result is rounded by at most 2^-9 of itself and each weight by as much; a sum of n such errors, each at most u,
// passes 6 u sqrt(n) with a probability below 2 exp(-18) were they drawn at random (Hoeffding), and those here are fixed.
// Scores are sums of fp32 (`largest` in size): 1e-6 of them in exp and lse.
template <typename T>
void expect_definition(const PackedCase<T>& c, const Answer<T>& found, double largest = 20) {
  const AttentionDefinition expected = attention_definition(c);
  const bool narrow = std::is_same_v<T, Bf16>;
  const double of_value = (narrow ? 1.0 / 256 : 2e-6) + 2e-6 * largest,
               of_spread = (narrow ? 6.0 / 512 : 2e-6) + 2e-6 * largest;
  for (int64_t i = 0; i < found.out.size(); ++i) {
    const double value = expected.out[static_cast<size_t>(i)], spread = expected.spread[static_cast<size_t>(i)];
    ASSERT_NEAR(found.out[i], value, of_value * std::abs(value) + of_spread * spread)
        << "row " << i / (c.s.heads * c.s.dim) << ", column " << i % (c.s.heads * c.s.dim);
  }
  for (int64_t i = 0; i < found.lse.size(); ++i)
    ASSERT_NEAR(found.lse[i], expected.lse[static_cast<size_t>(i)],
                (expected.lse[static_cast<size_t>(i)] == 0 ? 0 : 2e-6) * largest)
        << "row " << i / c.s.heads;
}

template <typename T>
void check_packed(const Table<T>& table, Stand stand, Heads s, int64_t rows, const std::vector<PackedSpan>& spans,
                  int64_t offset = 0) {
  SCOPED_TRACE(testing::Message() << s.heads << " and " << s.kv_heads << " heads of " << s.dim << ", " << rows << " rows"
                                  << (std::is_same_v<T, Bf16> ? ", bf16" : ", fp32"));
  const auto c = packed_case<T>(s, rows, spans, offset);
  expect_definition(c, attend(table, stand, c, offset));
}

// A prompt of 17 with responses of 1, 20 and 70, a sequence alone, three rows of padding.
const std::vector<PackedSpan> kPackedFamily = {{0, 17, -1}, {17, 1, 0}, {18, 20, 0}, {38, 70, 0}, {108, 5, -1}};

TEST_P(PackedAttentionKernel, IsItsDefinitionForAnyShapeOfHeads) {
  for (const Heads shape : {Heads{14, 2, 64}, Heads{9, 3, 64}, Heads{16, 8, 128}, Heads{4, 2, 40}, Heads{2, 2, 96},
                            Heads{3, 1, 256}, Heads{4, 2, 6}}) {
    check_packed(table<float>(), GetParam(), shape, 116, kPackedFamily);
    check_packed(table<Bf16>(), GetParam(), shape, 116, kPackedFamily);
  }
}

TEST_P(PackedAttentionKernel, IsItsDefinitionForAnyNumberOfHeadsThatShareAKey) {
  const std::vector<PackedSpan> spans = {{0, 9, -1}, {9, 30, 0}, {40, 11, 0}};
  for (int64_t share = 1; share <= 16; ++share) {
    check_packed(table<float>(), GetParam(), {share, 1, 16}, 52, spans);
    check_packed(table<Bf16>(), GetParam(), {2 * share, 2, 16}, 52, spans);
  }
}

// Prefixes and sequences of every length with each other.
TEST_P(PackedAttentionKernel, IsItsDefinitionAroundTheBordersOfTiles) {
  std::vector<PackedSpan> spans;
  int64_t rows = 0;
  const auto add = [&](int64_t length, int64_t prefix) {
    spans.push_back({rows, length, prefix});
    rows += length;
    return static_cast<int64_t>(spans.size()) - 1;
  };
  for (const int64_t prefix : {1, 63, 64, 65, 200}) {
    const int64_t root = add(prefix, -1);
    for (const int64_t length : {1, 63, 64, 65, 200}) add(length, root);
  }
  check_packed(table<float>(), GetParam(), {1, 1, 16}, rows, spans);
  check_packed(table<Bf16>(), GetParam(), {1, 1, 16}, rows, spans);
  check_packed(table<Bf16>(), GetParam(), {2, 1, 64}, 200, {{0, 200, -1}});
  check_packed(table<Bf16>(), GetParam(), {1, 1, 256}, 140, {{0, 140, -1}});
}

TEST_P(PackedAttentionKernel, IsItsDefinitionForAnyAlignment) {
  check_packed(table<float>(), GetParam(), {2, 1, 32}, 116, kPackedFamily, 1);
  check_packed(table<Bf16>(), GetParam(), {2, 1, 32}, 116, kPackedFamily, 1);
}

// Scores of some 1000 and of -1000: in the first tiles of a row whose largest comes late, weights vanish without harm.
TEST_P(PackedAttentionKernel, HoldsForScoresFarFromZero) {
  const auto narrow = packed_case<Bf16>({2, 1, 64}, 300, {{0, 100, -1}, {100, 200, 0}}, 0, 300.0);
  expect_definition(narrow, attend(table<Bf16>(), GetParam(), narrow), 2000);
  const auto wide = packed_case<float>({2, 1, 64}, 300, {{0, 100, -1}, {100, 200, 0}}, 0, 300.0);
  expect_definition(wide, attend(table<float>(), GetParam(), wide), 2000);
}

// Each sequence behind its prefix alone, at other rows: the same bytes.
template <typename T>
void expect_independence(const Table<T>& table, Stand stand, Heads s) {
  const std::vector<PackedSpan> spans = {{0, 70, -1}, {70, 130, 0}, {200, 1, 0}, {203, 90, -1}, {293, 65, 3}};
  const auto all = packed_case<T>(s, 360, spans);
  const Answer<T> together = attend(table, stand, all);
  for (const PackedSpan& span : spans) {
    const int64_t prefix = span.prefix < 0 ? 0 : spans[static_cast<size_t>(span.prefix)].length, shift = 5;
    PackedCase<T> one = packed_case<T>(s, shift + prefix + span.length, {});
    const auto take = [&](int64_t from, int64_t to, int64_t count) {
      const auto copy = [&](const Buffer<T>& source, const Buffer<T>& target, int64_t width) {
        std::memcpy(target.data() + to * width, source.data() + from * width, sizeof(T) * static_cast<size_t>(count * width));
      };
      copy(all.q, one.q, s.heads * s.dim);
      copy(all.k, one.k, s.kv_heads * s.dim);
      copy(all.qkv, one.qkv, all.width());
    };
    if (span.prefix >= 0) {
      one.spans.push_back({shift, prefix, -1});
      take(spans[static_cast<size_t>(span.prefix)].begin, shift, prefix);
    }
    one.spans.push_back({shift + prefix, span.length, span.prefix < 0 ? -1 : 0});
    take(span.begin, shift + prefix, span.length);
    const Answer<T> alone = attend(table, stand, one);
    const int64_t width = s.heads * s.dim;
    EXPECT_EQ(std::memcmp(alone.out.data() + (shift + prefix) * width, together.out.data() + span.begin * width,
                          sizeof(T) * static_cast<size_t>(span.length * width)),
              0);
    EXPECT_EQ(std::memcmp(alone.lse.data() + (shift + prefix) * s.heads, together.lse.data() + span.begin * s.heads,
                          sizeof(float) * static_cast<size_t>(span.length * s.heads)),
              0);
  }
}

TEST_P(PackedAttentionKernel, OfARowDoesNotDependOnWhatElseIsPacked) {
  expect_independence(table<Bf16>(), GetParam(), {7, 1, 64});
  expect_independence(table<float>(), GetParam(), {4, 2, 16});
}

TEST_P(PackedAttentionKernel, NeedsNoPlaceForLogSums) {
  const auto c = packed_case<Bf16>({4, 2, 64}, 116, kPackedFamily);
  const Answer<Bf16> with = attend(table<Bf16>(), GetParam(), c);
  const Buffer<QueryTask> tasks(plan_packed_attention(c.spans, c.rows, c.s));
  Buffer<Bf16> out(with.out.size());
  PackedAttention<Bf16> a;
  a.q = c.q.data(), a.k = c.k.data(), a.v = c.values(), a.v_stride = c.width(), a.out = out.data();
  a.tasks = tasks.data(), a.task_count = tasks.size(), a.shape = c.s, a.scale = static_cast<float>(c.scale());
  table<Bf16>().attend_packed(a, nullptr);
  finish(GetParam());
  EXPECT_TRUE(out.same_bytes(with.out));
}

MEDSBENCH_KERNEL_STANDS(PackedAttentionKernel);

template <typename T>
void expect_any_order() {
  for (const Heads shape : {Heads{7, 1, 64}, Heads{2, 1, 128}, Heads{1, 1, 256}}) {
    const auto c = packed_case<T>(shape, 116, kPackedFamily);
    const Answer<T> rising = attend(host_table<T>(false), Stand::host, c),
                    falling = attend(host_table<T>(true), Stand::host, c);
    EXPECT_TRUE(rising.out.same_bytes(falling.out) && rising.lse.same_bytes(falling.lse)) << "heads of " << shape.dim;
  }
}
TEST(PackedAttentionOrder, OfThreadsChangesNoByte) {
  expect_any_order<Bf16>();
  expect_any_order<float>();
}

// Counted by brute force.
TEST(PackedAttentionPlan, CoversEachPairOfQueryAndKeyOnceTheLongestFirst) {
  const std::vector<PackedSpan> spans = {{2, 70, -1}, {72, 256, 0}, {330, 0, 0}, {340, 30, -1}, {370, 20, 3}, {390, 300, 3}};
  const int64_t rows = 700;
  for (const Heads shape : {Heads{14, 2, 64}, Heads{5, 1, 256}}) {
    const int64_t share = shape.heads / shape.kv_heads;
    std::vector<int64_t> expected(static_cast<size_t>(rows * rows), 0), found = expected;
    for (const PackedSpan& span : spans) {
      for (int64_t row = span.begin; row < span.begin + span.length; ++row)
        each_seen(spans, span, row, [&](int64_t key) { expected[static_cast<size_t>(row * rows + key)] += share; });
    }
    std::vector<int> written(static_cast<size_t>(rows * share), 0);
    int64_t before = rows;
    for (const QueryTask& task : plan_packed_attention(spans, rows, shape)) {
      ASSERT_LE(task.count, packed_attention_tile(shape));
      ASSERT_LE(task.prefix_rows + task.own_rows, before);
      before = task.prefix_rows + task.own_rows;
      for (int64_t n = task.first; n < task.first + task.count; ++n) {
        const int64_t row = n / share;
        ++written[static_cast<size_t>(n)];
        for (int64_t j = task.prefix_row; j < task.prefix_row + task.prefix_rows; ++j)
          if (j <= row) ++found[static_cast<size_t>(row * rows + j)];
        for (int64_t j = task.own_row; j < task.own_row + task.own_rows; ++j)
          if (j <= row) ++found[static_cast<size_t>(row * rows + j)];
      }
    }
    EXPECT_EQ(found, expected);
    EXPECT_EQ(std::count(written.begin(), written.end(), 1), rows * share);
  }
}

}  // namespace
}  // namespace harness::cuda
