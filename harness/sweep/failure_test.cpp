#include "harness/sweep/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/files.h"
#include "harness/core/testing.h"
#include "harness/sweep/progress.h"

namespace harness {
namespace {

class FailureOf : public testing::Test {
 protected:
  Failure failure(const std::string& log, int status) const {
    folder_.write("log.txt", log);
    return failure_of(folder_.path("log.txt"), status);
  }
  const ScratchFolder folder_;
};

TEST_F(FailureOf, IsTheLastErrorWithAllItsLines) {
  std::string log = "medsbench: an earlier one\nstep 1/9\nmedsbench: step 2: expected groups, found 0\n";
  for (int i = 0; i < 2 * kTailLines; ++i) log += "  example " + std::to_string(i) + "\n";
  const Failure found = failure(log, 1);
  EXPECT_EQ(failure_reason(found), "step 2: expected groups, found 0");
  EXPECT_THAT(found.lines, testing::EndsWith("example 15"));
}

TEST_F(FailureOf, IsTheSignalWhereOneEndedItWhateverAnEarlierStartSaid) {
  EXPECT_EQ(failure_reason(failure("medsbench: an earlier one\nstep 1/9\n", 137)), "ended by signal 9 (Killed)");
  EXPECT_EQ(failure_reason(failure("what(): bad_alloc\n", 134)), "ended by signal 6 (Aborted)");
}

TEST_F(FailureOf, IsTheLastLineOfALogWithoutAnError) {
  EXPECT_EQ(failure_reason(failure("one\ntwo: not found\n", 127)), "two: not found");
  EXPECT_EQ(failure_reason(failure("", 1)), "");
  EXPECT_LE(failure_reason(failure("medsbench: " + std::string(5000, 'x') + "\n", 1)).size(), 500u);
}

TEST_F(FailureOf, IsKeptInTheFolder) {
  EXPECT_FALSE(read_failure(folder_.path()).has_value());
  write_failure(folder_.path(), {7, "medsbench: a\nb"});
  EXPECT_EQ(read_failure(folder_.path())->status, 7);
  EXPECT_EQ(failure_reason(*read_failure(folder_.path())), "a");
  folder_.write("failed.json", "{");
  EXPECT_THAT(failure_reason(*read_failure(folder_.path())), testing::HasSubstr("expected JSON"));
}

}  // namespace
}  // namespace harness
