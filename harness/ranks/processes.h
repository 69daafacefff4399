// RankProcesses: the other processes of a training, started by its first one and ended with it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace harness {

// Whether a process started by this one has ended otherwise than with exit status 0; it stays to be collected. One that
// somebody has collected is no longer known: false.
[[nodiscard]] bool has_failed(pid_t process);

// A thread that looks at processes started by this one, and calls `on_failure` once, as soon as one of them has ended otherwise
// than with exit status 0. It collects none: that is left to who waits for them. It stops when it is destroyed.
[[nodiscard]] std::jthread watch_processes(std::vector<pid_t> processes, std::function<void()> on_failure);

class RankProcesses {
 public:
  RankProcesses() = default;
  ~RankProcesses();  // kills and collects those that still run
  RankProcesses(const RankProcesses&) = delete;
  RankProcesses& operator=(const RankProcesses&) = delete;

  // Starts this program again with the arguments given; what it prints goes to the file `log`. It is killed when this process
  // ends, however that happens. Throws Error.
  void start(const std::vector<std::string>& arguments, const std::string& log);
  // Waits until all have ended and removes their logs. Throws Error for one that did not end with exit status 0.
  void join();
  // After this process's exchange with the others failed: how one of them ended, with the last line of its log, one that ended
  // of itself before one that only noticed another's end. Waits a second at most for them to end; "" where all still run.
  std::string first_failure();
  // Throws Error where one has ended that should still run.
  void check();
  // The identities of those that were started and not yet collected.
  [[nodiscard]] std::vector<pid_t> running() const;

 private:
  struct Process {
    pid_t pid = 0;
    std::string log;
  };
  static std::string ending(const Process& process, int status);
  std::vector<Process> running_;
};

}  // namespace harness
