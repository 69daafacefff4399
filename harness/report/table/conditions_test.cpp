// Conditions of an experiment over stored outcomes, and what is withheld where one does not hold.
#include "harness/report/table/conditions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/csv.h"
#include "harness/core/testing.h"
#include "harness/report/page/page.h"
#include "harness/report/report_folder.h"
#include "harness/report/results_json.h"
#include "harness/report/table/table_text.h"
#include "harness/report/testing.h"
#include "harness/report/verify.h"

namespace harness {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Is = Condition::Is;
using State = ConditionFinding::State;

const Condition kCollapse{"collapse", "DAPO", "Base", "average pass@1", Is::worse, 0.05};
const Condition kControl{"control", "PKPO", "DAPO", "average pass@1", Is::better, 0};
const Condition kZero{"alpha 0", "Zero", "DAPO", "", Is::equal_bytes, 0};

// DAPO falls below the base, PKPO does not, Zero is DAPO to the byte; verdicts on MEDS are guarded.
std::string guarded_experiment(const std::string& name, const std::vector<Condition>& conditions,
                               const std::vector<std::string>& guarded = {"MEDS"}) {
  TestExperiment experiment;
  experiment.rows = {{"Base", "", {0}, 0.3},
                     {"DAPO", "", {1, 2, 3}, 0.0},
                     {"PKPO", "DAPO", {1, 2, 3}, 0.3},
                     {"Zero", "DAPO", {1, 2, 3}, 0.0},
                     {"MEDS", "DAPO", {1, 2, 3}, 0.28}};
  experiment.problems = 30;
  experiment.n = 32;
  const std::string folder = write_test_experiment(fresh_folder(name), experiment);
  ExperimentRecord record = read_experiment_record(folder);
  for (size_t seed = 0; seed < 3; ++seed) record.rows[3].records[seed].outcomes = record.rows[1].records[seed].outcomes;
  record.primary = {"average pass@1"};
  record.rule.margin = 0.01;
  record.conditions = conditions;
  record.guarded = guarded;
  write_experiment_record(folder, record);
  return folder;
}

std::vector<State> states(const Summary& summary) {
  std::vector<State> found;
  for (const ConditionFinding& finding : summary.conditions) found.push_back(finding.state);
  return found;
}

const Comparison& comparison_of(const Summary& summary, const std::string& name) {
  for (const SummaryRow& row : summary.rows) {
    for (size_t c = 0; c < row.entries.size() && row.name == name; ++c) {
      if (row.entries[c].comparison && row.entries[c].comparison->verdict) return *row.entries[c].comparison;
    }
  }
  throw Error("no verdict on {}", name);
}

TEST(Conditions, LetVerdictsBePrintedWhereAllHold) {
  const std::string folder = guarded_experiment("conditions", {kCollapse, kControl, kZero});
  const ExperimentResults results = read_results(folder);
  const Summary summary = summarise(results);
  EXPECT_EQ(states(summary), (std::vector{State::holds, State::holds, State::holds}));
  EXPECT_EQ(comparison_of(summary, "MEDS").withheld, "");
  EXPECT_EQ(comparison_of(summary, "MEDS").mark(), 1);
  const ConditionFinding& collapse = summary.conditions.front();
  EXPECT_EQ(collapse.seeds, 3);  // an untrained row stands against every seed
  EXPECT_LT(collapse.alone.high, 0);
  EXPECT_NEAR(collapse.alone.difference.value, summary.rows[1].entries[4].mean.value - summary.rows[0].entries[4].mean.value,
              1e-12);  // average pass@1
  EXPECT_EQ(summary.conditions[2].counts, 2 * 30 * 3);
  EXPECT_EQ(summary.conditions[2].differing, 0);
  EXPECT_EQ(summary.comparisons, 3) << "conditions are not of Holm's family";
  EXPECT_THAT(markdown_table(summary),
              AllOf(HasSubstr("without which no verdict on MEDS is printed"),
                    HasSubstr("| collapse: DAPO against Base | average pass@1 | holds | -"), HasSubstr("| 3 | worse by 5 |"),
                    HasSubstr("| counts of every problem | holds | 0 of 180 differ | - | 3 |")));
  EXPECT_THAT(latex_table(summary), HasSubstr("collapse: DAPO against Base & average pass@1 & holds & -"));
  EXPECT_THAT(terminal_table(summary), HasSubstr("worse by 5"));
  EXPECT_EQ(results_json(results, summary)["conditions"].size(), 3u);
  EXPECT_EQ(results_json(results, summary)["conditions"][0]["finding"], "holds");
}

TEST(Conditions, FailAndThenNoVerdictOnAGuardedRowIsSaidInAnyFormat) {
  const Condition large{"large", "DAPO", "Base", "average pass@1", Is::worse, 0.9};
  Condition bytes = kZero;
  bytes.row = "PKPO";
  const Condition equivalent{"equal", "PKPO", "DAPO", "average pass@1", Is::equivalent, 0};
  const std::string folder = guarded_experiment("conditions_fail", {kCollapse, large, bytes, equivalent});
  write_report(folder, {"", true, true});
  const ExperimentResults results = read_results(folder);
  const Summary summary = summarise(results);
  EXPECT_EQ(states(summary), (std::vector{State::holds, State::fails, State::fails, State::fails}));
  EXPECT_GT(summary.conditions[2].differing, 0);
  const std::string why = "withheld: large does not hold, alpha 0 does not hold, equal does not hold";
  EXPECT_EQ(comparison_of(summary, "MEDS").withheld, why);
  EXPECT_EQ(comparison_of(summary, "MEDS").mark(), 0);
  EXPECT_EQ(comparison_of(summary, "PKPO").withheld, "") << "not guarded";
  EXPECT_EQ(comparison_of(summary, "PKPO").mark(), 1);
  for (const TableEntry& entry : summary.rows[4].entries) EXPECT_FALSE(entry.best);
  EXPECT_THAT(read_file(folder + "/table.md"), HasSubstr("| MEDS against DAPO | average pass@1 | " + why + " | +"));
  EXPECT_THAT(read_file(folder + "/table.tex"), HasSubstr("MEDS against DAPO & average pass@1 & " + why));
  EXPECT_THAT(read_file(folder + "/report.html"), AllOf(HasSubstr(why), HasSubstr("does not hold")));
  EXPECT_THAT(read_file(folder + "/verdicts.csv"), HasSubstr("\"" + why + "\""));
  EXPECT_THAT(read_file(folder + "/verdicts.csv"), HasSubstr("PKPO,,average,pass@1,DAPO,better,"));
  EXPECT_EQ(results_json(results, summary)["rows"][4]["medsbench"]["columns"][4]["comparison"]["verdict"]["decision"], why);
}

TEST(Conditions, GuardAComparisonFromEitherSide) {
  const Condition large{"large", "DAPO", "Base", "average pass@1", Is::worse, 0.9};
  const Summary summary = summarise(read_results(guarded_experiment("conditions_side", {large}, {"DAPO"})));
  EXPECT_EQ(comparison_of(summary, "MEDS").withheld, "withheld: large does not hold");
}

TEST(Conditions, WaitForSeedsThatAreMissing) {
  const std::string folder = guarded_experiment("conditions_wait", {kCollapse, kZero});
  ExperimentRecord record = read_experiment_record(folder);
  record.rows[1].records[2].failed = "not trained";
  write_experiment_record(folder, record);
  const Summary summary = summarise(read_results(folder));
  EXPECT_EQ(states(summary), (std::vector{State::not_yet, State::not_yet}));
  EXPECT_EQ(comparison_of(summary, "MEDS").withheld, "withheld: collapse cannot be judged yet, alpha 0 cannot be judged yet");
  EXPECT_THAT(markdown_table(summary), HasSubstr("| not yet | "));
  EXPECT_THAT(markdown_table(summary), HasSubstr("| 2/3 | worse by 5 |"));
}

TEST(Conditions, ApplyOnlyOnBaseModelsThatHaveBothRows) {
  const Condition large{"large", "DAPO", "Base", "average pass@1", Is::worse, 0.9};
  const std::string folder = guarded_experiment("conditions_bases", {large});
  ExperimentRecord record = read_experiment_record(folder);
  for (const size_t row : {size_t{1}, size_t{4}}) {
    RowRecord other = record.rows[row];
    other.base_model = "nano-llama";
    record.rows.push_back(other);
  }
  write_experiment_record(folder, record);
  const Summary summary = summarise(read_results(folder));
  ASSERT_EQ(summary.conditions.size(), 1u);
  EXPECT_EQ(summary.rows.back().base_model, "nano-llama");
  EXPECT_EQ(summary.rows.back().entries[4].comparison->withheld, "");
  EXPECT_EQ(summary.rows[4].entries[4].comparison->withheld, "withheld: large does not hold");
  record.conditions.front().against = "base";
  write_experiment_record(folder, record);
  EXPECT_THAT(error_of([&] { read_experiment_record(folder); }),
              HasSubstr("experiment.json: condition large: expected rows DAPO and base on one base model, found none"));
}

TEST(Conditions, AreDerivedAgainAndATamperedFileIsFound) {
  const std::string folder = guarded_experiment("conditions_verify", {kCollapse, kZero});
  write_report(folder, {"", false, false});
  EXPECT_THAT(verify_folder(folder).differences, IsEmpty());
  std::string text = read_file(folder + "/conditions.csv");
  text.replace(text.find(",holds\n"), 7, ",does not hold\n");
  write_file_atomically(folder + "/conditions.csv", text);
  EXPECT_THAT(
      verify_folder(folder).differences,
      Contains("conditions.csv: nano-qwen3, collapse, DAPO, Base, average pass@1, finding: stored does not hold, derived "
               "holds"));
  EXPECT_EQ(to_json(read_experiment_record(folder)).dump(),
            to_json(experiment_record_from_json(parse_json(to_json(read_experiment_record(folder)).dump()))).dump());
}

TEST(Conditions, ChangeNoByteOfATableThatHasNone) {
  const Summary summary = summarise(read_results(guarded_experiment("conditions_none", {}, {})));
  EXPECT_THAT(markdown_table(summary), Not(HasSubstr("Conditions")));
  for (const NamedText& file : table_files(read_results(guarded_experiment("conditions_none", {}, {})), summary)) {
    EXPECT_NE(file.name, "conditions.csv");
    EXPECT_THAT(file.text, Not(HasSubstr("conditions"))) << file.name;
  }
}

}  // namespace
}  // namespace harness
