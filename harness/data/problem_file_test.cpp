#include "harness/data/problem_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/files.h"
#include "harness/core/testing.h"

namespace harness {
namespace {

TEST(ProblemFile, ReadBackIsWhatWasWrittenAndANewerVersionIsRefused) {
  const ScratchFolder folder;
  ProblemSet set{"sums", {}};
  for (const char* id : {"a", "b"}) {
    Problem problem;
    problem.set = "sums";
    problem.id = id;
    problem.text = std::string("What is\n") + id + "?";
    problem.answer = "4";
    set.problems.push_back(problem);
  }
  write_problems(folder.path("p.zst"), {set});
  const auto back = read_problems(folder.path("p.zst"));
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back.at({"sums", "b"}).text, "What is\nb?");
  EXPECT_EQ(back.at({"sums", "b"}).answer, "4");
  EXPECT_EQ(back.at({"sums", "a"}).hash(), set.problems[0].hash());
  write_file_atomically(folder.path("p.zst"), zstd_compress("{\"version\": 2}\n"));
  EXPECT_THAT(error_of([&] { read_problems(folder.path("p.zst")); }),
              testing::HasSubstr("p.zst: line 1: expected version <= 1, found 2"));
}

}  // namespace
}  // namespace harness
