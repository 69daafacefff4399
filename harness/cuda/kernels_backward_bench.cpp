// Attention over packed rows, its gradient and that of the rotation on the GPU at the shape of a 0.5B model (H 14, K 2, E 64),
// attention also at that of a 4B model (H 32, K 8, E 128), bf16: seconds a call, share of the memory bandwidth and, for
// attention, floating-point operations a second. A sample of the results is held against the bodies on the host before anything
// is timed. Without a GPU each says so.
#include "harness/cuda/attention_plan.h"
#include "harness/cuda/benching.h"

namespace harness::cuda {
namespace {

constexpr Heads kHeads{14, 2, 64};
constexpr int64_t kQWidth = kHeads.heads * kHeads.dim, kKvWidth = kHeads.kv_heads * kHeads.dim, kWidth = kQWidth + 2 * kKvWidth;

bool same_columns(const Buffer<Bf16>& a, const Buffer<Bf16>& b, int64_t begin_row, int64_t end_row, int64_t begin,
                  int64_t end) {
  for (int64_t row = begin_row; row < end_row; ++row) {
    for (int64_t i = row * kWidth + begin; i < row * kWidth + end; ++i) {
      if (!(std::abs(a[i] - b[i]) <= 0.02 * std::abs(b[i]) + 1e-2)) return false;
    }
  }
  return true;
}

// Prompts of 128 tokens with 16 responses of 256 each; one prompt is 4224 rows.
struct PackedRows {
  explicit PackedRows(int64_t prompts) {
    for (int64_t p = 0; p < prompts; ++p) {
      const auto root = static_cast<int64_t>(spans.size());
      add(128, 0, -1);
      for (int64_t r = 0; r < 16; ++r) add(256, 128, root);
    }
  }
  void add(int64_t length, int64_t prefix_length, int64_t prefix) {
    for (int64_t i = 0; i < length; ++i) seen.push_back(prefix_length + i + 1);
    spans.push_back({rows, length, prefix});
    rows += length;
  }
  // Pairs of a row and a key that it sees.
  [[nodiscard]] double pairs() const {
    double sum = 0;
    for (const int64_t keys : seen) sum += static_cast<double>(keys);
    return sum;
  }

  std::vector<PackedSpan> spans;
  std::vector<int64_t> seen;  // [R] keys
  int64_t rows = 0;
};

// Arguments: prompts, query heads, key-value heads, head dimension.
void attend_packed(benchmark::State& state) {
  if (without_gpu(state)) return;
  const PackedRows packed(state.range(0));
  const Heads heads{state.range(1), state.range(2), state.range(3)};
  const int64_t rows = packed.rows, q_width = heads.heads * heads.dim, kv_width = heads.kv_heads * heads.dim,
                width = q_width + 2 * kv_width;
  const std::vector<QueryTask> plan = plan_packed_attention(packed.spans, rows, heads);
  const Buffer<QueryTask> tasks(plan);
  const auto q = random_buffer<Bf16>(rows * q_width, 1), k = random_buffer<Bf16>(rows * kv_width, 2),
             qkv = random_buffer<Bf16>(rows * width, 3);
  Buffer<Bf16> out(rows * q_width), host_out(rows * q_width);
  Buffer<float> lse(rows * heads.heads), host_lse(rows * heads.heads);
  PackedAttention<Bf16> a;
  a.q = q.data(), a.k = k.data(), a.v = qkv.data() + q_width + kv_width, a.v_stride = width, a.out = out.data();
  a.lse = lse.data(), a.tasks = tasks.data(), a.task_count = tasks.size(), a.shape = heads;
  a.scale = 1.0f / std::sqrt(static_cast<float>(heads.dim));
  // q, k, v and out once; two products of [queries, keys] and E for each pair seen.
  const double bytes = 2.0 * static_cast<double>(rows) * static_cast<double>(2 * q_width + 2 * kv_width);
  const double operations = 2 * 2 * packed.pairs() * static_cast<double>(q_width);
  time_kernel(
      state, bytes, [&](Tables t) { t.attend_packed(a, nullptr); },
      [&] {  // the first task and the last
        for (const QueryTask& task : {plan.front(), plan.back()}) {
          const Buffer<QueryTask> one(std::vector<QueryTask>{task});
          PackedAttention<Bf16> few = a;
          few.out = host_out.data(), few.lse = host_lse.data(), few.tasks = one.data(), few.task_count = 1;
          host_table<Bf16>().attend_packed(few, nullptr);
          const int64_t share = heads.heads / heads.kv_heads, first = (task.first + share - 1) / share,
                        end = (task.first + task.count) / share;
          for (int64_t i = first * q_width; i < end * q_width; ++i) {
            if (!(std::abs(out[i] - host_out[i]) <= 0.02 * std::abs(host_out[i]) + 1e-2)) return false;
          }
          for (int64_t i = first * heads.heads; i < end * heads.heads; ++i) {
            if (!(std::abs(lse[i] - host_lse[i]) <= 1e-3)) return false;
          }
        }
        return true;
      },
      operations);
}
BENCHMARK(attend_packed)->Args({1, 14, 2, 64})->Args({4, 14, 2, 64})->Args({4, 32, 8, 128})->UseManualTime();

// Argument: prompts.
void attend_backward(benchmark::State& state) {
  if (without_gpu(state)) return;
  const PackedRows packed(state.range(0));
  const std::vector<PackedSpan>& spans = packed.spans;
  const int64_t rows = packed.rows;
  Buffer<float> lse(rows * kHeads.heads);
  for (int64_t i = 0; i < lse.size(); ++i)  // of scores near 0
    lse.data()[i] = static_cast<float>(std::log(static_cast<double>(packed.seen[static_cast<size_t>(i / kHeads.heads)])));
  const BackwardPlan plan = plan_attention_backward(spans, rows, kHeads);
  const Buffer<QueryTask> queries(plan.queries);
  const Buffer<KeyTask> keys(plan.keys);
  const Buffer<KeyJoin> joins(plan.joins);
  const auto q = random_buffer<Bf16>(rows * kQWidth, 1, 0.3), k = random_buffer<Bf16>(rows * kKvWidth, 2),
             qkv = random_buffer<Bf16>(rows * kWidth, 3), dout = random_buffer<Bf16>(rows * kQWidth, 4),
             out = random_buffer<Bf16>(rows * kQWidth, 5);
  Buffer<Bf16> dqkv(rows * kWidth), host_dqkv(rows * kWidth);
  Buffer<float> delta(rows * kHeads.heads), part_sums(plan.parts * 2 * attention_tile(kHeads) * kKvWidth);
  AttentionBackward<Bf16> a;
  a.dout = dout.data(), a.out = out.data(), a.lse = lse.data(), a.q = q.data(), a.k = k.data();
  a.v = qkv.data() + kQWidth + kKvWidth, a.v_stride = a.gradient_stride = kWidth;
  a.dq = dqkv.data(), a.dk = a.dq + kQWidth, a.dv = a.dk + kKvWidth, a.delta = delta.data(), a.part_sums = part_sums.data();
  a.query_tasks = queries.data(), a.key_tasks = keys.data(), a.joins = joins.data();
  a.query_task_count = queries.size(), a.key_task_count = keys.size(), a.join_count = joins.size();
  a.rows = rows, a.shape = kHeads, a.scale = 0.125f;
  // q, k, v, out, dout and the gradients once; five products of [queries, keys] and E for each pair seen.
  const double bytes = 2.0 * static_cast<double>(rows) * (3 * kQWidth + 2 * kKvWidth + kWidth);
  const double operations = 5 * 2 * packed.pairs() * static_cast<double>(kQWidth);
  time_kernel(
      state, bytes, [&](Tables t) { t.attend_backward(a, nullptr); },
      [&] {  // the last tile of each kind
        const QueryTask& query = plan.queries.back();
        const KeyTask& key = plan.keys.back();
        if (key.part >= 0) return false;
        AttentionBackward<Bf16> few = a;
        few.dq = host_dqkv.data(), few.dk = few.dq + kQWidth, few.dv = few.dk + kKvWidth;
        few.query_tasks += few.query_task_count - 1, few.key_tasks += few.key_task_count - 1;
        few.query_task_count = few.key_task_count = 1, few.join_count = 0;
        host_table<Bf16>().attend_backward(few, nullptr);
        const int64_t share = kHeads.heads / kHeads.kv_heads;
        return same_columns(dqkv, host_dqkv, (query.first + share - 1) / share, (query.first + query.count) / share, 0,
                            kQWidth) &&
               same_columns(dqkv, host_dqkv, key.first_row, key.first_row + key.rows, kQWidth, kWidth);
      },
      operations);
}
BENCHMARK(attend_backward)->Arg(1)->Arg(4)->UseManualTime();

// With the norms of Qwen3, out of place.
void split_rotate_backward(benchmark::State& state) {
  if (without_gpu(state)) return;
  const int64_t rows = 16384, checked = 2 * kRotateChunk, positions = 512;
  const auto gradient = random_buffer<Bf16>(rows * kWidth, 1), qkv = random_buffer<Bf16>(rows * kWidth, 2),
             norm = random_buffer<Bf16>(kHeads.dim, 3);
  const auto cosine = random_buffer<float>(positions * kHeads.dim / 2, 4),
             sine = random_buffer<float>(positions * kHeads.dim / 2, 5);
  Buffer<int64_t> places(rows);
  for (int64_t r = 0; r < rows; ++r) places.data()[r] = r % positions;
  Buffer<Bf16> dqkv(rows * kWidth), host_dqkv(checked * kWidth);
  Buffer<float> dq_norm(kHeads.dim), dk_norm(kHeads.dim), host_norm(kHeads.dim),
      workspace(rotate_chunks(rows) * 2 * kHeads.dim);
  SplitRotateBackward<Bf16> a;
  a.dq = gradient.data(), a.dk = a.dq + kQWidth, a.dv = a.dk + kKvWidth, a.q_stride = a.kv_stride = kWidth;
  a.qkv = qkv.data(), a.q_norm = a.k_norm = norm.data(), a.cosine = cosine.data(), a.sine = sine.data();
  a.positions = places.data(), a.dqkv = dqkv.data(), a.dq_norm = dq_norm.data(), a.dk_norm = dk_norm.data();
  a.workspace = workspace.data(), a.rows = rows, a.shape = kHeads, a.eps = 1e-6f;
  const double bytes = 2.0 * rows * (3 * kWidth - kKvWidth);
  time_kernel(
      state, bytes, [&](Tables t) { t.split_rotate_backward(a, nullptr); },
      [&] {
        Buffer<float> host_workspace(rotate_chunks(checked) * 2 * kHeads.dim);
        SplitRotateBackward<Bf16> few = a;
        few.dqkv = host_dqkv.data(), few.dq_norm = few.dk_norm = host_norm.data(), few.workspace = host_workspace.data();
        few.rows = checked;
        host_table<Bf16>().split_rotate_backward(few, nullptr);
        return same_columns(dqkv, host_dqkv, 0, checked, 0, kWidth);
      });
}
BENCHMARK(split_rotate_backward)->UseManualTime();

}  // namespace
}  // namespace harness::cuda
