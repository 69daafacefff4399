// Block: a block of GPU threads, and on the host the same block run thread after thread.
//
// A kernel body is written in phases. `each` runs a phase for every thread and then waits for all; `each_own` does not wait and
// may only touch the thread's own values and memory that no other thread of the block touches. Values that outlive a phase
// stand in PerThread (a register on the GPU, an array on the host) or in shared memory. Control flow between phases must be the
// same for all threads of the block. Sums are trees in a fixed order: the same bits in every run, and on the host up to the
// rounding of fused multiply-adds and exp. The host can run the threads of a phase backwards: a phase whose result depends on
// that has a race. Copies that go on beside the work are NaN on the host until their thread has waited for them.
#pragma once

#include <cstdint>

#include "harness/cuda/number.h"

#ifndef __CUDACC__
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <type_traits>
#include <vector>
#endif

namespace harness::cuda {

inline constexpr int kWarp = 32;

template <typename T, int kThreads>
class PerThread {
 public:
#ifdef __CUDACC__
  MEDSBENCH_DEVICE T& operator[](int) { return own_; }
  MEDSBENCH_DEVICE const T& operator[](int) const { return own_; }

 private:
  T own_;
#else
  T& operator[](int thread) { return all_[static_cast<size_t>(thread)]; }
  const T& operator[](int thread) const { return all_[static_cast<size_t>(thread)]; }

 private:
  std::array<T, static_cast<size_t>(kThreads)> all_;
#endif
};

// Memory shared by the block: MEDSBENCH_SHARED(float, name, size) in a body, beside its `block`.
#ifdef __CUDACC__
template <typename T, int kSize>
using SharedArray = T[kSize];
#define MEDSBENCH_SHARED(type, name, size) __shared__ __align__(16) type name[size]
// The same from byte `offset` of the room beyond 48 KiB that a body asks for by a constant kDynamicBytes.
__device__ __forceinline__ unsigned char* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char medsbench_dynamic[];
  return medsbench_dynamic;
}
#define MEDSBENCH_SHARED_AT(type, name, size, offset) \
  type* const name = reinterpret_cast<type*>(::harness::cuda::dynamic_shared() + (offset))
#else
// Where the host stands in a block: the thread it plays (-1: between phases, where every thread does the same) and how many
// barriers of the block and of the warps lie behind it.
struct HostPhase {
  int thread = -1;
  int block_barriers = 0, warp_barriers = 0;
};

// On the host shared memory begins as NaN, knows its bounds, and finds races: two threads at one value, one of them writing,
// with no barrier between them, throws std::logic_error. A missing barrier cannot pass the tests.
template <typename T, int kSize>
class SharedArray {
 public:
  explicit SharedArray(const HostPhase& phase) : phase_(phase) {
    std::memset(static_cast<void*>(values_), 0xff, sizeof values_);
  }

  class Reference {
   public:
    Reference(SharedArray& array, size_t index) : array_(array), index_(index) {}
    operator T() const { return array_.read(index_); }
    Reference& operator=(T value) {
      array_.write(index_, value);
      return *this;
    }
    Reference& operator=(const Reference& other) { return *this = static_cast<T>(other); }

   private:
    SharedArray& array_;
    size_t index_;
  };
  Reference operator[](int64_t index) const {
    if (index < 0 || index >= kSize) throw std::logic_error("shared memory: index out of range");
    return {const_cast<SharedArray&>(*this), static_cast<size_t>(index)};
  }

 private:
  static constexpr int kNobody = -2, kMany = -3, kAll = -1;
  struct Access {
    int thread = kNobody, warp = kNobody, block_barriers = 0, warp_barriers = 0;
  };
  // True where `earlier` is not behind a barrier for the thread at work.
  [[nodiscard]] bool races(const Access& earlier) const {
    if (earlier.thread == kNobody || earlier.block_barriers != phase_.block_barriers) return false;
    if (earlier.thread == phase_.thread && phase_.thread != kAll) return false;
    const bool one_warp = phase_.thread >= 0 && earlier.warp == phase_.thread / kWarp;
    return !(one_warp && earlier.warp_barriers != phase_.warp_barriers);
  }
  [[nodiscard]] Access here() const {
    return {phase_.thread, phase_.thread >= 0 ? phase_.thread / kWarp : kMany, phase_.block_barriers, phase_.warp_barriers};
  }
  T read(size_t index) {
    if (races(writer_[index])) throw std::logic_error("shared memory: read without a barrier after another thread's write");
    Access& readers = readers_[index];
    const Access mine = here();
    const bool before_warp_barrier = readers.warp == mine.warp && mine.warp >= 0 && readers.warp_barriers != mine.warp_barriers;
    if (readers.thread == kNobody || readers.block_barriers != mine.block_barriers || before_warp_barrier) {
      readers = mine;  // writers of this warp come after the earlier readers, writers of others after none
    } else {           // the readers since the last barrier of the block, as one
      if (readers.thread != mine.thread) readers.thread = kMany;
      if (readers.warp != mine.warp) readers.warp = kMany;
      readers.warp_barriers = mine.warp_barriers;
    }
    return values_[index];
  }
  void write(size_t index, T value) {
    if (races(writer_[index])) throw std::logic_error("shared memory: two threads write one value");
    if (races(readers_[index])) throw std::logic_error("shared memory: written without a barrier after another thread's read");
    writer_[index] = here();
    values_[index] = value;
  }

  const HostPhase& phase_;
  T values_[static_cast<size_t>(kSize)];
  std::array<Access, static_cast<size_t>(kSize)> writer_{}, readers_{};
};
#define MEDSBENCH_SHARED(type, name, size) ::harness::cuda::SharedArray<type, (size)> name(block.host_phase())
#define MEDSBENCH_SHARED_AT(type, name, size, offset)                                                                     \
  static_assert((offset) % alignof(type) == 0 && (offset) + sizeof(type) * (size) <= static_cast<size_t>(kDynamicBytes)); \
  MEDSBENCH_SHARED(type, name, size)
#endif

template <int kThreads>
class Block {
  static_assert(kThreads % kWarp == 0 && kThreads <= 1024);
  static constexpr int kWarps = kThreads / kWarp;

 public:
#ifdef __CUDACC__
  MEDSBENCH_DEVICE Block() : x(blockIdx.x), y(blockIdx.y) {}
  template <typename Phase>
  MEDSBENCH_DEVICE void each_own(Phase&& phase) {
    phase(static_cast<int>(threadIdx.x));
  }
  template <typename Phase>
  MEDSBENCH_DEVICE void each(Phase&& phase) {
    phase(static_cast<int>(threadIdx.x));
    __syncthreads();
  }
  // Waits for the threads of the same warp alone.
  MEDSBENCH_DEVICE void warp_barrier() { __syncwarp(); }
  // Begins to copy 16 bytes to value `at` of shared memory, zeros where they are not `there` (`from` is then not read).
  template <int kCount, typename Array, typename T>
  MEDSBENCH_DEVICE void start_copy(int, const Array& to, int at, const T* from, bool there) {
    static_assert(sizeof(T) * kCount == 16);
    const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(&to[at]));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(__cvta_generic_to_global(from)),
                 "r"(there ? 16 : 0)
                 : "memory");
  }
  // Waits for the copies that this thread began; others see them after a barrier.
  MEDSBENCH_DEVICE void wait_copies(int) { asm volatile("cp.async.wait_all;" ::: "memory"); }
  // Each value becomes the sum (maximum) over its group of kGroup neighbouring threads: a butterfly, the same on every thread,
  // and a barrier of the warp.
  template <int kGroup>
  MEDSBENCH_DEVICE void group_sum(PerThread<float, kThreads>& values) {
    __syncwarp();
#pragma unroll
    for (int step = kGroup / 2; step > 0; step /= 2) values[0] += __shfl_xor_sync(0xffffffffu, values[0], step);
  }
  template <int kGroup>
  MEDSBENCH_DEVICE void group_max(PerThread<float, kThreads>& values) {
    __syncwarp();
#pragma unroll
    for (int step = kGroup / 2; step > 0; step /= 2)
      values[0] = fmaxf(values[0], __shfl_xor_sync(0xffffffffu, values[0], step));
  }
#else
  Block(int64_t block_x, int64_t block_y, bool backwards) : x(block_x), y(block_y), backwards_(backwards) {}
  template <typename Phase>
  void each_own(Phase&& phase) {
    for (int i = 0; i < kThreads; ++i) {
      at_.thread = backwards_ ? kThreads - 1 - i : i;
      phase(at_.thread);
    }
    at_.thread = -1;
  }
  template <typename Phase>
  void each(Phase&& phase) {
    each_own(phase);
    ++at_.block_barriers;
  }
  [[nodiscard]] const HostPhase& host_phase() const { return at_; }
  void warp_barrier() { ++at_.warp_barriers; }
  template <int kCount, typename Array, typename T>
  void start_copy(int thread, const Array& to, int at, const T* from, bool there) {
    static_assert(sizeof(T) * kCount == 16);
    if ((at * sizeof(T)) % 16 != 0) throw std::logic_error("a copy to an address that is not aligned");
    check_alignment<Pack<T, kCount>>(from);
    T none;
    std::memset(static_cast<void*>(&none), 0xff, sizeof none);
    for (int j = 0; j < kCount; ++j) to[at + j] = none;
    copies_[static_cast<size_t>(thread)].push_back([&to, at, from, there] {
      for (int j = 0; j < kCount; ++j) to[at + j] = there ? from[j] : T{};
    });
  }
  void wait_copies(int thread) {
    auto& copies = copies_[static_cast<size_t>(thread)];
    for (const auto& copy : copies) copy();
    copies.clear();
  }
  template <int kGroup>
  void group_sum(PerThread<float, kThreads>& values) {
    butterfly<kGroup>(values, [](float a, float b) { return a + b; });
  }
  template <int kGroup>
  void group_max(PerThread<float, kThreads>& values) {
    butterfly<kGroup>(values, [](float a, float b) { return std::fmax(a, b); });
  }
#endif

  MEDSBENCH_DEVICE void warp_sum(PerThread<float, kThreads>& values) { group_sum<kWarp>(values); }
  MEDSBENCH_DEVICE void warp_max(PerThread<float, kThreads>& values) { group_max<kWarp>(values); }

  // The sum over all threads: butterflies of the warps, then the warps in their order.
  MEDSBENCH_DEVICE float sum(PerThread<float, kThreads>& values) {
    Block& block = *this;
    (void)block;
    MEDSBENCH_SHARED(float, warps, kWarps);
    group_sum<kWarp>(values);
    each([&](int thread) {
      if (thread % kWarp == 0) warps[thread / kWarp] = values[thread];
    });
    float total = 0;
    for (int warp = 0; warp < kWarps; ++warp) total += warps[warp];
    each([](int) {});  // the next sum writes where this one was read
    return total;
  }
  MEDSBENCH_DEVICE float max(PerThread<float, kThreads>& values) {
    Block& block = *this;
    (void)block;
    MEDSBENCH_SHARED(float, warps, kWarps);
    group_max<kWarp>(values);
    each([&](int thread) {
      if (thread % kWarp == 0) warps[thread / kWarp] = values[thread];
    });
    float largest = warps[0];
    for (int warp = 1; warp < kWarps; ++warp) largest = fmaxf(largest, warps[warp]);
    each([](int) {});
    return largest;
  }

  const int64_t x, y;  // of this block in the grid

 private:
#ifndef __CUDACC__
  template <int kGroup, typename Join>
  void butterfly(PerThread<float, kThreads>& values, Join join) {
    static_assert(kGroup <= kWarp);
    ++at_.warp_barriers;
    for (int step = kGroup / 2; step > 0; step /= 2) {
      const PerThread<float, kThreads> before = values;
      for (int thread = 0; thread < kThreads; ++thread) values[thread] = join(before[thread], before[thread ^ step]);
    }
  }
  bool backwards_;
  HostPhase at_;
  std::array<std::vector<std::function<void()>>, static_cast<size_t>(kThreads)> copies_;  // begun and not waited for
#endif
};

}  // namespace harness::cuda
