// Each kernel on the GPU at the sizes of a 0.5B model (D 896, H 14, K 2, E 64, F 4864, V 151936): seconds a call and the share
// of the memory bandwidth. Results are held against the bodies on the host before anything is timed. Without a GPU each says
// so.
#include <algorithm>

#include "harness/cuda/benching.h"

namespace harness::cuda {
namespace {

constexpr int64_t kRows = 1024, kHiddenWidth = 896, kMlp = 4864, kVocabulary = 151936;
constexpr Heads kDecodeHeads{14, 2, 64};

void rms_norm(benchmark::State& state) {
  if (without_gpu(state)) return;
  const auto x = random_buffer<Bf16>(kRows * kHiddenWidth, 1), w = random_buffer<Bf16>(kHiddenWidth, 3);
  Buffer<Bf16> y(kRows * kHiddenWidth), host_y(4 * kHiddenWidth);
  RmsNorm<Bf16> a{x.data(), w.data(), nullptr, y.data(), nullptr, kRows, kHiddenWidth, 1e-6f};
  time_kernel(
      state, 2.0 * kRows * kHiddenWidth * 2, [&](Tables t) { t.rms_norm(a, nullptr); },
      [&] {
        RmsNorm<Bf16> few = a;
        few.y = host_y.data(), few.rows = 4;
        host_table<Bf16>().rms_norm(few, nullptr);
        return close(y, host_y, 4 * kHiddenWidth);
      });
}
BENCHMARK(rms_norm)->UseManualTime();

void split_rotate(benchmark::State& state) {
  if (without_gpu(state)) return;
  const int64_t width = (kDecodeHeads.heads + 2 * kDecodeHeads.kv_heads) * kDecodeHeads.dim,
                q_width = kDecodeHeads.heads * kDecodeHeads.dim, kv = kDecodeHeads.kv_heads * kDecodeHeads.dim;
  const auto qkv = random_buffer<Bf16>(kRows * width, 1), norm = random_buffer<Bf16>(kDecodeHeads.dim, 2);
  const auto cosine = random_buffer<float>(512 * kDecodeHeads.dim / 2, 3),
             sine = random_buffer<float>(512 * kDecodeHeads.dim / 2, 4);
  Buffer<int64_t> positions(kRows);
  for (int64_t r = 0; r < kRows; ++r) positions.data()[r] = r % 512;
  Buffer<Bf16> q(kRows * q_width), k(kRows * kv), host_q(4 * q_width), host_k(4 * kv);
  SplitRotate<Bf16> a;
  a.qkv = qkv.data(), a.q_norm = norm.data(), a.k_norm = norm.data(), a.cosine = cosine.data(), a.sine = sine.data();
  a.positions = positions.data(), a.q = q.data(), a.k = k.data(), a.rows = kRows, a.shape = kDecodeHeads, a.eps = 1e-6f;
  time_kernel(
      state, 2.0 * kRows * (q_width + kv) * 2, [&](Tables t) { t.split_rotate(a, nullptr); },
      [&] {
        SplitRotate<Bf16> few = a;
        few.q = host_q.data(), few.k = host_k.data(), few.rows = 4;
        host_table<Bf16>().split_rotate(few, nullptr);
        return close(q, host_q, 4 * q_width) && close(k, host_k, 4 * kv);
      });
}
BENCHMARK(split_rotate)->UseManualTime();

// Of a decode step: range(0) rows, 16 to a prompt of range(1) positions, each with range(2) positions of its own.
void attend_decode(benchmark::State& state) {
  if (without_gpu(state)) return;
  const int64_t rows = state.range(0), prefix = state.range(1), own = state.range(2), shared = 16, prompts = rows / shared;
  const int64_t kv = kDecodeHeads.kv_heads * kDecodeHeads.dim, width = kDecodeHeads.heads * kDecodeHeads.dim,
                stored = prompts * prefix + rows * own;
  const auto q = random_buffer<Bf16>(rows * width, 1), keys = random_buffer<Bf16>(stored * kv, 2),
             values = random_buffer<Bf16>(stored * kv, 3);
  std::vector<AttentionTask> list;
  int64_t parts = 0;
  const auto add = [&](int64_t at, int64_t count, int64_t first, int64_t together, int64_t part) {
    for (int64_t begin = 0; begin < count; begin += kAttentionChunk) {
      list.push_back({reinterpret_cast<uint64_t>(keys.data() + at * kv), reinterpret_cast<uint64_t>(values.data() + at * kv),
                      static_cast<int32_t>(first), static_cast<int32_t>(together), static_cast<int32_t>(count), 0,
                      static_cast<int32_t>(begin), static_cast<int32_t>(part++)});
    }
    parts = std::max(parts, part);
    return part;
  };
  const int64_t most = attention_rows(kDecodeHeads, true, rows),
                prefix_parts = (prefix + kAttentionChunk - 1) / kAttentionChunk;
  for (int64_t prompt = 0; prompt < prompts; ++prompt) {
    for (int64_t r = 0; r < shared; r += most) add(prompt * prefix, prefix, prompt * shared + r, std::min(most, shared - r), 0);
  }
  for (int64_t r = 0; r < rows; ++r) add(prompts * prefix + r * own, own, r, 1, prefix_parts);
  const Buffer<AttentionTask> tasks(list);
  const Buffer<int32_t> row_parts(std::vector<int32_t>(static_cast<size_t>(rows), static_cast<int32_t>(parts)));
  Buffer<float> part_out(rows * parts * width), part_max(rows * parts * kDecodeHeads.heads),
      part_sum(rows * parts * kDecodeHeads.heads);
  Buffer<Bf16> out(rows * width), host_out(rows * width);
  Attention<Bf16> a{q.data(),        out.data(), nullptr,      tasks.data(), row_parts.data(), part_out.data(), part_max.data(),
                    part_sum.data(), rows,       tasks.size(), parts,        kDecodeHeads,     0.125f};
  time_kernel(
      state, 2.0 * static_cast<double>(stored * kv) * 2, [&](Tables t) { t.attend(a, nullptr); },
      [&] {
        Attention<Bf16> again = a;
        again.out = host_out.data();
        host_table<Bf16>().attend(again, nullptr);
        return close(out, host_out, rows * width);
      },
      4.0 * static_cast<double>(rows * width * (prefix + own)));
}
BENCHMARK(attend_decode)
    ->ArgNames({"rows", "prefix", "own"})
    ->Args({16, 128, 128})
    ->Args({1024, 128, 128})
    ->Args({1024, 512, 256})
    ->UseManualTime();

void swiglu(benchmark::State& state) {
  if (without_gpu(state)) return;
  const auto gate_up = random_buffer<Bf16>(kRows * 2 * kMlp, 1);
  Buffer<Bf16> y(kRows * kMlp), host_y(kMlp);
  time_kernel(
      state, 3.0 * kRows * kMlp * 2,
      [&](Tables t) {
        t.swiglu({gate_up.data(), nullptr, y.data(), nullptr, kRows, kMlp}, nullptr);
      },
      [&] {
        host_table<Bf16>().swiglu({gate_up.data(), nullptr, host_y.data(), nullptr, 1, kMlp}, nullptr);
        return close(y, host_y, kMlp);
      });
}
BENCHMARK(swiglu)->UseManualTime();

void sample_tokens(benchmark::State& state) {
  if (without_gpu(state)) return;
  const auto logits = random_buffer<Bf16>(kRows * kVocabulary, 1, 3.0);
  Buffer<double> uniforms(kRows);
  for (int64_t r = 0; r < kRows; ++r) uniforms.data()[r] = (static_cast<double>(r) + 0.5) / kRows;
  Buffer<int64_t> tokens(kRows), host_tokens(4);
  Buffer<float> log_probs(kRows), entropies(kRows), host_log_probs(4), host_entropies(4),
      sums(kRows * kTileSums * logit_tiles(kVocabulary));
  time_kernel(
      state, 1.0 * kRows * kVocabulary * 2,
      [&](Tables t) {
        t.sample_tokens({logits.data(), uniforms.data(), tokens.data(), log_probs.data(), entropies.data(), kRows, kVocabulary,
                         1, 1, sums.data()},
                        nullptr);
      },
      [&] {
        host_table<Bf16>().sample_tokens({logits.data(), uniforms.data(), host_tokens.data(), host_log_probs.data(),
                                          host_entropies.data(), 4, kVocabulary, 1, 1},
                                         nullptr);
        return close(log_probs, host_log_probs, 4) && close(entropies, host_entropies, 4);
      });
}
BENCHMARK(sample_tokens)->UseManualTime();

void logit_gradient(benchmark::State& state) {
  if (without_gpu(state)) return;
  const auto logits = random_buffer<Bf16>(kRows * kVocabulary, 1, 3.0),
             host_logits = random_buffer<Bf16>(2 * kVocabulary, 1, 3.0);
  const Buffer<int64_t> targets(kRows);
  const auto g = random_buffer<float>(kRows, 2);
  time_kernel(
      state, 3.0 * kRows * kVocabulary * 2,
      [&](Tables t) {
        t.logit_gradient({logits.data(), targets.data(), g.data(), nullptr, kRows, kVocabulary, 1}, nullptr);
      },
      [&] {
        host_table<Bf16>().logit_gradient({host_logits.data(), targets.data(), g.data(), nullptr, 2, kVocabulary, 1}, nullptr);
        return close(logits, host_logits, 2 * kVocabulary);
      });
}
BENCHMARK(logit_gradient)->UseManualTime();

void readout(benchmark::State& state) {
  if (without_gpu(state)) return;
  const int64_t layers = 24;
  const auto head = random_buffer<Bf16>(kRows * kHiddenWidth, 1),
             hidden = random_buffer<Bf16>(layers * kRows * kHiddenWidth, 2);
  Buffer<int64_t> tokens(kRows);
  for (int64_t r = 0; r < kRows; ++r) tokens.data()[r] = r;
  Buffer<float> values(kRows * layers), host_values(kRows * layers);
  Readout<Bf16> a;
  a.head = head.data(), a.tokens = tokens.data(), a.values = values.data(), a.rows = kRows, a.layers = layers,
  a.width = kHiddenWidth;
  for (int64_t l = 0; l < layers; ++l) a.hidden[l] = hidden.data() + l * kRows * kHiddenWidth;
  time_kernel(
      state, 2.0 * (layers + 1) * kRows * kHiddenWidth, [&](Tables t) { t.readout(a, nullptr); },
      [&] {
        Readout<Bf16> again = a;
        again.values = host_values.data();
        host_table<Bf16>().readout(again, nullptr);
        return close(values, host_values, kRows * layers);
      });
}
BENCHMARK(readout)->UseManualTime();

void adamw(benchmark::State& state) {
  if (without_gpu(state)) return;
  const int64_t count = 1 << 26;
  const auto master = random_buffer<float>(count, 1, 0.02), gradient = random_buffer<float>(count, 2, 1e-3),
             host = random_buffer<float>(1000, 1, 0.02);
  Buffer<float> first(count), second(count), host_first(1000), host_second(1000);
  Buffer<Bf16> parameter(count), host_parameter(1000);
  AdamW<Bf16> a{master.data(), first.data(), second.data(), gradient.data(), parameter.data(),
                count,         1e-3f,        0.9f,          0.999f,          1e-8f,
                0.1f,          1.0f,         0.1f,          0.0316f};
  time_kernel(
      state, 30.0 * count, [&](Tables t) { t.adamw(a, nullptr); },
      [&] {
        AdamW<Bf16> few = a;
        few.master = host.data(), few.first = host_first.data(), few.second = host_second.data(),
        few.parameter = host_parameter.data(), few.count = 1000;
        host_table<Bf16>().adamw(few, nullptr);
        return close(master, host, 1000);
      });
}
BENCHMARK(adamw)->UseManualTime();

}  // namespace
}  // namespace harness::cuda
