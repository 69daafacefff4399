// JobLock: the right to work on a job's folder, freed by the kernel when its last holder dies.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace harness {

// flock(2) on FOLDER/lock. The worker process inherits the descriptor, so that the folder stays locked as long as the sweep or
// the worker lives, and is free the moment both are gone, however they went. Between machines it needs a file system whose
// flock reaches the server (NFS of Linux 2.6.12 and later does, unless mounted with local_lock).
class JobLock {
 public:
  // Creates the folder where needed. None: another process has it. Throws Error where the folder or file cannot be made.
  static std::optional<JobLock> try_take(const std::string& folder);
  // Whether anyone has it now; never waits.
  static bool is_taken(const std::string& folder);

  JobLock(JobLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  JobLock& operator=(JobLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  JobLock(const JobLock&) = delete;
  JobLock& operator=(const JobLock&) = delete;
  ~JobLock();

  // Of the lock file, for a child that is to inherit the lock; -1 after a move.
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  explicit JobLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace harness
