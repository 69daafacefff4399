#include "harness/core/files.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "harness/core/error.h"

namespace fs = std::filesystem;

namespace harness {

namespace {

std::string reason() { return std::strerror(errno); }

thread_local int deferred_syncs = 0;

void sync_path(const std::string& path, int flags) {
  if (deferred_syncs > 0) return;
  const int descriptor = ::open(path.c_str(), flags);
  if (descriptor < 0) throw Error("{}: expected to open it for fsync, found: {}", path, reason());
  const int status = ::fsync(descriptor);
  const std::string why = status == 0 ? "" : reason();
  ::close(descriptor);
  if (status != 0) throw Error("{}: expected fsync to succeed, found: {}", path, why);
}

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

void write_all(const std::string& path, std::string_view content, int flags) {
  const int descriptor = ::open(path.c_str(), flags, 0644);
  if (descriptor < 0) throw Error("{}: expected a writable file, found: {}", path, reason());
  size_t written = 0;
  while (written < content.size()) {
    const ssize_t count = ::write(descriptor, content.data() + written, content.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const std::string why = reason();
      ::close(descriptor);
      throw Error("{}: expected room for {} bytes, found: {}", path, content.size(), why);
    }
    written += static_cast<size_t>(count);
  }
  if (::close(descriptor) != 0) throw Error("{}: expected close to succeed, found: {}", path, reason());
}

}  // namespace

std::string foreign_content(std::string_view first_bytes) {
  if (first_bytes.starts_with("version https://git-lfs.github.com/")) {
    return "a Git LFS pointer (`git lfs pull` puts the file itself there)";
  }
  if (first_bytes.starts_with("\xEF\xBB\xBF")) first_bytes.remove_prefix(3);
  first_bytes.remove_prefix(std::min(first_bytes.find_first_not_of(" \t\r\n"), first_bytes.size()));
  std::string head(first_bytes.substr(0, 14));
  for (char& c : head) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (head.starts_with("<!doctype html") || head.starts_with("<html")) {
    return "an HTML page (a server's message or a login in place of the file)";
  }
  if (head.starts_with("<?xml")) return "an XML document (a server's message in place of the file)";
  return "";
}

std::string foreign_content_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string head(512, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(in.gcount()));
  return foreign_content(head);
}

DeferredSync::DeferredSync() { ++deferred_syncs; }
DeferredSync::~DeferredSync() { --deferred_syncs; }

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || fs::is_directory(path)) throw Error("{}: expected a readable file, found none", path);
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

void write_file_atomically(const std::string& path, const std::function<void(const std::string&)>& write) {
  const std::string temporary = fmt::format("{}.tmp.{}", path, ::getpid());
  try {
    write(temporary);
    sync_path(temporary, O_RDONLY);
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      throw Error("{}: expected to be replaceable, found: {}", path, reason());
    }
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_path(folder_of(path), O_RDONLY | O_DIRECTORY);
}

void write_file_atomically(const std::string& path, std::string_view content) {
  write_file_atomically(
      path, [&](const std::string& temporary) { write_all(temporary, content, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC); });
}

void replace_folder(const std::string& temporary, const std::string& path) {
  for (const auto& entry : fs::recursive_directory_iterator(temporary)) {
    if (entry.is_regular_file()) sync_path(entry.path().string(), O_RDONLY);
  }
  sync_path(temporary, O_RDONLY | O_DIRECTORY);
  const std::string old = path + ".old";
  std::error_code ignored;
  fs::remove_all(old, ignored);
  if (fs::exists(path)) fs::rename(path, old);
  fs::rename(temporary, path);
  sync_path(folder_of(path), O_RDONLY | O_DIRECTORY);
  fs::remove_all(old, ignored);
}

void recover_folder(const std::string& path) {
  const std::string old = path + ".old";
  std::error_code ignored;
  if (!fs::exists(path) && fs::exists(old)) fs::rename(old, path);
  fs::remove_all(old, ignored);
}

void append_to_file(const std::string& path, std::string_view text) {
  write_all(path, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC);
}

void make_folder(const std::string& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) throw Error("{}: expected to create this folder, found: {}", path, code.message());
}

std::string path_part(const std::string& name) {
  std::string part;
  for (const char c : name) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_' || c == '+' || c == ' ';
    part += plain ? c : '-';
  }
  return part.empty() || part.find_first_not_of('.') == std::string::npos ? "-" + part : part;
}

std::string zstd_compress(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3);
  MEDSBENCH_CHECK(ZSTD_isError(size) == 0, "zstd: {}", ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

std::string zstd_decompress(std::string_view bytes) {
  const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(), &ZSTD_freeDStream);
  std::string out;
  std::vector<char> buffer(ZSTD_DStreamOutSize());
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  size_t hint = 0;
  while (input.pos < input.size) {
    ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
    hint = ZSTD_decompressStream(stream.get(), &output, &input);
    if (ZSTD_isError(hint) != 0) throw Error("expected a zstd stream, found: {}", ZSTD_getErrorName(hint));
    out.append(buffer.data(), output.pos);
    while (output.pos == output.size) {  // the frame holds more than one buffer
      output = ZSTD_outBuffer{buffer.data(), buffer.size(), 0};
      hint = ZSTD_decompressStream(stream.get(), &output, &input);
      if (ZSTD_isError(hint) != 0) throw Error("expected a zstd stream, found: {}", ZSTD_getErrorName(hint));
      out.append(buffer.data(), output.pos);
    }
  }
  if (hint != 0) throw Error("expected a whole zstd stream, found one cut short at byte {}", bytes.size());
  return out;
}

}  // namespace harness
