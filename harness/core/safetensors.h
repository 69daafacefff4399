// Safetensors: the file format of model weights and of the error memory's vectors, read through mmap and written in one stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace harness {

// One tensor of a file (reading: the bytes lie in the mapping) or to be written. Row-major, little-endian.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;  // "F32", "BF16", "I64", ... as the format spells it
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

// Bytes of one element. Throws Error for a dtype the format does not know.
int64_t safetensors_item_size(const std::string& dtype);

// A file mapped for reading; it stays mapped, and its entries' bytes valid, as long as this object lives.
class SafetensorsFile {
 public:
  // Checks the whole header: throws Error("PATH: expected ..., found ...") for a file cut short, a header that is not the
  // format's JSON, a name that stands twice, a size that does not fit dtype and shape, and offsets that overlap, leave a gap or
  // run out of the file.
  explicit SafetensorsFile(const std::string& path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&& other) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&& other) noexcept;
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // In the order of their data in the file.
  [[nodiscard]] const std::vector<SafetensorsEntry>& entries() const { return entries_; }
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool has(const std::string& name) const { return places_.contains(name); }
  // Throws Error("PATH: expected the tensor NAME, found none").
  [[nodiscard]] const SafetensorsEntry& entry(const std::string& name) const;
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // Bytes of the file.
  [[nodiscard]] size_t size() const { return size_; }

 private:
  void map_file();
  void read_header();
  void check_layout(size_t data_size) const;
  void unmap() noexcept;

  std::string path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  std::vector<SafetensorsEntry> entries_;
  std::map<std::string, size_t> places_;
  std::map<std::string, std::string> metadata_;
};

// Writes the entries, those with the widest elements first and then by name (the format's alignment rule), atomically and
// without a second copy in memory. The same entries give the same bytes. Throws Error for a full disk (nothing is replaced
// then); a size that does not fit dtype and shape, or a name given twice, is a failed check.
void write_safetensors(const std::string& path, std::vector<SafetensorsEntry> entries,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace harness
