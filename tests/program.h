// The program from outside, for tests.
#pragma once

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/json.h"
#include "harness/core/subprocess.h"

namespace tests {

inline harness::ProcessResult medsbench(std::vector<std::string> arguments, const std::string& input = {}) {
  arguments.insert(arguments.begin(), MEDSBENCH_PROGRAM);
  return harness::run_process(arguments, input);
}

// JSON lines.
inline std::vector<harness::Json> lines_of(const std::string& text) {
  std::vector<harness::Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(harness::parse_json(line));
  return lines;
}

}  // namespace tests
