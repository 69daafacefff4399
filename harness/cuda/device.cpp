#include "harness/cuda/device.h"

#include "harness/cuda/kernels.h"

#ifdef MEDSBENCH_CUDA
#include <cuda_runtime_api.h>
#endif

namespace harness::cuda {

#ifdef MEDSBENCH_CUDA
Devices find_devices() {
  Devices devices;
  const cudaError_t status = cudaGetDeviceCount(&devices.count);
  if (status != cudaSuccess || devices.count == 0) {
    devices.count = 0;
    devices.why_none = status == cudaSuccess ? "no GPU in this machine" : cudaGetErrorString(status);
    cudaGetLastError();  // the error is reported here and not by the next call
    return devices;
  }
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, 0) == cudaSuccess) {
    devices.name = properties.name;
    devices.memory = static_cast<double>(properties.totalGlobalMem);
  }
  return devices;
}
#else
Devices find_devices() {
  return {0, "this program was built without CUDA (./setup.sh --cuda builds build-cuda/medsbench)", "", 0};
}

template <typename T>
const Table<T>* gpu_table() {
  return nullptr;
}
template const Table<float>* gpu_table<float>();
template const Table<Bf16>* gpu_table<Bf16>();
#endif

}  // namespace harness::cuda
