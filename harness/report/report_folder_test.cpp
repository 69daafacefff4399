#include "harness/report/report_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "harness/core/csv.h"
#include "harness/core/error.h"
#include "harness/core/subprocess.h"
#include "harness/core/testing.h"
#include "harness/report/figures/svg.h"
#include "harness/report/page/page.h"
#include "harness/report/table/checkpoints.h"
#include "harness/report/table/noise.h"
#include "harness/report/table/table_layout.h"
#include "harness/report/table/table_text.h"
#include "harness/report/testing.h"
#include "harness/report/verify.h"

namespace harness {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Outcome outcome(int64_t sample, bool right, const std::string& answer) {
  Outcome result;
  result.set = "prec";
  result.problem = "p";
  result.sample = sample;
  result.verdicts = {{"recipe", right ? Correctness::right : Correctness::wrong}};
  if (!answer.empty()) result.normalised = result.extracted = answer;
  result.finish = "stop";
  return result;
}

TEST(CountOutcomes, CountsTheFirstNSamplesOfEachProblemInTheirOrder) {
  const OutcomeFile file{"recipe",
                         {outcome(3, false, ""), outcome(1, false, "5"), outcome(0, true, "4"), outcome(2, false, "5")}};
  const OutcomeCounts all = count_outcomes(file, {"", 4, 0});
  const ProblemCounts& problem = all.sets.at("prec").at("p");
  EXPECT_EQ(all.responses, 4);
  EXPECT_EQ(problem.n, 4);
  EXPECT_EQ(problem.right, 1);
  EXPECT_EQ(problem.votes.answers, (std::vector<int64_t>{0, 1, 1, -1}));
  EXPECT_EQ(count_outcomes(file, {"", 2, 0}).sets.at("prec").at("p").n, 2);
}

TEST(Summary, HasColumnsOfGPassAndMajorityWhereTheManifestAsksAndTheyVerify) {
  const std::string folder = write_test_experiment(fresh_folder("g_pass"), {});
  ExperimentRecord record = read_experiment_record(folder);
  record.g_pass = {0.5, 1};
  record.maj = true;
  write_experiment_record(folder, record);
  ReportSettings settings;
  settings.figures = settings.page = false;
  const ReportDone done = write_report(folder, settings);
  std::vector<std::string> headings;
  for (const Column& column : done.summary.columns) {
    if (column.set == kAverage && column.kind() == ColumnKind::pass) headings.push_back(column.quantity.heading());
  }
  EXPECT_EQ(headings, (std::vector<std::string>{"pass@1", "pass@8", "maj@8", "G-pass@8 at 0.5", "G-pass@8 at 1"}));
  EXPECT_THAT(verify_folder(folder).differences, IsEmpty());
}

TEST(Checkpoints, SayWhatTheTableSaysOfTheLastStepAndOfTheBaseModelAndVerify) {
  const std::string folder = write_test_experiment(fresh_folder("checkpoints"), {});
  ExperimentRecord record = read_experiment_record(folder);
  for (RowRecord& row : record.rows) {
    for (SeedRecord& seed : row.records) {
      if (row.name == "Base") continue;
      seed.checkpoints = {{0, record.rows[0].records[0].outcomes}, {6, seed.outcomes}};
      if (seed.seed < 3) seed.checkpoints[2] = record.rows[1].records[0].outcomes;  // that of another seed stands for it
    }
  }
  write_experiment_record(folder, record);
  ReportSettings settings;
  settings.figures = settings.page = false;
  const ReportDone done = write_report(folder, settings);
  EXPECT_THAT(done.files, testing::AllOf(Contains("checkpoints.csv"), Contains("checkpoints.md")));
  const ExperimentResults results = read_results(folder);
  int64_t compared = 0;
  for (const CheckpointRecord& one : checkpoint_records(results)) {
    for (const SummaryRow& row : done.summary.rows) {
      for (size_t c = 0; c < row.entries.size(); ++c) {
        const Column& column = done.summary.columns[c];
        if (column.set != one.column.set || column.quantity != one.column.quantity) continue;
        if (row.name != (one.step == 0 ? "Base" : one.step == 6 ? one.row : "")) continue;
        EXPECT_EQ(one.mean.value, row.entries[c].mean.value);
        EXPECT_EQ(one.mean.high, row.entries[c].mean.high);
        EXPECT_EQ(one.mean.seeds, row.entries[c].mean.seeds) << "step 0 is one evaluation";
        if (one.step == 6 && !one.against.empty()) {
          EXPECT_EQ(one.difference.low, row.entries[c].comparison->difference.low);
        }
        ++compared;
      }
    }
    if (one.step == 2) {
      EXPECT_EQ(one.mean.seeds, 2);
    }
    EXPECT_EQ(one.against, one.row == "MEDS" && one.step > 0 ? "DAPO" : "");
  }
  EXPECT_EQ(compared, 2 * 2 * 6) << "two rows at two steps in six columns; pass@2 and pass@4 are not in the table";
  const std::string text = read_file(folder + "/checkpoints.md");
  EXPECT_THAT(text, HasSubstr("| method | step 0 | step 2 | step 6 |"));
  EXPECT_THAT(verify_folder(folder).differences, IsEmpty());
  std::filesystem::remove(folder + "/" + record.rows[1].records[0].outcomes);
  EXPECT_THAT(error_of([&] { require_outcomes(folder); }), HasSubstr("(nor those of 3 others)"));
}

TEST(Summary, TakesSeedsOfFewerSamplesForWhatTheySufficeForAndSaysSo) {
  const std::string folder = write_test_experiment(fresh_folder("fewer"), {});
  ExperimentRecord record = read_experiment_record(folder);
  record.cover = {0.5};
  for (RowRecord& row : record.rows) {
    if (row.name == "MEDS") row.records[2].n = 4;  // of the 8 that are stored
  }
  write_experiment_record(folder, record);
  ReportSettings settings;
  settings.figures = settings.page = false;
  const ReportDone done = write_report(folder, settings);
  const SummaryRow& meds = done.summary.rows[2];
  EXPECT_EQ(shown_seeds(meds), "3 (2)");
  EXPECT_EQ(shown_seeds(done.summary.rows[1]), "3");
  for (size_t c = 0; c < meds.entries.size(); ++c) {
    const Quantity& quantity = done.summary.columns[c].quantity;
    if (!done.summary.columns[c].of_problems()) continue;
    const bool all = quantity.kind != Quantity::Kind::pass ? !quantity.depends_on_n() : quantity.k == 1;
    EXPECT_EQ(meds.entries[c].mean.seeds, all ? 3 : 2) << quantity.name();
    if (meds.entries[c].comparison) {
      EXPECT_EQ(meds.entries[c].comparison->difference.seeds, all ? 3 : 2);
    }
    EXPECT_EQ(std::isnan(meds.entries[c].sampling_error), quantity.kind != Quantity::Kind::pass);
  }
  EXPECT_THAT(done.summary.footer, Contains(HasSubstr("those in brackets have 8 samples a problem, the others 4")));
  const ExperimentResults results = read_results(folder);
  EXPECT_EQ(results.rows[2].seeds[2].counts.sets.at("prec").begin()->second.n, 4);
  for (const NoiseRecord& noise : noise_records(results, done.summary)) {
    const bool mixed = noise.row == "MEDS" && noise.column.quantity.k == 1;
    EXPECT_DOUBLE_EQ(noise.samples, mixed ? 3 / (1.0 / 8 + 1.0 / 8 + 1.0 / 4) : 8);
  }
  EXPECT_THAT(verify_folder(folder).differences, IsEmpty());
}

TEST(Summary, HasTheInterquartileMeanAndTheProbabilityOfImprovement) {
  const ExperimentResults results = read_results(write_test_experiment(fresh_folder("iqm"), {}));
  const Summary summary = summarise(results);
  const auto iqm = std::find_if(summary.columns.begin(), summary.columns.end(),
                                [](const Column& c) { return c.quantity.kind == Quantity::Kind::iqm; });
  ASSERT_NE(iqm, summary.columns.end());
  std::vector<double> scores;  // MEDS: three seeds, two sets
  std::vector<std::vector<double>> meds, dapo;
  for (const std::string& set : results.record.sets) {
    meds.push_back(seed_means(seed_table(results.rows[2], set, Quantity::pass(1))));
    dapo.push_back(seed_means(seed_table(results.rows[1], set, Quantity::pass(1))));
    scores.insert(scores.end(), meds.back().begin(), meds.back().end());
  }
  std::sort(scores.begin(), scores.end());
  const MeanInterval& mean = summary.rows[2].entries[static_cast<size_t>(iqm - summary.columns.begin())].mean;
  EXPECT_NEAR(mean.value, (scores[1] + scores[2] + scores[3] + scores[4]) / 4, 1e-12);  // floor(6 / 4) cut from either end
  EXPECT_LE(mean.low, mean.value);
  EXPECT_GE(mean.high, mean.value);
  double wins = 0;
  for (size_t set = 0; set < meds.size(); ++set) {
    for (const double x : meds[set]) {
      for (const double y : dapo[set]) wins += x > y ? 1 : x == y ? 0.5 : 0;
    }
  }
  const TableEntry& average = summary.rows[2].entries[4];
  ASSERT_EQ(summary.columns[4].set, kAverage);
  ASSERT_TRUE(average.comparison.has_value());
  EXPECT_NEAR(average.comparison->improvement, wins / 18, 1e-12);
}

TEST(CountOutcomes, RefusesTwoOutcomesOfOneSample) {
  EXPECT_THROW(count_outcomes({"recipe", {outcome(1, true, "4"), outcome(1, false, "5")}}, {}), Error);
}

TEST(Summary, MarksNothingAndSaysWhyWithOneSeed) {
  TestExperiment experiment;
  experiment.rows = {{"DAPO", "", {1}, 0.0}, {"MEDS", "DAPO", {1}, 0.6}};
  const Summary summary = summarise(read_results(write_test_experiment(fresh_folder("one_seed"), experiment)));
  for (const SummaryRow& row : summary.rows) {
    for (const TableEntry& entry : row.entries) {
      EXPECT_FALSE(entry.best);
      EXPECT_TRUE(!entry.comparison || entry.comparison->mark() == 0);
    }
  }
  EXPECT_THAT(summary.footer, Contains(HasSubstr("No mark and no bold: with one training seed")));
}

TEST(Summary, MarksALargeDifferenceAndCountsTheFamily) {
  TestExperiment experiment;
  experiment.rows = {{"DAPO", "", {1, 2, 3}, 0.0}, {"MEDS", "DAPO", {1, 2, 3}, 0.3}};
  experiment.problems = 30;
  experiment.n = 32;
  const Summary summary = summarise(read_results(write_test_experiment(fresh_folder("marks"), experiment)));
  const TableEntry& entry = summary.rows[1].entries[0];
  ASSERT_TRUE(entry.comparison.has_value());
  EXPECT_EQ(entry.comparison->mark(), 1);
  EXPECT_GT(entry.comparison->verdict->low, 0);
  EXPECT_TRUE(entry.best);
  EXPECT_EQ(summary.leads, 6);
  EXPECT_THAT(summary.footer, Contains(HasSubstr("adjusted by Holm for the 6 such leads")));
  EXPECT_EQ(summary.comparisons, 8);  // two sets and the average at two k, two diversity columns
}

TEST(Summary, MarksOnlyTheComparisonsFixedBeforehandWhereThereAreSome) {
  TestExperiment experiment;
  experiment.rows = {{"DAPO", "", {1, 2, 3}, 0.0}, {"MEDS", "DAPO", {1, 2, 3}, 0.3}};
  experiment.problems = 30;
  experiment.n = 32;
  const std::string folder = write_test_experiment(fresh_folder("primary"), experiment);
  ExperimentRecord record = read_experiment_record(folder);
  record.primary = {"average pass@1"};
  write_experiment_record(folder, record);
  const Summary summary = summarise(read_results(folder));
  EXPECT_EQ(summary.comparisons, 1);
  for (size_t c = 0; c < summary.columns.size(); ++c) {
    const std::optional<Comparison>& comparison = summary.rows[1].entries[c].comparison;
    if (!comparison) continue;
    const bool primary = summary.columns[c].set == kAverage && summary.columns[c].quantity == Quantity::pass(1);
    EXPECT_EQ(summary.rows[1].entries[c].best, primary) << summary.columns[c].set;
    EXPECT_EQ(comparison->mark(), primary ? 1 : 0) << summary.columns[c].set << " " << summary.columns[c].quantity.name();
    EXPECT_EQ(comparison->verdict.has_value(), primary) << "Holm's numbers are of the family alone";
  }
  EXPECT_THAT(summary.footer, Contains(HasSubstr("the 1 comparisons fixed beforehand (average pass@1)")));
}

TEST(Summary, ShowsTheNumberOfSeedsOfEachRowInEveryFormat) {
  const std::string folder = write_test_experiment(fresh_folder("failed"), {});
  std::filesystem::remove(folder + "/../runs/MEDS-2/outcomes.jsonl.zst");
  const ExperimentResults results = read_results(folder);
  EXPECT_EQ(results.warnings.size(), 1u);
  const Summary summary = summarise(results);
  const std::string markdown = markdown_table(summary), latex = latex_table(summary), terminal = terminal_table(summary);
  EXPECT_THAT(markdown, HasSubstr("| method | seeds |"));
  for (const char* row : {"| Base | 1 |", "| DAPO | 3 |", "| MEDS | 2/3 |"}) EXPECT_THAT(markdown, HasSubstr(row));
  for (const char* row : {"method & seeds &", "DAPO & 3 &", "MEDS & 2/3 &"}) EXPECT_THAT(latex, HasSubstr(row));
  for (const char* row : {"\nmethod  seeds  ", "\nDAPO        3  ", "\nMEDS      2/3  "}) EXPECT_THAT(terminal, HasSubstr(row));
  const std::string page = html_page(results, summary, {});
  EXPECT_THAT(page, HasSubstr("<th scope=\"col\">method</th><th scope=\"col\">seeds</th>"));
  for (const char* row : {"<td>DAPO</td><td>3</td>", "<td>MEDS</td><td>2/3</td>"}) EXPECT_THAT(page, HasSubstr(row));
}

TEST(TableText, GivesEveryLineOfTheCsvAllFieldsOfItsHeader) {
  const auto records = read_csv(csv_table(summarise(read_results(write_test_experiment(fresh_folder("csv"), {})))));
  for (const auto& record : records) EXPECT_EQ(record.size(), records.front().size()) << record[1] << " " << record[4];
}

TEST(Verify, AcceptsWhatTableWroteAndNamesAChangedNumber) {
  const std::string folder = write_test_experiment(fresh_folder("verify"), {});
  write_report(folder, {"", false, false});
  EXPECT_THAT(verify_folder(folder).differences, IsEmpty());
  auto records = read_csv(read_file(folder + "/table.csv"));
  std::string changed = read_file(folder + "/table.csv");
  const std::string value = records[1][5];
  changed.replace(changed.find(value), value.size(), "0.123");
  write_file_atomically(folder + "/table.csv", changed);
  EXPECT_THAT(verify_folder(folder).differences, Contains(HasSubstr("value: stored 0.123, derived " + value)));
}

TEST(Verify, UsesTheCountsWhereOutcomeFilesAreGone) {
  const std::string folder = write_test_experiment(fresh_folder("counts"), {});
  write_report(folder, {"", false, false});
  std::filesystem::remove_all(folder + "/../runs");
  const Verification result = verify_folder(folder);
  EXPECT_THAT(result.differences, IsEmpty());
  EXPECT_GT(result.numbers, 0);
  EXPECT_EQ(result.notes.size(), 1u);
}

TEST(WriteReport, RefusesToOverwriteTablesWhoseOutcomesAreNotHere) {
  const std::string folder = write_test_experiment(fresh_folder("refused"), {});
  write_report(folder, {"", false, false});
  const auto texts = [&] {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      files[entry.path().filename().string()] = read_file(entry.path().string());
    }
    return files;
  };
  const auto before = texts();
  const std::string runs = std::filesystem::path(folder + "/../runs").lexically_normal().string();
  std::filesystem::remove_all(runs + "/MEDS-2");
  EXPECT_EQ(error_of([&] {
              write_report(folder, {"", false, false});
            }),
            runs +
                "/MEDS-2/outcomes.jsonl.zst: expected the stored outcomes of MEDS, seed 2, found none: nothing is written; "
                "`medsbench verify " +
                folder + "` derives pass@k from counts.csv");
  std::filesystem::remove_all(runs);
  EXPECT_THAT(
      error_of([&] {
        write_report(folder, {folder + "/other", true, true});
      }),
      HasSubstr(
          "/Base-0/outcomes.jsonl.zst: expected the stored outcomes of Base, seed 0, found none (nor those of 6 others)"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/other"));
  EXPECT_EQ(texts(), before);
}

TEST(WriteReport, LeavesOutASeedThatTheRecordCallsFailed) {
  const std::string folder = write_test_experiment(fresh_folder("failed"), {});
  ExperimentRecord record = read_experiment_record(folder);
  record.rows[2].records[1].failed = "not trained";
  write_experiment_record(folder, record);
  std::filesystem::remove_all(folder + "/../runs/MEDS-2");
  EXPECT_EQ(write_report(folder, {"", false, false}).summary.rows[2].seeds_done, 2);
}

TEST(ExperimentRecord, ReadsBackWhatItWroteAndRefusesANewerVersion) {
  const std::string folder = write_test_experiment(fresh_folder("manifest"), {});
  const ExperimentRecord record = read_experiment_record(folder);
  EXPECT_EQ(to_json(record).dump(), to_json(experiment_record_from_json(parse_json(to_json(record).dump()))).dump());
  Json newer = parse_json(to_json(record).dump());
  newer["version"] = kExperimentRecordVersion + 1;
  EXPECT_THROW(experiment_record_from_json(newer), Error);
}

TEST(TableText, EscapesWhatMeansSomethingToLatexAndMarkdown) {
  EXPECT_EQ(latex_escape("50%_a&b#c$d{e}~^\\"),
            "50\\%\\_a\\&b\\#c\\$d\\{e\\}\\textasciitilde{}\\textasciicircum{}\\textbackslash{}");
  EXPECT_EQ(markdown_escape("a|b<c>\n"), "a\\|b\\<c\\> ");
}

// Tags balance, attributes are quoted, nothing is loaded from elsewhere.
void check_html(const std::string& html) {
  static const std::regex kTag(R"re(<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z:-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))*)\s*(/?)>)re");
  std::vector<std::string> open;
  std::string without_style = std::regex_replace(html, std::regex("<!doctype html>"), "");
  const size_t style = without_style.find("<style>"), end = without_style.find("</style>");
  without_style.erase(style + 7, end - style - 7);
  std::string rest;
  size_t last = 0;
  for (std::sregex_iterator tag(without_style.begin(), without_style.end(), kTag), none; tag != none; ++tag) {
    rest += without_style.substr(last, static_cast<size_t>(tag->position()) - last);
    last = static_cast<size_t>(tag->position() + tag->length());
    const std::string name = (*tag)[2];
    if (name == "meta" || (*tag)[4] == "/") continue;
    if ((*tag)[1] == "/") {
      ASSERT_FALSE(open.empty()) << name;
      ASSERT_EQ(open.back(), name);
      open.pop_back();
    } else {
      open.push_back(name);
    }
  }
  EXPECT_THAT(open, IsEmpty());
  EXPECT_EQ(rest.find('<'), std::string::npos) << rest.substr(rest.find('<'), 80);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_FALSE(std::regex_search(html, std::regex(R"re((src|href)=["']https?:)re")));
}

TEST(HtmlPage, ShowsAHostileResponseAsText) {
  TestExperiment experiment;
  experiment.hostile = "</script><img src=x onerror=alert(1)>\xff\x01 \"'&</pre>";
  const std::string folder = write_test_experiment(fresh_folder("hostile"), experiment);
  const ExperimentResults results = read_results(folder, kReadProblems);
  const std::string page = html_page(results, summarise(results), draw_figures(results));
  check_html(page);
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, HasSubstr("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"));
}

TEST(Figures, AreDeterministicAndNameNoProgram) {
  if (find_program("gnuplot").empty()) GTEST_SKIP() << "gnuplot is not installed";
  const ExperimentResults results = read_results(write_test_experiment(fresh_folder("figures"), {}));
  const Figures first = draw_figures(results), second = draw_figures(results);
  ASSERT_FALSE(first.figures.empty());
  EXPECT_THAT(first.warnings, IsEmpty());
  for (size_t i = 0; i < first.figures.size(); ++i) {
    EXPECT_EQ(first.figures[i].svg, second.figures[i].svg);
    EXPECT_THAT(first.figures[i].svg, Not(HasSubstr("GNUPLOT")));
  }
}

TEST(Figures, GiveGnuplotNamesItTakes) {
  Chart chart;
  chart.name = "training_smollm2-words_reward";  // the base model's name is the user's
  EXPECT_THAT(gnuplot_script(chart), HasSubstr("name 'training_smollm2_words_reward'"));
}

TEST(LatexTable, Compiles) {
  if (find_program("pdflatex").empty()) GTEST_SKIP() << "pdflatex is not installed";
  const std::string folder = fresh_folder("latex");
  const ExperimentResults results = read_results(write_test_experiment(folder, {}));
  write_file_atomically(folder + "/t.tex", "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n" +
                                               latex_table(summarise(results)) + "\\end{document}\n");
  EXPECT_EQ(run_process({"pdflatex", "-interaction=nonstopmode", "-output-directory", folder, folder + "/t.tex"}).status, 0);
}

}  // namespace
}  // namespace harness
