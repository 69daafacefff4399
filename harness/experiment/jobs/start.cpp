#include "harness/experiment/jobs/start.h"

#include <ATen/Parallel.h>
#include <torch/cuda.h>

#include "harness/core/error.h"
#include "harness/cuda/device.h"

namespace harness {

void check_device(const Numerics& numerics) {
  if (numerics.device.is_cuda() && !torch::cuda::is_available()) {
    throw Error("numerics.device: expected a GPU that LibTorch can use, found none: {}", cuda::find_devices().why_none);
  }
}

void use_threads(int64_t threads) {
  at::set_num_threads(static_cast<int>(threads));
  at::set_num_interop_threads(1);
}

LoadedModel load_model(const std::string& folder, const Numerics& numerics) {
  check_device(numerics);
  LoadedModel loaded;
  loaded.model = Transformer::load(folder, numerics);
  loaded.tokenizer = Tokenizer::from_file(folder + "/tokenizer.json");
  return loaded;
}

}  // namespace harness
