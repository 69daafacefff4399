// What the pictures of several rows must have in common, and that they can be read.
#include "harness/report/figures/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "harness/core/subprocess.h"
#include "harness/report/figures/palette.h"
#include "harness/report/testing.h"

namespace harness {
namespace {

using testing::HasSubstr;
using testing::Not;

Chart chart_of(size_t rows, size_t label_length, int64_t first, int64_t last) {
  Chart chart{"chart", "training", "A chart", kStepLabel, "share", "", false, {}};
  for (size_t row = 0; row < rows; ++row) {
    CurveLine line{std::string(label_length - 2, 'x') + std::to_string(10 + row), true, row, {}};
    for (int64_t step = first; step <= last; ++step) line.points.push_back({static_cast<double>(step), 0.5, 0.4, 0.6});
    chart.lines.push_back(line);
  }
  return chart;
}

TEST(Figures, OverTrainingGoFromTheFirstStepToTheLast) {
  EXPECT_THAT(gnuplot_script(chart_of(2, 6, 1, 36)), HasSubstr("set xrange [1:36]"));
  EXPECT_THAT(gnuplot_script(chart_of(2, 6, 12, 36)), HasSubstr("set xrange [1:36]"));  // validated every 12 steps
  EXPECT_THAT(gnuplot_script(chart_of(1, 6, 1, 1)), HasSubstr("set xrange [0.5:1.5]"));
  Chart pass = chart_of(1, 6, 1, 8);
  pass.x_label = "k (samples)";
  EXPECT_THAT(gnuplot_script(pass), Not(HasSubstr("xrange")));
}

// gnuplot says "difficulty fitting plot titles into key" where it draws the legend over the plot.
TEST(Figures, HaveTheirLegendBelowThePlotHoweverManyRows) {
  if (find_program("gnuplot").empty()) GTEST_SKIP() << "gnuplot is not installed";
  for (const size_t rows : {2, 7, 12, 13, 20, 36, 60}) {
    for (const size_t label : {4, 20, 36, 60, 100}) {
      const ProcessResult drawn = run_process({"gnuplot"}, gnuplot_script(chart_of(rows, label, 1, 36)));
      EXPECT_EQ(drawn.err, "") << rows << " rows, labels of " << label;
      EXPECT_EQ(drawn.status, 0);
    }
  }
}

TEST(SeriesStyle, TellsManyRowsApart) {
  std::set<std::pair<std::string, int>> seen;
  std::set<std::tuple<std::string, int, int>> all;
  for (size_t row = 0; row < 245; ++row) {
    const SeriesStyle style = series_style(row, true);
    if (row < 35) {
      EXPECT_TRUE(seen.emplace(style.colour.light, style.dash).second) << row;
    }
    EXPECT_TRUE(all.emplace(style.colour.light, style.dash, style.point).second) << row;
  }
}

TEST(Figures, GiveAnErrorLabelOneColourInThePanelsOfAllRows) {
  const std::string folder = write_test_experiment(fresh_folder("label_colours"), {});
  // DAPO's most frequent label is MEDS's least frequent one, and each has one that the other lacks.
  for (const int seed : {1, 2, 3}) {
    write_file_atomically(folder + "/../runs/DAPO-" + std::to_string(seed) + "/metrics.jsonl",
                          "{\"step\":1,\"error_label/a\":0.6,\"error_label/b\":0.3,\"error_label/c\":0.1}\n");
    write_file_atomically(folder + "/../runs/MEDS-" + std::to_string(seed) + "/metrics.jsonl",
                          "{\"step\":1,\"error_label/d\":0.6,\"error_label/b\":0.3,\"error_label/a\":0.1}\n");
  }
  std::map<std::string, std::set<size_t>> places;
  std::vector<std::vector<std::string>> order;
  for (const Chart& chart : experiment_charts(read_results(folder))) {
    if (chart.section != "labels") continue;
    order.emplace_back();
    for (const CurveLine& line : chart.lines) {
      places[line.label].insert(line.place);
      order.back().push_back(line.label);
    }
  }
  EXPECT_EQ(order, (std::vector<std::vector<std::string>>{{"a", "b", "c"}, {"d", "b", "a"}}));
  std::set<size_t> distinct;
  for (const auto& [label, of] : places) {
    EXPECT_EQ(of.size(), 1u) << label;
    distinct.insert(*of.begin());
  }
  EXPECT_EQ(distinct.size(), 4u);
}

}  // namespace
}  // namespace harness
