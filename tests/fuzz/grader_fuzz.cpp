// Fuzz target: any bytes as a response and its reference answer (what stands before and behind the first 0x1F), every grader.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/reward/all_graders.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::unique_ptr<harness::Grader>> graders = [] {
    std::vector<std::unique_ptr<harness::Grader>> made;
    for (const std::string& name : harness::grader_names()) made.push_back(harness::make_grader(name));
    return made;
  }();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min(text.find('\x1F'), size);
  harness::Problem problem;
  problem.answer = cut < size ? text.substr(cut + 1) : std::string_view();
  for (const auto& grader : graders) {
    // No exception at all, the same verdict twice, and a reason for it.
    const harness::Verdict first = grader->grade(text.substr(0, cut), problem);
    const harness::Verdict second = grader->grade(text.substr(0, cut), problem);
    if (first.correctness != second.correctness || first.extracted != second.extracted || first.why.empty()) std::abort();
  }
  return 0;
}
