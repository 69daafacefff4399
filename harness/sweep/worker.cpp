#include "harness/sweep/worker.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include "harness/core/error.h"
#include "harness/core/subprocess.h"

namespace harness {

namespace {

double seconds_of(const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); }

}  // namespace

double now_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Worker::Worker(const WorkerCommand& command, JobLock lock) : lock_(std::move(lock)), started_(now_seconds()) {
  // "e": close on exec. Other workers must not hold it.
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> log(std::fopen(command.log.c_str(), "ae"), &std::fclose);
  if (!log) throw Error("{}: expected a file that can be written, found: {}", command.log, std::strerror(errno));
  const pid_t parent = getpid();
  const auto before_exec = [descriptor = lock_.descriptor(), parent] {
    setpgid(0, 0);
    fcntl(descriptor, F_SETFD, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(143);  // the parent died before the line above
  };
  // Waited for by `poll`, which wants the resource usage.
  pid_ = start_process({command.program, command.arguments, command.environment, nullptr, log.get(), nullptr, before_exec});
  setpgid(pid_, pid_);  // in case a signal comes before the child gets so far
  end_descriptor_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
}

Worker::~Worker() {
  if (!ended_) {
    signal(SIGKILL);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (end_descriptor_ >= 0) close(end_descriptor_);
}

bool Worker::poll() {
  if (ended_) return true;
  int status = 0;
  rusage usage = {};
  const pid_t got = wait4(pid_, &status, WNOHANG, &usage);
  if (got == pid_) record(status, usage);
  if (got < 0 && errno == ECHILD) record(127 << 8, usage);  // somebody else reaped it: counts as failed
  return ended_;
}

void Worker::record(int status, const rusage& usage) {
  ended_ = true;
  end_.status = exit_status(status);
  end_.wall_seconds = now_seconds() - started_;
  end_.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  end_.peak_kib = usage.ru_maxrss;
}

void Worker::signal(int number) const {
  if (!ended_) kill(-pid_, number);
}

}  // namespace harness
