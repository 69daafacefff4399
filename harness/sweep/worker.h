// Worker: a process that works on one job; started, watched, asked to stop, and accounted for.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/sweep/job_lock.h"

namespace harness {

struct WorkerCommand {
  std::string program;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // added to this process's
  std::string log;                                 // its stdout and stderr are appended to this file
};

struct WorkerEnd {
  int status = 0;  // exit status; 128 + signal where a signal ended it
  double wall_seconds = 0;
  double cpu_seconds = 0;  // user + system, of it and the children it waited for
  int64_t peak_kib = 0;    // largest resident set
};

// In a process group of its own with stdin closed to it. It inherits the lock of its folder, and gets SIGTERM should the
// thread that started it die. Waits in the destructor only if it was not seen to end.
class Worker {
 public:
  // Throws Error if the program cannot be started or the log cannot be written.
  Worker(const WorkerCommand& command, JobLock lock);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // True once it has ended; `end` is then final.
  bool poll();
  [[nodiscard]] const WorkerEnd& end() const { return end_; }
  // SIGINT or SIGTERM to its process group; nothing once it has ended.
  void signal(int number) const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Becomes readable when the process ends; -1 where the kernel has no such descriptor.
  [[nodiscard]] int end_descriptor() const { return end_descriptor_; }

 private:
  void record(int status, const rusage& usage);

  JobLock lock_;
  pid_t pid_ = -1;
  int end_descriptor_ = -1;
  bool ended_ = false;
  double started_ = 0;
  WorkerEnd end_;
};

// Seconds of the monotonic clock.
double now_seconds();

}  // namespace harness
