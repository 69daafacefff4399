#include "harness/model/cpu/row_kernels.h"

#include <gtest/gtest.h>

#include <sstream>

#include "harness/core/subprocess.h"

namespace harness {
namespace {

// A function that several objects bring is kept once for all: one that was compiled for AVX-512 would end the program on a
// processor without. So the objects of an instruction set bring none; nm marks them W, V or u.
TEST(KernelObjects, OfAnInstructionSetBringNoFunctionThatOthersBringToo) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "skipped with sanitisers, under which less is inlined";
#endif
  const ProcessResult symbols = run_process({"nm", "-A", "--defined-only", MEDSBENCH_KERNELS_ARCHIVE});
  ASSERT_EQ(symbols.status, 0) << symbols.err;
  int64_t own = 0;
  std::istringstream lines(symbols.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("_avx") == std::string::npos) continue;
    own += line.find(" T ") != std::string::npos ? 1 : 0;
    const bool shared =
        line.find(" W ") != std::string::npos || line.find(" V ") != std::string::npos || line.find(" u ") != std::string::npos;
    EXPECT_FALSE(shared && line.find("DW.ref.") == std::string::npos) << line;  // DW.ref.: an address for exceptions
  }
  EXPECT_GE(own, 4) << symbols.out;
}

}  // namespace
}  // namespace harness
