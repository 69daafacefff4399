#include "harness/report/table/cluster_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/report/figures/figures.h"
#include "harness/report/report_folder.h"
#include "harness/report/testing.h"
#include "harness/report/verify.h"

namespace harness {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The made-up experiment with clusters measured by MEDS' trainings, six steps each: "zeta" first, then "alpha".
std::string write_clusters(const std::string& name) {
  const std::string folder = fresh_folder(name);
  const std::string results = write_test_experiment(folder, {});
  for (const int64_t seed : {1, 2, 3}) {
    std::string text;
    for (int64_t step = 1; step <= 6; ++step) {
      const double rand = 0.1 * static_cast<double>(step) + 0.01 * static_cast<double>(seed);
      text += dump_line(OrderedJson{{"step", step},
                                    {"clusters/zeta/place", 0},
                                    {"clusters/zeta/labels/adjusted_rand", rand},
                                    {"clusters/zeta/labels/purity", 0.9},
                                    {"clusters/zeta/noise", 0.25},
                                    {"clusters/alpha/place", 1},
                                    {"clusters/alpha/labels/adjusted_rand", rand - 0.2},
                                    {"cluster_size/2", 0.75},
                                    {"cluster_size/9", 0.25},
                                    {"meds_penalty_at/0.000", step < 5 ? 0.9 : 0.5},
                                    {"meds_penalty_at/0.200", step < 5 ? 0.1 : 0.5}}) +
              "\n";
    }
    write_file_atomically(folder + "/runs/MEDS-" + std::to_string(seed) + "/metrics.jsonl", text);
  }
  return results;
}

TEST(ClusterTable, MeansOverThirdsAndSeedsAreThoseWorkedByHand) {
  const std::vector<ClusterRecord> records = cluster_records(read_results(write_clusters("clusters_table")));
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records.front().choice, "zeta") << "choices in the order of the training's list";
  const auto found = std::find_if(records.begin(), records.end(), [](const ClusterRecord& r) {
    return r.seed == 2 && r.choice == "zeta" && r.measure == "labels/adjusted_rand";
  });
  ASSERT_NE(found, records.end());
  EXPECT_NEAR(found->thirds[0], 0.17, 1e-12);
  EXPECT_NEAR(found->thirds[1], 0.37, 1e-12);
  EXPECT_NEAR(found->thirds[2], 0.57, 1e-12);
  const std::string text = clusters_markdown(records);
  // Seeds 0.56, 0.57, 0.58: standard error 0.01 / sqrt(3), t of two degrees 4.303.
  EXPECT_THAT(text, HasSubstr("| zeta | 0.570 (0.545 to 0.595) |  | - | - | 0.900 (0.900 to 0.900) |"));
  EXPECT_THAT(text, HasSubstr("| alpha | 0.370 (0.345 to 0.395) | -0.200 (-0.200 to -0.200) |")) << "paired by seed";
  EXPECT_THAT(text, HasSubstr("## MEDS (nano-qwen3), 3 seeds"));
  EXPECT_THAT(text, Not(HasSubstr("Equal answers:"))) << "not measured here";
}

TEST(ClusterTable, IsWhatItsCsvSays) {
  const std::vector<ClusterRecord> records = cluster_records(read_results(write_clusters("clusters_csv")));
  const std::string csv = clusters_csv(records);
  EXPECT_EQ(clusters_csv(read_clusters_csv(csv)), csv);
  EXPECT_EQ(clusters_markdown(read_clusters_csv(csv)), clusters_markdown(records));
  EXPECT_THROW((void)read_clusters_csv("a,b\n"), Error);
  EXPECT_THROW((void)read_clusters_csv(csv + "nano-qwen3,MEDS,zeta,noise,1,0.1,often,0.1\n"), Error);
}

TEST(ClusterTable, IsWrittenAndVerifiedWithOutcomesAndWithout) {
  const std::string results = write_clusters("clusters_verify");
  (void)write_report(results, {"", false, false});
  EXPECT_THAT(verify_folder(results).differences, IsEmpty());
  std::string text = read_file(results + "/clusters.md");
  text.replace(text.find("0.570"), 5, "0.670");
  write_file_atomically(results + "/clusters.md", text);
  EXPECT_THAT(verify_folder(results).differences, Not(IsEmpty()));
  std::filesystem::remove_all(results + "/../runs");
  const Verification alone = verify_folder(results);
  ASSERT_EQ(alone.differences.size(), 1U);
  EXPECT_THAT(alone.differences.front(), HasSubstr("clusters.md"));
}

TEST(ClusterTable, AnExperimentThatMeasuredNoneHasNone) {
  const std::string results = write_test_experiment(fresh_folder("clusters_none"), {});
  (void)write_report(results, {"", false, false});
  EXPECT_FALSE(std::filesystem::exists(results + "/clusters.md"));
}

TEST(ClusterCharts, ShowAgreementSizesAndPenalties) {
  const std::vector<Chart> charts = cluster_charts(read_results(write_clusters("clusters_charts")));
  std::vector<std::string> names;
  for (const Chart& chart : charts) names.push_back(chart.name);
  EXPECT_EQ(names, (std::vector<std::string>{"clusters_3_labels", "clusters_sizes", "clusters_penalties"}));
  EXPECT_EQ(charts[0].lines.at(0).label, "zeta");
  EXPECT_NEAR(charts[0].lines.at(1).points.at(5).value, 0.42, 1e-12);
  EXPECT_EQ(charts[1].lines.at(0).points.at(1).x, 9);
  ASSERT_EQ(charts[2].lines.at(0).points.size(), 2U);
  EXPECT_EQ(charts[2].lines.at(0).points[1].x, 0.2);
  EXPECT_EQ(charts[2].lines.at(0).points[1].value, 0.5) << "the last third alone";
}

TEST(ClusterCharts, LeaveOutWhatOnlyEarlierStepsHave) {
  const std::string folder = fresh_folder("clusters_early");
  const std::string results = write_test_experiment(folder, {});
  for (const int64_t seed : {1, 2, 3}) {
    write_file_atomically(folder + "/runs/MEDS-" + std::to_string(seed) + "/metrics.jsonl",
                          "{\"step\": 1, \"meds_penalty_at/0.1\": 1}\n{\"step\": 2, \"cluster_size/1\": 0.5}\n"
                          "{\"step\": 6, \"reward\": 0.5}\n");
  }
  for (const Chart& chart : cluster_charts(read_results(results))) {
    EXPECT_FALSE(chart.lines.empty()) << chart.name;
    for (const CurveLine& line : chart.lines) EXPECT_FALSE(line.points.empty()) << chart.name;
  }
}

}  // namespace
}  // namespace harness
