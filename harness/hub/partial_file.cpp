#include "harness/hub/partial_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "harness/core/error.h"

namespace harness {
namespace {

[[noreturn]] void fail(const std::string& path) {
  throw Error("{}: expected to write it, found: {}", path, std::strerror(errno));
}

}  // namespace

PartialFile::PartialFile(std::string path) : path_(std::move(path)) {
  for (;;) {
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) fail(path_);
    struct stat ours {};
    struct stat named {};
    if (flock(descriptor_, LOCK_EX) != 0 || fstat(descriptor_, &ours) != 0) {
      close(descriptor_);
      fail(path_);
    }
    // While we waited, its owner may have finished and renamed it: then the name is free or another file's.
    if (stat(path_.c_str(), &named) == 0 && named.st_ino == ours.st_ino) {
      size_ = ours.st_size;
      return;
    }
    close(descriptor_);
  }
}

PartialFile::~PartialFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void PartialFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(descriptor_, bytes.data(), bytes.size(), size_);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(path_);
    size_ += written;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void PartialFile::truncate() {
  if (ftruncate(descriptor_, 0) != 0) fail(path_);
  size_ = 0;
}

void PartialFile::finish(const std::string& final_path) {
  if (fsync(descriptor_) != 0 || rename(path_.c_str(), final_path.c_str()) != 0) fail(path_);
}

void PartialFile::remove() { unlink(path_.c_str()); }

}  // namespace harness
