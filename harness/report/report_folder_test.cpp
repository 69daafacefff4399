#include "harness/report/report_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/error.h"
#include "harness/report/test_experiment.h"

namespace harness {
namespace {

TEST(ReportFolder, IsTheSameBytesWhenWrittenAgain) {
  const std::string folder = write_test_experiment(fresh_folder("again"), {});
  const auto first = table_files(read_experiment(folder), summarise(read_experiment(folder)));
  const auto second = table_files(read_experiment(folder), summarise(read_experiment(folder)));
  ASSERT_EQ(first.size(), second.size());
  for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].text, second[i].text) << first[i].name;
}

}  // namespace
}  // namespace harness
