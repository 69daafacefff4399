// What jobs do when they start: check the device, set LibTorch up, load the model.
#pragma once

#include <memory>
#include <string>

#include "harness/model/transformer.h"
#include "harness/text/tokenizer/tokenizer.h"

namespace harness {

// Throws Error for a device that is not there.
void check_device(const Numerics& numerics);
// Sets LibTorch's thread counts.
void use_threads(int64_t threads);
// The same, and where numerics are strict MKL's mode "COMPATIBLE", in which its exp, log, cos, sin and products, which LibTorch
// calls, give the same bits on every maker's processors. Called before LibTorch computes anything: MKL reads its mode once.
void use_numerics(const Numerics& numerics, int64_t threads);
// MKL's mode in this process, "COMPATIBLE" or "as it comes", as MKL itself says where LibTorch brings it along.
std::string mkl_mode();

// A model folder and what belongs to it.
struct LoadedModel {
  std::unique_ptr<Transformer> model;
  std::shared_ptr<const Tokenizer> tokenizer;
};
// Throws Error for a device that is not there and for a folder that holds no such model.
LoadedModel load_model(const std::string& folder, const Numerics& numerics);

}  // namespace harness
