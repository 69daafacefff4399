#include "harness/ranks/processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/ranks/ranks.h"

namespace harness {

namespace {

std::string last_line(const std::string& log) {
  std::string text = std::filesystem::exists(log) ? read_file(log) : "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
}

}  // namespace

RankProcesses::~RankProcesses() {
  for (const Process& process : running_) {
    ::kill(process.pid, SIGKILL);
    ::waitpid(process.pid, nullptr, 0);
  }
}

void RankProcesses::start(const std::vector<std::string>& arguments, const std::string& log) {
  std::vector<std::string> all = {"/proc/self/exe"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw Error("a process of the training: expected to start it, found: {}", std::strerror(errno));
  if (pid == 0) {  // only calls that are safe after a fork
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);  // it ended before the line above
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file >= 0) {
      ::dup2(file, STDOUT_FILENO);
      ::dup2(file, STDERR_FILENO);
    }
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
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
