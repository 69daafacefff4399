// PartialFile: a file under download, locked against other programs, gone on with by the next one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace harness {

class PartialFile {
 public:
  // Opens or creates the file and waits for its lock. Throws Error.
  explicit PartialFile(std::string path);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // Bytes that it holds, those of earlier downloads included.
  [[nodiscard]] int64_t size() const { return size_; }
  // Throws Error with the reason (a full disk); what was written before stays.
  void append(std::string_view bytes);
  // Empties it: what it held was not of the file wanted. Throws Error.
  void truncate();
  // Flushes it to the disk and renames it to its final name. Throws Error.
  void finish(const std::string& final_path);
  // Removes it from the folder; never throws.
  void remove();

 private:
  std::string path_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

}  // namespace harness
