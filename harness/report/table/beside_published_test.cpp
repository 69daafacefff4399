#include "harness/report/table/beside_published.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/files.h"
#include "harness/report/page/sections.h"
#include "harness/report/report_folder.h"
#include "harness/report/table/table_text.h"
#include "harness/report/testing.h"
#include "harness/report/verify.h"

namespace harness {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const char* kPublished = R"(
[[rows]]
base_model = "nano-qwen3"
name = "MEDS"
source = "someone, somewhere"
values."prec pass@1" = 50.0
values."elsewhere pass@1" = 10.0

[[rows]]
base_model = "another"
name = "MEDS"
source = "someone else"
values."prec pass@1" = 99.0
)";

// The made-up experiment with published numbers and two notes.
ExperimentResults with_published(const std::string& name) {
  const std::string folder = write_test_experiment(fresh_folder(name), {});
  write_file_atomically(folder + "/published.toml", kPublished);
  ExperimentRecord record = read_experiment_record(folder);
  record.published = "published.toml";
  record.scale = 0.5;
  record.notes = {"A first note.", "A second one: <not markup>."};
  write_experiment_record(folder, record);
  return read_results(folder);
}

TEST(PublishedNumbers, StandBelowOurRowOfTheirNameAndThoseOfOtherBaseModelsAreLeftOut) {
  const Summary summary = summarise(with_published("published_rows"));
  size_t published = 0;
  for (size_t i = 0; i < summary.rows.size(); ++i) {
    if (summary.rows[i].source.empty()) continue;
    ++published;
    ASSERT_GT(i, 0u);
    EXPECT_EQ(summary.rows[i - 1].name, "MEDS");
    EXPECT_EQ(summary.rows[i].label, "MEDS (published)");
  }
  EXPECT_EQ(published, 1u);
  EXPECT_THAT(summary.footer, Contains("Published numbers: someone, somewhere."));
}

TEST(PublishedNumbers, AreComparedWithOursAndItsIntervalInEveryFormat) {
  const Summary summary = summarise(with_published("published_pairs"));
  const auto pairs = published_pairs(summary);
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].column, "prec pass@1");
  EXPECT_EQ(pairs[0].published, "50.0");
  const auto ours = std::find_if(summary.rows.begin(), summary.rows.end(),
                                 [](const SummaryRow& row) { return row.name == "MEDS" && row.source.empty(); });
  const MeanInterval& mean = ours->entries[0].mean;
  EXPECT_EQ(pairs[0].difference, fmt::format("{:+.1f}", 100 * mean.value - 50));
  EXPECT_EQ(pairs[0].interval, fmt::format("{:.1f} to {:.1f}", 100 * mean.low, 100 * mean.high));
  EXPECT_EQ(pairs[0].inside, mean.low <= 0.5 && 0.5 <= mean.high ? "yes" : "no");
  EXPECT_THAT(markdown_table(summary),
              HasSubstr("| nano-qwen3 | MEDS | prec pass@1 | " + pairs[0].ours + " | " + pairs[0].interval));
  EXPECT_THAT(latex_table(summary), HasSubstr("nano-qwen3 & MEDS & prec pass@1 & " + pairs[0].ours));
  EXPECT_THAT(html_tables(summary), HasSubstr("<td>prec pass@1</td><td>" + pairs[0].ours + "</td>"));
  const Summary without = summarise(read_results(write_test_experiment(fresh_folder("nothing_published"), {})));
  EXPECT_THAT(published_pairs(without), IsEmpty());
  EXPECT_THAT(markdown_table(without), Not(HasSubstr("published")));
}

TEST(Notes, AreKeptByTheManifestAndShownInTheFooterOfEveryFormat) {
  const ExperimentResults results = with_published("notes");
  EXPECT_EQ(results.record.scale, 0.5);
  const Summary summary = summarise(results);
  EXPECT_THAT(summary.footer, Contains("A first note."));
  EXPECT_THAT(markdown_table(summary), HasSubstr("- A second one: \\<not markup\\>."));
  EXPECT_THAT(html_tables(summary), HasSubstr("A second one: &lt;not markup&gt;."));
  ReportSettings settings;
  settings.figures = settings.page = false;
  write_report(results.folder, settings);
  EXPECT_THAT(verify_folder(results.folder).differences, IsEmpty());
}

TEST(Graders, ThatDisagreeAreCountedForEachPairWithTheMainOne) {
  OutcomeFile file{"recipe", {}};
  constexpr Correctness kRight = Correctness::right, kWrong = Correctness::wrong, kUndecided = Correctness::undecided;
  const std::vector<std::map<std::string, Correctness>> verdicts = {
      {{"recipe", kRight}, {"math", kRight}, {"limo", kWrong}},
      {{"recipe", kWrong}, {"math", kRight}, {"limo", kWrong}},
      {{"recipe", kWrong}, {"math", kUndecided}, {"limo", kWrong}},
      {{"recipe", kRight}, {"math", kUndecided}, {"limo", kWrong}}};
  for (size_t i = 0; i < verdicts.size(); ++i) {
    Outcome outcome;
    outcome.set = "prec";
    outcome.problem = "p";
    outcome.sample = static_cast<int64_t>(i);
    outcome.verdicts = verdicts[i];
    file.outcomes.push_back(outcome);
  }
  const OutcomeCounts results = count_outcomes(file, {"", 4, 0});
  EXPECT_EQ(results.disagreements, (std::map<std::string, int64_t>{{"limo", 2}, {"math", 2}}));
}

}  // namespace
}  // namespace harness
