// Subprocess: runs another program to its end with a given input and collects what it prints.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace harness {

struct ProcessResult {
  int status = 0;   // exit status; 128 + signal where a signal ended it
  std::string out;  // standard output
  std::string err;  // standard error
};

// The full path of a program found through PATH (or given with a slash); "" if there is none.
std::string find_program(const std::string& name);
// Runs argv[0] (looked up as `find_program` does) without a shell. Throws Error if it cannot be started.
ProcessResult run_process(const std::vector<std::string>& argv, std::string_view input = {});

}  // namespace harness
