// What jobs do when they start: check the device, set the threads, load the model.
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

// A model folder and what belongs to it.
struct LoadedModel {
  std::unique_ptr<Transformer> model;
  std::shared_ptr<const Tokenizer> tokenizer;
};
// Throws Error for a device that is not there and for a folder that holds no such model.
LoadedModel load_model(const std::string& folder, const Numerics& numerics);

}  // namespace harness
