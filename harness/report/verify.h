// verify: derives every number of a results folder's tables again from the stored outcomes and says which differ.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace harness {

struct Verification {
  int64_t numbers = 0;                   // derived again and compared
  std::vector<std::string> differences;  // one line each: file, row, column, stored, derived
  std::vector<std::string> notes;        // what could not be checked, and why
};

// Where the outcome files are not there (a results folder without its run folders), pass@k is derived from counts.csv instead
// and a note says so. Throws Error for an unreadable experiment.json or table.csv.
Verification verify_folder(const std::string& folder);

}  // namespace harness
