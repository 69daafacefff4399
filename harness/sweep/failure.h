// Failure: why a worker failed, kept in its folder as failed.json and told in one line.
#pragma once

#include <optional>
#include <string>

namespace harness {

struct Failure {
  int status = 1;     // exit status; 128 + signal where a signal ended it
  std::string lines;  // the end of its log
};

// The end of a failed worker's log: its error with all its lines, from `medsbench: ` on; its last lines where it says none or
// where a signal ended it.
Failure failure_of(const std::string& log, int status);
// One line of at most 500 bytes: the first of its error, or the signal.
std::string failure_reason(const Failure& failure);

// FOLDER/failed.json. Throws Error, on a full disk for example.
void write_failure(const std::string& folder, const Failure& failure);
// None: no such file. One that cannot be read gives its error.
std::optional<Failure> read_failure(const std::string& folder);

}  // namespace harness
