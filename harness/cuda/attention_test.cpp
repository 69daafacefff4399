// Attention over stored keys and values against its definition, and its independence of what else is computed beside it.
#include "harness/cuda/testing.h"

namespace harness::cuda {
namespace {

using AttentionKernel = KernelTest;

// One row of queries: what it sees of a shared prefix and of its own positions.
struct RowSpec {
  int64_t prefix_slot = 0, prefix_count = 0, own_slot = 0, own_count = 0;
};

template <typename T>
struct StepCase {
  Heads s;
  int64_t capacity;
  Buffer<T> q, keys, values;  // keys and values: [slots, capacity, K, E]
  std::vector<RowSpec> rows;
};

template <typename T>
struct StepAnswer {
  Buffer<T> out;
  Buffer<float> lse;
};

int64_t chunks(int64_t count) { return (count + kAttentionChunk - 1) / kAttentionChunk; }

// Tasks as a caller may cut them: `together` rows that follow one another share a task where they see the same prefix, or the
// same slot with one position more each.
template <typename T>
std::vector<AttentionTask> make_tasks(const StepCase<T>& c, int64_t together) {
  std::vector<AttentionTask> tasks;
  const auto add = [&](int64_t slot, int64_t first, int64_t rows, int64_t count, int64_t step, int64_t part) {
    const int64_t at = slot * c.capacity * c.s.kv_heads * c.s.dim;
    for (int64_t begin = 0; begin < count + (rows - 1) * step; begin += kAttentionChunk) {
      tasks.push_back({reinterpret_cast<uint64_t>(c.keys.data() + at), reinterpret_cast<uint64_t>(c.values.data() + at),
                       static_cast<int32_t>(first), static_cast<int32_t>(rows), static_cast<int32_t>(count),
                       static_cast<int32_t>(step), static_cast<int32_t>(begin), static_cast<int32_t>(part++)});
    }
  };
  const auto n = static_cast<int64_t>(c.rows.size());
  for (const bool prefix : {true, false}) {
    for (int64_t first = 0; first < n;) {
      const RowSpec& row = c.rows[static_cast<size_t>(first)];
      int64_t end = first + 1;
      const auto follows = [&](const RowSpec& next) {
        if (next.prefix_count != row.prefix_count || next.prefix_slot != row.prefix_slot) return false;
        return prefix || (next.own_slot == row.own_slot && next.own_count == row.own_count + (end - first));
      };
      while (end < n && end - first < together && follows(c.rows[static_cast<size_t>(end)])) ++end;
      if (prefix && row.prefix_count > 0) add(row.prefix_slot, first, end - first, row.prefix_count, 0, 0);
      if (!prefix && row.own_count > 0) add(row.own_slot, first, end - first, row.own_count, 1, chunks(row.prefix_count));
      first = end;
    }
  }
  return tasks;
}

template <typename T>
StepAnswer<T> attend(const Table<T>& table, Stand stand, const StepCase<T>& c, int64_t together, int64_t padding = 1,
                     int64_t layer = 0, size_t idle_tasks = 0) {
  const auto n = static_cast<int64_t>(c.rows.size()) + padding, width = c.s.heads * c.s.dim;
  std::vector<int32_t> parts;
  int64_t most = 1;
  for (const RowSpec& row : c.rows) {
    parts.push_back(static_cast<int32_t>(chunks(row.prefix_count) + chunks(row.own_count)));
    most = std::max<int64_t>(most, parts.back());
  }
  parts.resize(static_cast<size_t>(n), 0);
  std::vector<AttentionTask> list = make_tasks(c, together);
  for (AttentionTask& task : list) {
    task.layer_bytes = sizeof(T) * static_cast<uint64_t>(c.capacity * c.s.kv_heads * c.s.dim);
  }
  list.resize(list.size() + idle_tasks);
  const Buffer<AttentionTask> tasks(list);
  const Buffer<int32_t> row_parts(parts);
  Buffer<float> part_out(n * most * width), part_max(n * most * c.s.heads), part_sum(n * most * c.s.heads);
  StepAnswer<T> answer{Buffer<T>(n * width), Buffer<float>(n * c.s.heads)};
  for (int64_t i = 0; i < n * width; ++i) answer.out.data()[i] = from_float<T>(7.0f);
  Attention<T> a;
  a.q = c.q.data(), a.out = answer.out.data(), a.lse = answer.lse.data(), a.tasks = tasks.data(),
  a.row_parts = row_parts.data();
  a.part_out = part_out.data(), a.part_max = part_max.data(), a.part_sum = part_sum.data();
  a.rows = n, a.task_count = tasks.size(), a.parts = most, a.shape = c.s, a.layer = layer;
  a.scale = 1.0f / std::sqrt(static_cast<float>(c.s.dim));
  table.attend(a, nullptr);
  finish(stand);
  return answer;
}

template <typename T>
StepCase<T> make_case(Heads s, int64_t slots, int64_t capacity, std::vector<RowSpec> rows) {
  const int64_t stored = slots * capacity * s.kv_heads * s.dim;
  return {s,
          capacity,
          random_buffer<T>(static_cast<int64_t>(rows.size() + 1) * s.heads * s.dim, 1, 2.0),
          random_buffer<T>(stored, 2),
          random_buffer<T>(stored, 3),
          std::move(rows)};
}

template <typename T>
void expect_definition(const StepCase<T>& c, const StepAnswer<T>& answer) {
  const int64_t share = c.s.heads / c.s.kv_heads, dim = c.s.dim;
  for (int64_t r = 0; r < static_cast<int64_t>(c.rows.size()); ++r) {
    const RowSpec& row = c.rows[static_cast<size_t>(r)];
    std::vector<int64_t> seen;  // rows of the store
    for (int64_t i = 0; i < row.prefix_count; ++i) seen.push_back(row.prefix_slot * c.capacity + i);
    for (int64_t i = 0; i < row.own_count; ++i) seen.push_back(row.own_slot * c.capacity + i);
    for (int64_t h = 0; h < c.s.heads; ++h) {
      std::vector<double> scores, out(static_cast<size_t>(dim), 0), sizes(static_cast<size_t>(dim), 0);
      double max = -1e300, sum = 0;
      for (const int64_t at : seen) {
        double dot = 0;
        for (int64_t e = 0; e < dim; ++e)
          dot += c.q[(r * c.s.heads + h) * dim + e] * c.keys[(at * c.s.kv_heads + h / share) * dim + e];
        scores.push_back(dot / std::sqrt(static_cast<double>(dim)));
        max = std::max(max, scores.back());
      }
      for (size_t i = 0; i < seen.size(); ++i) {
        const double p = std::exp(scores[i] - max);
        sum += p;
        for (int64_t e = 0; e < dim; ++e) {
          const double value = c.values[(seen[i] * c.s.kv_heads + h / share) * dim + e];
          out[static_cast<size_t>(e)] += p * value;
          sizes[static_cast<size_t>(e)] += p * std::abs(value);
        }
      }
      ASSERT_NEAR(answer.lse[r * c.s.heads + h], max + std::log(sum), 1e-4);
      for (int64_t e = 0; e < dim; ++e) {
        const double expected = out[static_cast<size_t>(e)] / sum;
        // In bf16 every weight is rounded: half a unit in the last place is 2^-9 of it.
        const double rounded = std::is_same_v<T, Bf16> ? sizes[static_cast<size_t>(e)] / sum / 512 : 0;
        ASSERT_NEAR(answer.out[(r * c.s.heads + h) * dim + e], expected, tolerance<T>(expected, 1e-4) + rounded)
            << "row " << r << ", head " << h << ", column " << e;
      }
    }
  }
  const int64_t width = c.s.heads * dim, padding = static_cast<int64_t>(c.rows.size());
  for (int64_t i = 0; i < width; ++i) ASSERT_EQ(answer.out[padding * width + i], 0) << "a padding row is not zero";
}

TEST_P(AttentionKernel, IsSoftmaxAttentionOverPrefixAndOwnPositions) {
  const std::vector<RowSpec> rows = {{0, 20, 1, 1}, {0, 20, 2, 17}, {0, 20, 3, 64}, {0, 0, 2, 5}, {1, 1, 3, 65}};
  for (const Heads shape : {Heads{4, 2, 6}, Heads{9, 3, 64}, Heads{14, 2, 64}, Heads{3, 3, 96}, Heads{4, 1, 128},
                            Heads{2, 1, 256}, Heads{10, 1, 16}, Heads{16, 1, 40}, Heads{2, 2, 36}, Heads{1, 1, 200}}) {
    SCOPED_TRACE(testing::Message() << shape.heads << " and " << shape.kv_heads << " heads of " << shape.dim);
    const auto wide = make_case<float>(shape, 4, 80, rows);
    expect_definition(wide, attend(table<float>(), GetParam(), wide, attention_rows(shape, false, 5)));
    const auto narrow = make_case<Bf16>(shape, 4, 80, rows);
    expect_definition(narrow, attend(table<Bf16>(), GetParam(), narrow, attention_rows(shape, true, 5)));
  }
}

TEST_P(AttentionKernel, HoldsAcrossTheBordersOfTilesAndParts) {
  const Heads shape{2, 1, 16};
  std::vector<RowSpec> rows;
  for (const int64_t prefix : {0, 63, 64, 255, 256, 257, 600}) {
    for (const int64_t own : {1, 256, 257}) rows.push_back({0, prefix, 1, own});
  }
  const auto c = make_case<float>(shape, 2, 608, rows);
  expect_definition(c, attend(table<float>(), GetParam(), c, attention_rows(shape, false, 21)));
  const auto narrow = make_case<Bf16>(shape, 2, 608, rows);
  expect_definition(narrow, attend(table<Bf16>(), GetParam(), narrow, attention_rows(shape, true, 21)));
  const auto large = make_case<Bf16>({1, 1, 136}, 2, 608, rows);
  expect_definition(large, attend(table<Bf16>(), GetParam(), large, attention_rows(shape, true, 21)));
}

// A batch as a rollout has it: samples of one prompt that are at different places, several tiles of queries a task.
TEST_P(AttentionKernel, HoldsForTheSamplesOfOnePromptTakenTogether) {
  for (const Heads shape : {Heads{14, 2, 64}, Heads{9, 3, 128}}) {
    std::vector<RowSpec> rows;
    for (int64_t i = 0; i < 19; ++i) rows.push_back({i / 16, 270 - i / 16, i + 2, 1 + 13 * i});
    const auto c = make_case<Bf16>(shape, 21, 288, rows);
    const int64_t most = attention_rows(shape, true, 2000);
    EXPECT_EQ(most, 64 / (shape.heads / shape.kv_heads));
    const auto together = attend(table<Bf16>(), GetParam(), c, most);
    expect_definition(c, together);
    for (const int64_t fewer : {1, 5}) {
      const auto others = attend(table<Bf16>(), GetParam(), c, fewer);
      EXPECT_TRUE(together.out.same_bytes(others.out)) << fewer;
      EXPECT_TRUE(together.lse.same_bytes(others.lse)) << fewer;
    }
  }
}

template <typename T>
void check_sequence(const Table<T>& table, Stand stand, int64_t together, int64_t fewer) {
  const Heads shape{4, 2, 16};
  std::vector<RowSpec> rows;
  for (int64_t i = 1; i <= 300; ++i) rows.push_back({0, 10, 1, i});
  const auto c = make_case<T>(shape, 2, 304, rows);
  const auto most = attend(table, stand, c, together), alone = attend(table, stand, c, fewer);
  expect_definition(c, most);
  EXPECT_TRUE(most.out.same_bytes(alone.out));
  EXPECT_TRUE(most.lse.same_bytes(alone.lse));
}

TEST_P(AttentionKernel, HoldsForTheRowsOfOneSequenceTakenTogether) {
  check_sequence(table<float>(), GetParam(), 4, 1);
  check_sequence(table<Bf16>(), GetParam(), 32, 3);
}

TEST_P(AttentionKernel, OfOneRowDoesNotDependOnItsNeighbours) {
  const Heads shape{6, 2, 32};
  const std::vector<RowSpec> rows = {{0, 300, 1, 40}, {0, 300, 2, 7}, {0, 300, 3, 299}};
  auto c = make_case<Bf16>(shape, 4, 304, rows);
  const auto all = attend(table<Bf16>(), GetParam(), c, attention_rows(shape, true, 3));
  const int64_t width = shape.heads * shape.dim;
  for (int64_t r = 0; r < 3; ++r) {
    StepCase<Bf16> one = c;
    one.rows = {rows[static_cast<size_t>(r)]};
    one.q = Buffer<Bf16>(2 * width);
    std::memcpy(one.q.data(), c.q.data() + r * width, sizeof(Bf16) * static_cast<size_t>(width));
    const auto alone = attend(table<Bf16>(), GetParam(), one, 1);
    EXPECT_EQ(std::memcmp(alone.out.data(), all.out.data() + r * width, sizeof(Bf16) * static_cast<size_t>(width)), 0);
  }
}

TEST(AttentionBodies, LeaveTheSameBytesInBothOrdersOfTheThreads) {
  for (const Heads shape : {Heads{14, 2, 64}, Heads{2, 1, 256}, Heads{3, 1, 6}}) {
    std::vector<RowSpec> rows;
    for (int64_t i = 0; i < 5; ++i) rows.push_back({0, 130, i + 1, 1 + 60 * i});
    const auto c = make_case<Bf16>(shape, 6, 256, rows);
    const auto rising = attend(host_table<Bf16>(false), Stand::host, c, 5),
               falling = attend(host_table<Bf16>(true), Stand::host, c, 5);
    EXPECT_TRUE(rising.out.same_bytes(falling.out));
    EXPECT_TRUE(rising.lse.same_bytes(falling.lse));
  }
}

template <typename T>
void check_deeper(const Table<T>& table, Stand stand) {
  const Heads shape{4, 2, 16};
  const auto c = make_case<T>(shape, 5, 80, {{2, 20, 3, 17}, {2, 20, 4, 64}, {2, 20, 4, 65}});
  auto shallow = c;
  for (RowSpec& row : shallow.rows) row.prefix_slot -= 2, row.own_slot -= 2;
  const auto expected = attend(table, stand, c, 3), found = attend(table, stand, shallow, 3, 1, 2);
  EXPECT_TRUE(found.out.same_bytes(expected.out));
  EXPECT_TRUE(found.lse.same_bytes(expected.lse));
}

// Slots one after another stand for layers here: slot s of layer 2 is slot s + 2 of layer 0.
TEST_P(AttentionKernel, OfADeeperLayerIsThatOfTheAddressesItLies) {
  check_deeper(table<float>(), GetParam());
  check_deeper(table<Bf16>(), GetParam());
}

TEST_P(AttentionKernel, ATaskWithoutRowsChangesNothing) {
  const Heads shape{4, 2, 16};
  const auto c = make_case<Bf16>(shape, 5, 80, {{2, 20, 3, 17}, {2, 20, 4, 64}});
  const auto expected = attend(table<Bf16>(), GetParam(), c, 2);
  EXPECT_TRUE(attend(table<Bf16>(), GetParam(), c, 2, 1, 0, 7).out.same_bytes(expected.out));
}

TEST(AttentionRows, FillATileOfQueriesWhereThatLeavesEnoughBlocks) {
  const Heads half{14, 2, 64}, small{9, 3, 64};
  EXPECT_EQ(attention_rows(half, true, 16), 2);
  EXPECT_EQ(attention_rows(half, true, 1024), 9);
  EXPECT_EQ(attention_rows(small, true, 1), 5);
  EXPECT_EQ(attention_rows(small, true, 500), 10);
  EXPECT_EQ(attention_rows(small, true, 1024), 21);
  EXPECT_EQ(attention_rows({16, 1, 64}, true, 4096), 4);
  EXPECT_EQ(attention_rows(half, false, 1024), 1);
  EXPECT_EQ(attention_rows({4, 1, 64}, false, 1024), 2);
}

MEDSBENCH_KERNEL_STANDS(AttentionKernel);

}  // namespace
}  // namespace harness::cuda
