#include "harness/ranks/processes.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/subprocess.h"
#include "harness/ranks/ranks.h"

namespace harness {

namespace {

std::string last_line(const std::string& log) {
  std::string text = std::filesystem::exists(log) ? read_file(log) : "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
}

// How long the end of a process may go unnoticed.
constexpr std::chrono::milliseconds kWatch(200);

}  // namespace

bool has_failed(pid_t process) {
  siginfo_t info{};
  const bool known = ::waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
  if (!known || info.si_pid != process) return false;
  return info.si_code != CLD_EXITED || info.si_status != 0;
}

std::jthread watch_processes(std::vector<pid_t> processes, std::function<void()> on_failure) {
  return std::jthread([watched = std::move(processes), failed = std::move(on_failure)](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      if (std::any_of(watched.begin(), watched.end(), has_failed)) return failed();
      stopped.wait_for(lock, stop, kWatch, [] { return false; });
    }
  });
}

RankProcesses::~RankProcesses() {
  for (const Process& process : running_) {
    ::kill(process.pid, SIGKILL);
    ::waitpid(process.pid, nullptr, 0);
  }
}

void RankProcesses::start(const std::vector<std::string>& arguments, const std::string& log) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(log.c_str(), "we"), &std::fclose);
  if (!file) throw Error("{}: expected a file that can be written, found: {}", log, std::strerror(errno));
  const pid_t parent = ::getpid();
  const pid_t pid =
      start_process({.program = "/proc/self/exe", .arguments = arguments, .out = file.get(), .before_exec = [parent] {
                       ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                       if (::getppid() != parent) ::_exit(1);  // it ended before the line above
                     }});
  running_.push_back({pid, log});
}

void RankProcesses::join() {
  while (!running_.empty()) {
    const Process process = running_.back();
    int status = 0;
    ::waitpid(process.pid, &status, 0);
    running_.pop_back();
    if (status != 0) throw Error("a process of the training: expected exit status 0, found {}", ending(process, status));
    std::filesystem::remove(process.log);
  }
}

void RankProcesses::check() {
  for (auto process = running_.begin(); process != running_.end(); ++process) {
    int status = 0;
    if (::waitpid(process->pid, &status, WNOHANG) != process->pid) continue;
    const Process ended = *process;
    running_.erase(process);
    throw Error("a process of the training: expected it to train, found {}", ending(ended, status));
  }
}

std::vector<pid_t> RankProcesses::running() const {
  std::vector<pid_t> all;
  for (const Process& process : running_) all.push_back(process.pid);
  return all;
}

std::string RankProcesses::first_failure() {
  std::string noticed;
  for (int i = 0; i < 100; ++i) {
    for (auto process = running_.begin(); process != running_.end();) {
      int status = 0;
      if (::waitpid(process->pid, &status, WNOHANG) != process->pid) {
        ++process;
        continue;
      }
      const std::string what = ending(*process, status);
      process = running_.erase(process);
      if (what.find(kOneHasEnded) == std::string::npos) return what;
      noticed = what;
    }
    if (running_.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return noticed;
}

std::string RankProcesses::ending(const Process& process, int status) {
  const std::string how =
      WIFEXITED(status) ? fmt::format("exit status {}", WEXITSTATUS(status)) : fmt::format("signal {}", WTERMSIG(status));
  const std::string line = last_line(process.log);
  return line.empty() ? how : how + ": " + line;
}

}  // namespace harness
