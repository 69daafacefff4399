// Fuzz target: any bytes as the config.json of a model folder.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "harness/core/error.h"
#include "harness/model/files/model_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string folder =
      (std::filesystem::temp_directory_path() / ("config_fuzz_" + std::to_string(::getpid()))).string();
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/config.json", std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    const harness::ModelConfig config = harness::read_model_config(folder);
    if (config.layers < 100) (void)harness::tensor_shapes(config);
  } catch (const harness::Error&) {
    // bad input is answered, not a finding
  }
  return 0;
}
