#include "harness/data/problem.h"

#include <algorithm>

#include "harness/core/hash.h"
#include "harness/core/random.h"

namespace harness {

uint64_t Problem::hash() const { return hash64(collapse_white_space(text)); }

std::string ProblemSet::content_hash() const {
  std::vector<std::string> lines;
  lines.reserve(problems.size());
  for (const Problem& problem : problems) {
    lines.push_back(collapse_white_space(problem.text) + '\x1f' + collapse_white_space(problem.answer) + '\n');
  }
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line;
  return sha256_hex(all);
}

std::vector<int64_t> epoch_order(int64_t problems, uint64_t run_seed, int64_t epoch) {
  return RandomStream("epoch order", {run_seed, static_cast<uint64_t>(epoch)}).permutation(problems);
}

}  // namespace harness
