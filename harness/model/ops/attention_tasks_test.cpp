// How the rows of a pass are cut into tasks of the attention kernels.
#include "harness/model/ops/attention_tasks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

namespace harness {
namespace {

constexpr int64_t kShared = 16;

// Samples of prompts, kShared each, some of them beyond one part of their own positions.
struct Rows {
  Rows(torch::Dtype dtype, int64_t rows, int64_t prefix)
      : prompts(1, std::vector<int64_t>(static_cast<size_t>((rows + kShared - 1) / kShared), prefix), {14, 2, 4}, dtype,
                torch::kCPU, true),
        own(1, std::vector<int64_t>(static_cast<size_t>(rows), 300), {14, 2, 4}, dtype, torch::kCPU, true) {
    for (int64_t r = 0; r < rows; ++r) places.push_back({&own, r, r * 7 % 300, &prompts, r / kShared, prefix});
    tasks.assign(places, rows + 2, {14, 2, 4});
  }
  // Tasks over a prefix.
  [[nodiscard]] int64_t prefix_tasks() const {
    return std::count_if(tasks.tasks.begin(), tasks.tasks.end(),
                         [](const cuda::AttentionTask& task) { return task.step == 0; });
  }

  KvStore prompts, own;
  std::vector<RowPlace> places;
  AttentionTasks tasks;
};

TEST(AttentionTasks, GiveEachPartOfEachRowToOneTask) {
  for (const torch::Dtype dtype : {torch::kFloat32, torch::kBFloat16}) {
    for (const int64_t rows : {1, 40, 700}) {
      const Rows made(dtype, rows, 300);
      std::map<std::pair<int64_t, int64_t>, int> seen;
      for (const cuda::AttentionTask& task : made.tasks.tasks) {
        for (int64_t r = task.first_row; r < task.first_row + task.rows; ++r) {
          ++seen[{r, task.part}];
          const RowPlace& place = made.places[static_cast<size_t>(r)];
          const bool own = task.step == 1;
          EXPECT_EQ(task.count + (r - task.first_row) * task.step, own ? place.own_position + 1 : place.prefix_count);
          EXPECT_EQ(task.begin, (task.part - (own ? 2 : 0)) * cuda::kAttentionChunk);
          const void* keys = own ? made.own.key_row(0, place.own_slot, 0) : made.prompts.key_row(0, place.prefix_slot, 0);
          EXPECT_EQ(task.keys, reinterpret_cast<uint64_t>(keys));
        }
      }
      int64_t expected = 0;
      for (int64_t r = 0; r < rows; ++r) {
        const int32_t parts = made.tasks.row_parts[static_cast<size_t>(r)];
        EXPECT_EQ(parts, 2 + AttentionTasks::chunks(r * 7 % 300 + 1));
        for (int64_t part = 0; part < parts; ++part) EXPECT_EQ((seen[{r, part}]), 1) << "row " << r << ", part " << part;
        expected += parts;
      }
      EXPECT_EQ(static_cast<int64_t>(seen.size()), expected);
      EXPECT_EQ(made.tasks.row_parts[static_cast<size_t>(rows)], 0) << "padding sees nothing";
    }
  }
}

TEST(AttentionTasks, OfBf16TakeTheSamplesOfAPromptTogetherWhereThatLeavesEnoughOfThem) {
  EXPECT_EQ(Rows(torch::kBFloat16, 1024, 128).prefix_tasks(), 64 * 2);  // 9 + 7 rows
  EXPECT_EQ(Rows(torch::kBFloat16, 16, 128).prefix_tasks(), 8);
  EXPECT_EQ(Rows(torch::kFloat32, 1024, 128).prefix_tasks(), 1024);  // 7 heads share a key-value head, 8 fit
}

}  // namespace
}  // namespace harness
