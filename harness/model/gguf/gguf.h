// GGUF: llama.cpp's model file, mapped for reading: its metadata and the places of its tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/core/json.h"

namespace harness {

// How a tensor's numbers are packed: `block` numbers in `bytes` bytes.
struct GgufType {
  std::string name;  // "F32", "Q4_1", "Q6_K", ...
  int64_t block = 1;
  int64_t bytes = 4;
};

struct GgufTensor {
  std::string name;
  GgufType type;
  std::vector<int64_t> shape;  // row-major, the last dimension contiguous (the file lists them the other way round)
  std::span<const std::byte> bytes;

  [[nodiscard]] int64_t row_length() const { return shape.back(); }  // numbers
  [[nodiscard]] int64_t rows() const;                                // product of the other dimensions
  // The packed numbers of one row.
  [[nodiscard]] std::span<const std::byte> row(int64_t index) const;
};

// Versions 2 and 3, little-endian. Every length and offset is checked against the file before it is used.
class GgufFile {
 public:
  // Maps the file; it stays mapped as long as this object lives. Throws Error naming the path, what was expected and found, for
  // a file cut short, another format or version, a name that stands twice, a tensor type that is not known or out of bounds.
  explicit GgufFile(const std::string& path);
  // The same from bytes that outlive this object; `name` stands for the path in errors.
  GgufFile(std::span<const std::byte> bytes, const std::string& name);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::map<std::string, Json>& metadata() const { return metadata_; }
  [[nodiscard]] const std::map<std::string, GgufTensor>& tensors() const { return tensors_; }
  [[nodiscard]] bool has(const std::string& key) const { return metadata_.contains(key); }
  // A value of the metadata. Throws Error naming the key for a missing one or another type.
  [[nodiscard]] const Json& value(const std::string& key) const;
  [[nodiscard]] std::string text(const std::string& key) const;
  [[nodiscard]] int64_t integer(const std::string& key) const;
  [[nodiscard]] double number(const std::string& key) const;
  // The same, or `otherwise` where the key is missing.
  [[nodiscard]] int64_t integer_or(const std::string& key, int64_t otherwise) const;
  [[nodiscard]] double number_or(const std::string& key, double otherwise) const;
  [[nodiscard]] bool boolean_or(const std::string& key, bool otherwise) const;
  // Throws Error naming the tensor if there is none.
  [[nodiscard]] const GgufTensor& tensor(const std::string& name) const;

 private:
  void parse(std::span<const std::byte> bytes);

  std::string name_;
  std::shared_ptr<const void> mapping_;
  std::map<std::string, Json> metadata_;
  std::map<std::string, GgufTensor> tensors_;
};

}  // namespace harness
