#include "harness/report/table/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/core/testing.h"
#include "harness/report/report_folder.h"
#include "harness/report/testing.h"

namespace harness {
namespace {

using testing::HasSubstr;

constexpr const char* kPublishedGain = R"([[rows]]
base_model = "big"
name = "DAPO"
source = "made up"
values."average pass@1" = 60.0
values."aime pass@1" = 40.0

[[rows]]
base_model = "big"
name = "MEDS"
source = "made up"
values."average pass@1" = 63.5
)";

TEST(Claims, AreHeldAgainstTheNoiseOfAFoldersCounts) {
  const std::string folder = write_test_experiment(fresh_folder("claims"), {});
  ReportSettings settings;
  settings.figures = settings.page = false;
  write_report(folder, settings);
  const ScratchFolder scratch;
  ClaimFile file{scratch.write("published.toml", kPublishedGain), "MEDS", "DAPO", folder, 1};
  const std::string text = claims_text(file);
  EXPECT_THAT(text, HasSubstr("MEDS against DAPO, 1 run each; noise as measured in " + folder + " (nano-qwen3)"));
  EXPECT_THAT(text, HasSubstr("big, average pass@1: +3.5 points. By chance"));
  EXPECT_THAT(text, testing::Not(HasSubstr("aime"))) << "one of them has a number there";

  // The deviations are those of the table: pooled over two trained rows of three seeds, and of their one comparison.
  const ExperimentResults results = read_results(folder);
  const Summary summary = summarise(results);
  const Column column = parse_column("average pass@1");
  const MeasuredNoise noise = measured_noise(results, column);
  for (size_t c = 0; c < summary.columns.size(); ++c) {
    if (summary.columns[c].set != column.set || !(summary.columns[c].quantity == column.quantity)) continue;
    const double dapo = summary.rows[1].entries[c].mean.seed_deviation, meds = summary.rows[2].entries[c].mean.seed_deviation;
    EXPECT_NEAR(noise.seed_deviation, std::sqrt((dapo * dapo + meds * meds) / 2), 1e-12);
    EXPECT_NEAR(noise.paired_deviation, summary.rows[2].entries[c].comparison->difference.seed_deviation, 1e-12);
  }

  file.row = "MEDs";
  EXPECT_THAT(error_of([&] { claims_text(file); }), HasSubstr("published.toml: expected a row (DAPO, MEDS), found MEDs"));
  file.row = "DAPO";
  file.against = "MEDS";
  EXPECT_THAT(claims_text(file), HasSubstr("-3.5 points"));
}

}  // namespace
}  // namespace harness
