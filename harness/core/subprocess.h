// Subprocess: starts another program without a shell; runs one to its end with a given input and collects what it prints.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace harness {

struct ProcessStart {
  std::string program{};                             // full path
  std::vector<std::string> arguments{};              // without the program itself
  std::map<std::string, std::string> environment{};  // added to this process's
  std::FILE* in = nullptr;                           // null: /dev/null
  std::FILE* out = nullptr;                          // null: /dev/null
  std::FILE* err = nullptr;                          // null: where `out` goes
  std::function<void()> before_exec{};               // run by the child between fork and exec: only calls that are safe there
};

// The child's id; the caller waits for it. Throws Error if it cannot be started.
pid_t start_process(const ProcessStart& start);

struct ProcessResult {
  int status = 0;   // exit status; 128 + signal where a signal ended it
  std::string out;  // standard output
  std::string err;  // standard error
};

// The full path of a program found through PATH (or given with a slash); "" if there is none.
std::string find_program(const std::string& name);
// Runs argv[0] (looked up as `find_program` does) to its end, with `input` on its standard input. Throws Error if it cannot be
// started; how it ends is the caller's to judge.
ProcessResult run_process(const std::vector<std::string>& argv, std::string_view input = {});
// The status as ProcessResult has it, of one that waitpid gives.
int exit_status(int wait_status);
// Waits for a child; its status as ProcessResult has it.
int wait_for(pid_t pid);
// The full path of this program.
std::string own_program();

}  // namespace harness
