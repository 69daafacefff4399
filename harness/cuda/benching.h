// What the benchmarks of this folder share: timing on the GPU after a check against the host, and what they are held against.
#pragma once

#include <benchmark/benchmark.h>

#include <cmath>
#include <functional>
#include <stdexcept>

#include "harness/cuda/buffer.h"

namespace harness::cuda {

using Tables = const Table<Bf16>&;

// Bytes a second of the GPU's memory, from its clock and bus.
inline double memory_bandwidth() {
#ifdef MEDSBENCH_CUDA
  int kilohertz = 0, bits = 0;
  cudaDeviceGetAttribute(&kilohertz, cudaDevAttrMemoryClockRate, 0);
  cudaDeviceGetAttribute(&bits, cudaDevAttrGlobalMemoryBusWidth, 0);
  return 2.0 * kilohertz * 1e3 * bits / 8;
#else
  return 0;
#endif
}

// `run` starts the kernel with a table; `same` compares what the GPU left with what the host's bodies leave; `bytes` is what a
// call must read and write, `operations` what it must multiply and add (0: not counted).
inline void time_kernel(benchmark::State& state, double bytes, const std::function<void(Tables)>& run,
                        const std::function<bool()>& same, double operations = 0) {
#ifdef MEDSBENCH_CUDA
  run(*gpu_table<Bf16>());
  if (cudaDeviceSynchronize() != cudaSuccess || !same())
    throw std::runtime_error("benchmark: the GPU's result is not the host's");
  cudaEvent_t begin, end;
  cudaEventCreate(&begin);
  cudaEventCreate(&end);
  for (auto _ : state) {
    cudaEventRecord(begin, nullptr);
    run(*gpu_table<Bf16>());
    cudaEventRecord(end, nullptr);
    cudaEventSynchronize(end);
    float milliseconds = 0;
    cudaEventElapsedTime(&milliseconds, begin, end);
    state.SetIterationTime(static_cast<double>(milliseconds) / 1e3);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  state.SetBytesProcessed(static_cast<int64_t>(bytes) * state.iterations());
  state.counters["share_of_bandwidth"] =
      benchmark::Counter(bytes / memory_bandwidth(), benchmark::Counter::kIsIterationInvariantRate);
  if (operations > 0) {
    state.counters["flops"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
  }
#else
  (void)state, (void)bytes, (void)run, (void)same, (void)operations;
#endif
}

inline bool without_gpu(benchmark::State& state) {
  const Devices devices = find_devices();
  if (devices.count > 0) return false;
  state.SkipWithError(("skipped without a GPU: " + devices.why_none).c_str());
  return true;
}

template <typename T>
bool close(const Buffer<T>& a, const Buffer<T>& b, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if (!(std::abs(a[i] - b[i]) <= 0.02 * std::abs(b[i]) + 1e-3)) return false;
  }
  return true;
}

}  // namespace harness::cuda
