// What the page says beside the numbers.
#include "harness/report/page/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/data/problem_file.h"
#include "harness/report/testing.h"

namespace harness {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::string page_of(const std::string& folder) {
  const ExperimentResults results = read_results(folder, kReadProblems);
  return html_page(results, summarise(results), {});
}

TEST(HtmlPage, ShowsResponsesWithTheirProblemAndTheRightAnswerWhereTheFolderHasThem) {
  const std::string folder = write_test_experiment(fresh_folder("problems"), {});
  EXPECT_THAT(page_of(folder), Not(HasSubstr("right answer")));
  ProblemSet set{"prec", {}};
  for (int64_t i = 0; i < 4; ++i) {
    Problem problem;
    problem.set = "prec";
    problem.id = "prec-" + std::to_string(1000 + i);
    problem.text = "6*9+8 < " + std::to_string(i) + "?";
    problem.answer = "<42>";
    set.problems.push_back(problem);
  }
  write_problems(folder + "/../runs/DAPO-1/" + kProblemFileName, {set});
  const std::string page = page_of(folder);
  EXPECT_THAT(page, HasSubstr("<pre>6*9+8 &lt; 0?</pre><p>right answer: <code>&lt;42&gt;</code></p>"));
  EXPECT_THAT(page, testing::ContainsRegex("answer <code>42</code>, as [1-8] of 8 samples"));
}

TEST(HtmlPage, PrintsTheFolderAsTheUserHasItAndOverWhatIntervalsAre) {
  const std::string folder = write_test_experiment(fresh_folder("path"), {});
  ExperimentResults results = read_results(folder);
  results.folder = "results/./nano";
  Figures figures;
  figures.figures.emplace_back();
  figures.figures.back().chart.section = "pass@k";
  const std::string page = html_page(results, summarise(results), figures);
  EXPECT_THAT(page, HasSubstr("medsbench verify results/nano\nmedsbench table results/nano"));
  EXPECT_THAT(page, HasSubstr("95 % intervals of each row by itself, over problems and training seeds"));
}

TEST(HtmlPage, CountsWrongGroupsASeed) {
  const std::string folder = write_test_experiment(fresh_folder("groups"), {});
  const ExperimentResults results = read_results(folder);
  int64_t groups = 0;
  for (const SeedResults& seed : results.rows[1].seeds) {
    for (const auto& [set, problems] : seed.counts.sets) {
      for (const auto& [problem, counts] : problems) groups += std::ssize(counts.wrong_groups);
    }
  }
  EXPECT_THAT(html_page(results, summarise(results), {}),
              HasSubstr("<td>DAPO</td><td>" + std::to_string((groups + 1) / 3) + "</td>"));
}

TEST(HtmlPage, AndTheFooterTellTheAlarmsOfATraining) {
  const std::string folder = write_test_experiment(fresh_folder("alarms"), {});
  EXPECT_THAT(page_of(folder), Not(HasSubstr("Alarms while training")));
  for (const char* run : {"MEDS-1", "MEDS-3"}) {
    std::string lines;
    for (int step = 1; step <= 6; ++step) {
      lines += "{\"step\":" + std::to_string(step) + (step == 2 || step == 3 || step == 5 ? ",\"alarm/truncated\":1" : "") +
               ",\"response_tokens\":20}\n";
    }
    write_file_atomically(folder + "/../runs/" + run + "/metrics.jsonl", lines);
  }
  EXPECT_THAT(page_of(folder),
              HasSubstr("<td>MEDS</td><td class=\"words\"><code>truncated</code></td><td>2 of 3</td><td>2</td>"));
  const ExperimentResults results = read_results(folder);
  EXPECT_THAT(summarise(results).footer, Contains("Alarms while training, in so many trainings: truncated in 2 (MEDS)."));
  for (const Chart& chart : experiment_charts(results)) {
    if (chart.name != "training_response_length") continue;
    EXPECT_EQ(chart.lines.back().alarms, (std::vector<int64_t>{2, 5}));
    EXPECT_THAT(chart.description, HasSubstr("Alarms of MEDS at step 2, 5."));
    EXPECT_THAT(gnuplot_script(chart), HasSubstr("set arrow from first 5, graph 0 to first 5, graph 0.07 nohead"));
  }
}

}  // namespace
}  // namespace harness
