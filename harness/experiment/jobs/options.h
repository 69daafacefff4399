// What the verbs that work on one job are given.
#pragma once

#include <string>
#include <vector>

namespace harness {

struct JobOptions {
  std::string file, out;          // TOML of the job; its folder
  std::vector<std::string> sets;  // KEY=VALUE, over the file
};

}  // namespace harness
