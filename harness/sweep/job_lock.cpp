#include "harness/sweep/job_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/core/error.h"
#include "harness/core/files.h"

namespace harness {

std::optional<JobLock> JobLock::try_take(const std::string& folder) {
  make_folder(folder);
  const std::string path = folder + "/lock";
  // Read and write: NFS turns an exclusive flock into a byte-range lock, which needs a writable descriptor.
  JobLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (lock.descriptor_ < 0) throw Error("{}: expected a file that can be written, found: {}", path, std::strerror(errno));
  if (flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return std::nullopt;
  throw Error("{}: expected a file system with locks, found: {}", path, std::strerror(errno));
}

bool JobLock::is_taken(const std::string& folder) {
  const JobLock probe(open((folder + "/lock").c_str(), O_RDWR | O_CLOEXEC));
  return probe.descriptor_ >= 0 && flock(probe.descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

JobLock::~JobLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace harness
