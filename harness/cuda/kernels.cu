// The bodies on the GPU.
#include <cuda_runtime_api.h>

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "harness/cuda/attention_backward_body.h"
#include "harness/cuda/attention_body.h"
#include "harness/cuda/attention_forward_body.h"
#include "harness/cuda/attention_tile_body.h"
#include "harness/cuda/kernels.h"
#include "harness/cuda/logits_body.h"
#include "harness/cuda/norm_body.h"
#include "harness/cuda/rotate_backward_body.h"
#include "harness/cuda/rotate_body.h"

namespace harness::cuda {

namespace {

template <typename Body>
__global__ void __launch_bounds__(Body::kThreads) run(const Body body) {
  Block<Body::kThreads> block;
  body(block);
}

// Bytes of shared memory that a body asks for beyond its own arrays.
template <typename Body, typename = void>
inline constexpr int kRequestedBytes = 0;
template <typename Body>
inline constexpr int kRequestedBytes<Body, std::void_t<decltype(Body::kDynamicBytes)>> = Body::kDynamicBytes;

template <typename Body>
void launch(const Body& body, int64_t x_count, int64_t y_count, void* stream) {
  if (x_count > 0x7fffffff || y_count > 65535) throw std::runtime_error("a grid beyond what a GPU takes");
  constexpr int kBytes = kRequestedBytes<Body>;
  if constexpr (kBytes > 0) {
    const cudaError_t allowed = cudaFuncSetAttribute(run<Body>, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
    if (allowed != cudaSuccess)
      throw std::runtime_error(std::string("shared memory for a kernel: ") + cudaGetErrorString(allowed));
  }
  run<<<dim3(static_cast<unsigned>(x_count), static_cast<unsigned>(y_count)), Body::kThreads, kBytes,
        static_cast<cudaStream_t>(stream)>>>(body);
  const cudaError_t status = cudaGetLastError();
  if (status != cudaSuccess) throw std::runtime_error(std::string("a kernel did not start: ") + cudaGetErrorString(status));
}

#include "harness/cuda/launchers.inc"

}  // namespace

template <typename T>
const Table<T>* gpu_table() {
  return &kTable<T>;
}
template const Table<float>* gpu_table<float>();
template const Table<Bf16>* gpu_table<Bf16>();

}  // namespace harness::cuda
