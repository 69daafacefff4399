#include "harness/model/ops/attention_tasks.h"

#include <algorithm>

namespace harness {

namespace {

int64_t prefix_count(const RowPlace& place) { return place.prefix != nullptr ? place.prefix_count : 0; }

bool same_prefix(const RowPlace& a, const RowPlace& b) {
  return a.prefix == b.prefix && (a.prefix == nullptr || (a.prefix_slot == b.prefix_slot && a.prefix_count == b.prefix_count));
}

// Bytes of a number of a store: from one position to the next lie all key-value heads.
int64_t number_bytes(const KvStore& store, const cuda::Heads& shape) {
  const auto* first = static_cast<const char*>(store.key_row(0, 0, 0));
  return (static_cast<const char*>(store.key_row(0, 0, 1)) - first) / (shape.kv_heads * shape.dim);
}

}  // namespace

void AttentionTasks::assign_places(const std::vector<RowPlace>& places, int64_t padded) {
  const auto rows = static_cast<size_t>(padded);
  tasks.clear();
  row_parts.assign(rows, 0);
  key_places.assign(rows, 0);
  value_places.assign(rows, 0);
  layer_bytes.assign(rows, 0);
  parts = 1;
  for (size_t r = 0; r < places.size(); ++r) {
    const RowPlace& p = places[r];
    key_places[r] = reinterpret_cast<uint64_t>(p.own->key_row(0, p.own_slot, p.own_position));
    value_places[r] = reinterpret_cast<uint64_t>(p.own->value_row(0, p.own_slot, p.own_position));
    layer_bytes[r] = static_cast<uint64_t>(p.own->layer_bytes());
  }
}

void AttentionTasks::assign(const std::vector<RowPlace>& places, int64_t padded, const cuda::Heads& shape) {
  const bool bf16 = !places.empty() && number_bytes(*places[0].own, shape) == static_cast<int64_t>(sizeof(Bf16));
  const int64_t most = cuda::attention_rows(shape, bf16, static_cast<int64_t>(places.size()));
  assign_places(places, padded);
  for (size_t r = 0; r < places.size(); ++r) {
    const int64_t own = chunks(prefix_count(places[r])) + chunks(places[r].own_position + 1);
    row_parts[r] = static_cast<int32_t>(own);
    parts = std::max(parts, own);
  }
  cut(
      places, most, [](const RowPlace& first, const RowPlace& next, int64_t) { return same_prefix(first, next); },
      [&](const RowPlace& p, int64_t begin, int64_t count) {
        if (p.prefix != nullptr) add(*p.prefix, p.prefix_slot, begin, count, p.prefix_count, 0, 0);
      });
  cut(
      places, most,
      [](const RowPlace& first, const RowPlace& next, int64_t distance) {
        return same_prefix(first, next) && next.own == first.own && next.own_slot == first.own_slot &&
               next.own_position == first.own_position + distance;
      },
      [&](const RowPlace& p, int64_t begin, int64_t count) {
        add(*p.own, p.own_slot, begin, count, p.own_position + 1, 1, chunks(prefix_count(p)));
      });
}

template <typename Follows, typename Take>
void AttentionTasks::cut(const std::vector<RowPlace>& places, int64_t most, Follows follows, Take take) {
  const auto rows = static_cast<int64_t>(places.size());
  for (int64_t begin = 0, end = 0; begin < rows; begin = end) {
    const RowPlace& first = places[static_cast<size_t>(begin)];
    end = begin + 1;
    while (end < rows && end - begin < most && follows(first, places[static_cast<size_t>(end)], end - begin)) ++end;
    take(first, begin, end - begin);
  }
}

void AttentionTasks::add(const KvStore& store, int64_t slot, int64_t first, int64_t rows, int64_t count, int64_t step,
                         int64_t part) {
  for (int64_t begin = 0; begin < count + (rows - 1) * step; begin += cuda::kAttentionChunk) {
    cuda::AttentionTask task;
    task.keys = reinterpret_cast<uint64_t>(store.key_row(0, slot, 0));
    task.values = reinterpret_cast<uint64_t>(store.value_row(0, slot, 0));
    task.first_row = static_cast<int32_t>(first);
    task.rows = static_cast<int32_t>(rows);
    task.count = static_cast<int32_t>(count);
    task.step = static_cast<int32_t>(step);
    task.begin = static_cast<int32_t>(begin);
    task.part = static_cast<int32_t>(part++);
    task.layer_bytes = static_cast<uint64_t>(store.layer_bytes());
    tasks.push_back(task);
  }
}

}  // namespace harness
