// Fuzz target: any bytes as a GGUF file, read as far as an import reads it.
#include <cstddef>
#include <cstdint>
#include <span>

#include "harness/core/error.h"
#include "harness/model/gguf/dequantise.h"
#include "harness/model/gguf/gguf.h"
#include "harness/model/gguf/import.h"
#include "harness/model/gguf/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const harness::GgufFile file(std::span(reinterpret_cast<const std::byte*>(data), size), "fuzz.gguf");
    for (const auto& [name, tensor] : file.tensors()) (void)harness::dequantise_row(tensor, tensor.rows() - 1);
    (void)harness::gguf_tokenizer_json(file);
    (void)harness::gguf_tokenizer_config(file, 1);
    (void)harness::gguf_model_config(file);
  } catch (const harness::Error&) {
    // bad input is answered, not a finding
  }
  return 0;
}
