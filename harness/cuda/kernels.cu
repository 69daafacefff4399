// The bodies on the GPU.
#include <cuda_runtime_api.h>

#include <initializer_list>
#include <stdexcept>
#include <string>

#include "harness/cuda/attention_body.h"
#include "harness/cuda/kernels.h"
#include "harness/cuda/logits_body.h"
#include "harness/cuda/norm_body.h"
#include "harness/cuda/rotate_body.h"

namespace harness::cuda {

namespace {

template <typename Body>
__global__ void __launch_bounds__(Body::kThreads) run(const Body body) {
  Block<Body::kThreads> block;
  body(block);
}

template <typename Body>
void launch(const Body& body, int64_t x_count, int64_t y_count, void* stream) {
  if (x_count > 0x7fffffff || y_count > 65535) throw std::runtime_error("a grid beyond what a GPU takes");
  run<<<dim3(static_cast<unsigned>(x_count), static_cast<unsigned>(y_count)), Body::kThreads, 0,
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
