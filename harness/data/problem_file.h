// problems.jsonl.zst: the text and the answer of each problem that outcomes are of, beside them in their folder.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/data/problem.h"

namespace harness {

inline constexpr int64_t kProblemFileVersion = 1;
inline constexpr const char* kProblemFileName = "problems.jsonl.zst";

// A line of version and format, then {"set", "problem", "text", "answer"} a problem. Atomically.
void write_problems(const std::string& path, const std::vector<ProblemSet>& sets);
// By set and id; set, id, text and answer alone are filled in. Throws Error("PATH: line N: ..."), also for a newer version.
std::map<std::pair<std::string, std::string>, Problem> read_problems(const std::string& path);

}  // namespace harness
