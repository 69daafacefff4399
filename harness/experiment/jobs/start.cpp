#include "harness/experiment/jobs/start.h"

#include <ATen/Parallel.h>
#include <stdlib.h>
#include <torch/cuda.h>

#include <cstdlib>
#include <string_view>

#include "harness/core/error.h"
#include "harness/cuda/device.h"
#include "harness/train/states/heap.h"

// mkl_cbwr_get of mkl_service.h, as LibTorch's library exports it; null in one without MKL.
extern "C" int mkl_serv_cbwr_get(int option) __attribute__((weak));

namespace harness {

namespace {

// MKL's variable and, of mkl_types.h, MKL_CBWR_BRANCH and MKL_CBWR_COMPATIBLE.
constexpr const char* kMklVariable = "MKL_CBWR";
constexpr const char* kCompatible = "COMPATIBLE";
constexpr int kBranch = 1, kCompatibleBranch = 3;

}  // namespace

void check_device(const Numerics& numerics) {
  if (numerics.device.is_cuda() && !torch::cuda::is_available()) {
    throw Error("numerics.device: expected a GPU that LibTorch can use, found none: {}", cuda::find_devices().why_none);
  }
}

void use_threads(int64_t threads) {
  at::set_num_threads(static_cast<int>(threads));
  at::set_num_interop_threads(1);
}

void use_numerics(const Numerics& numerics, int64_t threads) {
  if (numerics.strict) ::setenv(kMklVariable, kCompatible, 1);
  use_threads(threads);
  keep_freed_blocks();
}

std::string mkl_mode() {
  const char* asked = std::getenv(kMklVariable);
  const bool compatible = mkl_serv_cbwr_get != nullptr ? mkl_serv_cbwr_get(kBranch) == kCompatibleBranch
                                                       : asked != nullptr && std::string_view(asked) == kCompatible;
  return compatible ? kCompatible : "as it comes";
}

LoadedModel load_model(const std::string& folder, const Numerics& numerics) {
  check_device(numerics);
  LoadedModel loaded;
  loaded.model = Transformer::load(folder, numerics);
  loaded.tokenizer = Tokenizer::from_file(folder + "/tokenizer.json");
  return loaded;
}

}  // namespace harness
