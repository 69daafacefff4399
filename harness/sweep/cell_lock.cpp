#include "harness/sweep/cell_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/core/error.h"
#include "harness/core/files.h"

namespace harness {

std::optional<CellLock> CellLock::try_take(const std::string& folder) {
  make_folder(folder);
  const std::string path = folder + "/lock";
  // Read and write: NFS turns an exclusive flock into a byte-range lock, which needs a writable descriptor.
  CellLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (lock.descriptor_ < 0) throw Error("{}: expected a file that can be written, found: {}", path, std::strerror(errno));
  if (flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return std::nullopt;
  throw Error("{}: expected a file system with locks, found: {}", path, std::strerror(errno));
}

bool CellLock::is_taken(const std::string& folder) {
  const CellLock probe(open((folder + "/lock").c_str(), O_RDWR | O_CLOEXEC));
  return probe.descriptor_ >= 0 && flock(probe.descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

CellLock::~CellLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace harness
