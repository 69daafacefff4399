#include "harness/cuda/attention_plan.h"

#include <algorithm>

#include "harness/core/error.h"

namespace harness::cuda {

namespace {

// A tile of keys is cut into parts of at least this many queries, and of more where there are blocks enough without: some 1000
// blocks are a few rounds on the 132 multiprocessors of an H100. Cut tiles are then at most twice as many parts, over all
// key-value heads, where their queries lie side by side: 128 MiB at head dimension 128.
constexpr int64_t kShortestPart = 1024, kBlocks = 1024;

struct Run {
  int64_t begin = 0, end = 0;  // rows of queries
};

class Planner {
 public:
  Planner(const std::vector<PackedSpan>& spans, int64_t rows, const Heads& shape)
      : spans_(spans),
        rows_(rows),
        share_(shape.heads / shape.kv_heads),
        tile_(attention_tile(shape)),
        children_(spans.size()) {
    MEDSBENCH_CHECK(share_ <= 16 && rows * share_ < kMostQueries, "{} rows of {} heads a key-value head", rows, share_);
    covered_.assign(static_cast<size_t>(rows), false);
    for (size_t s = 0; s < spans.size(); ++s) check(s);
    for (auto& children : children_) {
      std::sort(children.begin(), children.end(), [&](size_t a, size_t b) { return spans_[a].begin < spans_[b].begin; });
    }
    int64_t queries = 0;  // over all tiles of keys
    for (size_t s = 0; s < spans.size(); ++s) {
      each_tile(spans_[s], [&](int64_t first) {
        for (const Run& run : runs(s, first)) queries += (run.end - run.begin) * share_;
      });
    }
    longest_part_ = std::max(kShortestPart, (queries * shape.kv_heads + kBlocks - 1) / kBlocks);
  }

  BackwardPlan plan() {
    plan_.queries = queries(tile_);
    for (size_t s = 0; s < spans_.size(); ++s) each_tile(spans_[s], [&](int64_t first) { add_keys(s, first); });
    each_gap([&](const PackedSpan& gap) {
      each_tile(gap,
                [&](int64_t first) { plan_.joins.push_back(join(first, std::min(tile_, gap.begin + gap.length - first), 0)); });
    });
    return std::move(plan_);
  }
  // Tasks of at most `tile` queries: those of each span, then those of the rows of none.
  [[nodiscard]] std::vector<QueryTask> queries(int64_t tile) const {
    std::vector<QueryTask> tasks;
    for (const PackedSpan& span : spans_) add_queries(span, tile, true, tasks);
    each_gap([&](const PackedSpan& gap) { add_queries(gap, tile, false, tasks); });
    return tasks;
  }

 private:
  void check(size_t s) {
    const PackedSpan& span = spans_[s];
    MEDSBENCH_CHECK(span.begin >= 0 && span.length >= 0 && span.begin + span.length <= rows_, "rows {} + {} of {}", span.begin,
                    span.length, rows_);
    for (int64_t row = span.begin; row < span.begin + span.length; ++row) {
      MEDSBENCH_CHECK(!covered_[static_cast<size_t>(row)], "row {} of two sequences", row);
      covered_[static_cast<size_t>(row)] = true;
    }
    if (span.prefix < 0) return;
    const PackedSpan& prefix = spans_.at(static_cast<size_t>(span.prefix));
    MEDSBENCH_CHECK(prefix.prefix < 0 && prefix.begin + prefix.length <= span.begin,
                    "sequence {} at row {}: its prefix ends at row {} and has prefix {}", s, span.begin,
                    prefix.begin + prefix.length, prefix.prefix);
    if (span.length > 0) children_[static_cast<size_t>(span.prefix)].push_back(s);
  }

  template <typename Visit>
  void each_tile(const PackedSpan& span, Visit visit) const {
    for (int64_t first = span.begin; first < span.begin + span.length; first += tile_) visit(first);
  }

  // Rows of no span.
  template <typename Visit>
  void each_gap(Visit visit) const {
    for (int64_t row = 0; row < rows_;) {
      int64_t end = row;
      while (end < rows_ && !covered_[static_cast<size_t>(end)]) ++end;
      visit(PackedSpan{row, end - row});
      row = end + 1;
    }
  }

  // Rows that see keys of span s from row `first` on; later ones see all keys of the tile.
  [[nodiscard]] std::vector<Run> runs(size_t s, int64_t first) const {
    std::vector<Run> out = {{first, spans_[s].begin + spans_[s].length}};
    for (const size_t child : children_[s]) {
      const int64_t begin = spans_[child].begin, end = begin + spans_[child].length;
      if (begin == out.back().end) {
        out.back().end = end;
      } else {
        out.push_back({begin, end});
      }
    }
    return out;
  }

  void add_queries(const PackedSpan& span, int64_t tile, bool seeing, std::vector<QueryTask>& tasks) const {
    const int64_t end = (span.begin + span.length) * share_;
    for (int64_t first = span.begin * share_; first < end; first += tile) {
      QueryTask task;
      task.first = static_cast<int32_t>(first);
      task.count = static_cast<int32_t>(std::min(tile, end - first));
      if (seeing) {
        task.own_row = static_cast<int32_t>(span.begin);
        task.own_rows = static_cast<int32_t>((first + task.count - 1) / share_ + 1 - span.begin);
      }
      if (seeing && span.prefix >= 0) {
        task.prefix_row = static_cast<int32_t>(spans_[static_cast<size_t>(span.prefix)].begin);
        task.prefix_rows = static_cast<int32_t>(spans_[static_cast<size_t>(span.prefix)].length);
      }
      tasks.push_back(task);
    }
  }

  void add_keys(size_t s, int64_t first) {
    const size_t before = plan_.keys.size();
    const int64_t rows = std::min(tile_, spans_[s].begin + spans_[s].length - first);
    for (const Run& run : runs(s, first)) {
      for (int64_t query = run.begin * share_; query < run.end * share_; query += longest_part_) {
        KeyTask task;
        task.first_row = static_cast<int32_t>(first);
        task.rows = static_cast<int32_t>(rows);
        task.first = static_cast<int32_t>(query);
        task.count = static_cast<int32_t>(std::min(longest_part_, run.end * share_ - query));
        plan_.keys.push_back(task);
      }
    }
    const auto parts = static_cast<int64_t>(plan_.keys.size() - before);
    if (parts == 1) return;
    plan_.joins.push_back(join(first, rows, parts));
    for (size_t i = before; i < plan_.keys.size(); ++i) plan_.keys[i].part = static_cast<int32_t>(plan_.parts++);
  }
  [[nodiscard]] KeyJoin join(int64_t first, int64_t rows, int64_t parts) const {
    return {static_cast<int32_t>(first), static_cast<int32_t>(rows), static_cast<int32_t>(plan_.parts),
            static_cast<int32_t>(parts)};
  }

  const std::vector<PackedSpan>& spans_;
  int64_t rows_, share_, tile_, longest_part_ = 0;
  std::vector<std::vector<size_t>> children_;
  std::vector<bool> covered_;
  BackwardPlan plan_;
};

}  // namespace

std::vector<QueryTask> plan_packed_attention(const std::vector<PackedSpan>& spans, int64_t rows, const Heads& shape) {
  std::vector<QueryTask> tasks = Planner(spans, rows, shape).queries(packed_attention_tile(shape));
  std::stable_sort(tasks.begin(), tasks.end(), [](const QueryTask& a, const QueryTask& b) {
    return a.prefix_rows + a.own_rows > b.prefix_rows + b.own_rows;
  });
  return tasks;
}

BackwardPlan plan_attention_backward(const std::vector<PackedSpan>& spans, int64_t rows, const Heads& shape) {
  return Planner(spans, rows, shape).plan();
}

}  // namespace harness::cuda
