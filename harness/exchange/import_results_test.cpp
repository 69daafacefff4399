#include "harness/exchange/import_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "harness/core/files.h"
#include "harness/core/testing.h"
#include "harness/data/problem_file.h"
#include "harness/exchange/foreign_outcomes.h"
#include "harness/report/report_folder.h"
#include "harness/report/table/table_text.h"
#include "harness/report/verify.h"

namespace harness {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kGoldens = MEDSBENCH_TEST_DATA;
const std::string kDate = "_2026-01-02T03-04-05.678901";

ForeignOutcomes read_with(const std::string& path, const VerdictChoice& choice = {}) {
  return read_foreign_outcomes(path, [&](const std::string&) { return choice; });
}

int64_t right_of(const ForeignOutcomes& outcomes) {
  const auto& all = outcomes.file.outcomes;
  return std::count_if(all.begin(), all.end(), [](const Outcome& one) { return one.correct(kGiven); });
}

// The numbers are those that the programs printed when they wrote the files (outcome_files.origin.toml).
TEST(LmEvalSamples, GiveTheCountsThatTheProgramAggregated) {
  const std::string sums = kGoldens + "/lm_eval_1/samples_sums" + kDate + ".jsonl";
  const ForeignOutcomes strict = read_with(sums, {"", "strict-match", ""});
  EXPECT_EQ(strict.program, "lm-evaluation-harness");
  EXPECT_EQ(strict.judged_by, "exact_match (strict-match)");
  EXPECT_EQ(strict.temperature, 0.6);
  EXPECT_EQ(strict.file.outcomes.size(), 6u);
  EXPECT_EQ(right_of(strict), 2);  // exact_match,strict-match 0.3333
  EXPECT_EQ(right_of(read_with(sums, {"", "flexible-extract", ""})), 3);
  EXPECT_TRUE(strict.file.sets_without_answers.empty());
  EXPECT_EQ(strict.file.outcomes[0].extracted, std::nullopt);  // [invalid]
  EXPECT_EQ(strict.file.outcomes[1].extracted, "47");
  EXPECT_EQ(strict.file.outcomes[1].text, "8 and 36 make 47.\n#### 47");
  EXPECT_EQ(strict.problems.at("sums").problems[1].text, "What is 8 + 36?");
  EXPECT_EQ(strict.problems.at("sums").problems[1].answer, "44");
  const ForeignOutcomes pairs = read_with(kGoldens + "/lm_eval_2/samples_pairs" + kDate + ".jsonl", {"acc_norm", "", ""});
  EXPECT_EQ(right_of(pairs), 3);  // acc_norm,none 0.5
  EXPECT_THAT(pairs.file.sets_without_answers, ElementsAre("pairs"));
}

TEST(LmEvalSamples, OfSeveralRepeatsAreGradedByOurGraderAndRefusedWithout) {
  const std::string path = kGoldens + "/lm_eval_1/samples_sums_repeated" + kDate + ".jsonl";
  EXPECT_THAT(error_of([&] { read_with(path); }),
              HasSubstr("jsonl: line 1: \"exact_match\": expected a verdict for each of 4 responses, found 1"));
  const ForeignOutcomes graded = read_with(path, {"", "", "last_number"});
  EXPECT_EQ(graded.judged_by, "last_number");
  ASSERT_EQ(graded.file.outcomes.size(), 24u);
  EXPECT_EQ(graded.file.outcomes[23].sample, 3);
  for (const Outcome& outcome : graded.file.outcomes) {
    const std::string& right = graded.problems.at("sums_repeated").problems[std::stoul(outcome.problem)].answer;
    EXPECT_EQ(outcome.correct(kGiven), outcome.text.ends_with(" " + right) || outcome.text.ends_with(" " + right + "."));
  }
}

TEST(LmEvalSamples, NameWhatIsLeftOpen) {
  const std::string sums = kGoldens + "/lm_eval_1/samples_sums" + kDate + ".jsonl";
  EXPECT_THAT(
      error_of([&] { read_with(sums); }),
      HasSubstr("expected one filter, found flexible-extract, strict-match: name the one that counts (verdict.filter)"));
  EXPECT_THAT(error_of([&] { read_with(sums, {"", "none", ""}); }), HasSubstr("expected the filter none, found flexible"));
  const std::string pairs = kGoldens + "/lm_eval_1/samples_pairs" + kDate + ".jsonl";
  EXPECT_THAT(error_of([&] { read_with(pairs); }), HasSubstr("line 1: expected one metric, found acc, acc_norm: name"));
  EXPECT_THAT(error_of([&] {
                read_with(pairs, {"f1", "", ""});
              }),
              HasSubstr("line 1: expected the metric \"f1\", found acc, "));
}

#ifdef MEDSBENCH_ARROW
TEST(LightevalDetails, GiveTheVerdictsThatTheProgramStored) {
  const ForeignOutcomes sums = read_with(kGoldens + "/details_sums|0" + kDate + ".parquet");
  EXPECT_EQ(sums.program, "lighteval");
  EXPECT_EQ(sums.judged_by, "em");
  EXPECT_EQ(sums.file.outcomes[0].set, "sums|0");
  std::vector<bool> right;
  for (const Outcome& outcome : sums.file.outcomes) right.push_back(outcome.correct(kGiven));
  EXPECT_THAT(right, ElementsAre(false, true, true, false, false, false));
  EXPECT_THAT(sums.file.sets_without_answers, ElementsAre("sums|0"));
  const std::string repeated = kGoldens + "/details_sums_repeated|0" + kDate + ".parquet";
  EXPECT_THAT(error_of([&] { read_with(repeated); }), HasSubstr("row 1: \"em\": expected a verdict for each of 4 responses"));
  const ForeignOutcomes graded = read_with(repeated, {"", "", "last_number"});
  EXPECT_EQ(graded.file.outcomes.size(), 24u);
  // em is 1 where any of the four is right.
  for (size_t problem = 0; problem < 6; ++problem) {
    int64_t count = 0;
    for (size_t sample = 0; sample < 4; ++sample) count += graded.file.outcomes[4 * problem + sample].correct(kGiven) ? 1 : 0;
    EXPECT_EQ(count > 0, problem < 5) << problem;
  }
}
#endif

TEST(PlainLines, NameTheLineOfWhatIsWrong) {
  const ScratchFolder folder;
  const auto refusal = [&](const std::string& text) { return error_of([&] { read_with(folder.write("plain.jsonl", text)); }); };
  EXPECT_THAT(refusal("{\"problem\": 1, \"correct\": 2}\n"), HasSubstr("plain.jsonl: line 1: \"correct\": expected"));
  EXPECT_THAT(refusal("{\"problem\": 1, \"correct\": true, \"seed\": 1}\n{\"problem\": 2, \"correct\": true}\n"),
              HasSubstr("line 2: expected \"seed\" in every line or in none, found none"));
  EXPECT_THAT(refusal("{\"question\": 1}\n"), HasSubstr("plain.jsonl: expected \"doc_id\" and \"resps\""));
  EXPECT_THAT(refusal("{\"problem\": 1, \"correct\": true}\n{\n"), HasSubstr("plain.jsonl: line 2: expected JSON"));
  EXPECT_THAT(refusal(""), HasSubstr("plain.jsonl: expected outcomes, found none"));
}

TEST(SetOfFile, IsTheTaskOfTheNamesThatTheProgramsGive) {
  EXPECT_EQ(set_of_file("a/samples_gsm8k_cot_2026-01-02T03-04-05.678901.jsonl"), "gsm8k_cot");
  EXPECT_EQ(set_of_file("details_lighteval|math_500|0_2026-01-02T03-04-05.678901.parquet"), "lighteval|math_500|0");
  EXPECT_EQ(set_of_file("b/amc.jsonl.zst"), "amc");
}

// Six seeds of two rows and an untrained one, four samples a problem, as a training elsewhere would leave them.
std::string write_plain_rows(const ScratchFolder& folder, const std::string& extra = "") {
  for (const auto& [row, gain] : {std::pair("grpo", 0), std::pair("meds", 3)}) {
    std::string text;
    for (int seed = 1; seed <= 3; ++seed) {
      for (int problem = 0; problem < 5; ++problem) {
        for (int sample = 0; sample < 4; ++sample) {
          const bool right = (seed * 7 + problem * 3 + sample * 5) % 8 < 2 + gain + problem % 2;
          text += fmt::format("{{\"problem\": \"p{}\", \"seed\": {}, \"sample\": {}, \"correct\": {}}}\n", problem, seed,
                              sample, right);
        }
      }
    }
    folder.write(std::string(row) + ".jsonl", text);
  }
  std::string base;
  for (int problem = 0; problem < 5; ++problem) {
    for (int sample = 0; sample < 4; ++sample) {
      base += fmt::format("{{\"problem\": \"p{}\", \"sample\": {}, \"correct\": {}}}\n", problem, sample,
                          (problem + sample) % 4 == 0);
    }
  }
  folder.write("base.jsonl", base);
  return folder.write("rows.toml",
                      "title = \"Trained elsewhere\"\nsets = [\"plain\"]\n" + extra +
                          "[[rows]]\nname = \"Base\"\nbase_model = \"M\"\nuntrained = true\nfiles = \"base.jsonl\"\n"
                          "[[rows]]\nname = \"GRPO\"\nbase_model = \"M\"\ncompare_to = \"Base\"\nfiles = \"grpo.jsonl\"\n"
                          "[[rows]]\nname = \"MEDS\"\nbase_model = \"M\"\ncompare_to = \"GRPO\"\nfiles = \"meds.jsonl\"\n");
}

TEST(ImportResults, MakesAFolderOfWhichTablesAndVerifyKnowNoDifference) {
  const ScratchFolder folder;
  const Imported done = import_results(write_plain_rows(folder), folder.path("out"));
  EXPECT_EQ(done.rows, 3);
  EXPECT_EQ(done.files, 3);
  EXPECT_EQ(done.responses, 20 + 60 + 60);
  const ReportDone report = write_report(folder.path("out"), {"", false, false});
  EXPECT_EQ(report.warnings, std::vector<std::string>());
  const Verification again = verify_folder(folder.path("out"));
  EXPECT_EQ(again.differences, std::vector<std::string>());
  EXPECT_GT(again.numbers, 30);
  const std::string table = markdown_table(report.summary);
  EXPECT_THAT(table, HasSubstr("n = 4 samples a problem at an unknown temperature, evaluation seeds unknown;"));
  EXPECT_THAT(table, HasSubstr("Training seeds: 1, 2, 3;"));
  EXPECT_THAT(table, HasSubstr("Commit unknown, config unknown, device unknown;"));
  EXPECT_THAT(table, HasSubstr("Graded by given."));
  EXPECT_THAT(table, HasSubstr("read from files of JSON lines"));
  // Known: 1 in 4 of the base model's, by the pattern above.
  const SummaryRow& base = report.summary.rows.front();
  EXPECT_DOUBLE_EQ(base.entries.front().mean.value, 0.25);
  ASSERT_TRUE(report.summary.rows[2].entries.front().comparison);
  EXPECT_EQ(report.summary.rows[2].entries.front().comparison->difference.seeds, 3);
  // Not known: answers, what the trainings spent.
  for (size_t c = 0; c < base.entries.size(); ++c) {
    const ColumnKind kind = report.summary.columns[c].kind();
    const std::string name = report.summary.columns[c].quantity.name();
    const bool known =
        kind == ColumnKind::pass || kind == ColumnKind::aggregate || kind == ColumnKind::luck || name == "undecided";
    for (const SummaryRow& row : report.summary.rows) EXPECT_EQ(std::isnan(row.entries[c].mean.value), !known) << name;
  }
}

TEST(ImportResults, ReadsFoldersOfLmEvalAndKeepsTheirQuestions) {
  const ScratchFolder folder;
  const std::string rows = fmt::format(
      "sets = [\"pairs\", \"sums\"]\nverdict.filter = \"strict-match\"\nverdict.pairs.metric = \"acc\"\n"
      "verdict.pairs.filter = \"none\"\n[[rows]]\nname = \"GRPO\"\nbase_model = \"M\"\nfiles.1 = \"{0}/lm_eval_1\"\nfiles.2 = "
      "\"{0}/lm_eval_2\"\n",
      kGoldens);
  const Imported done = import_results(folder.write("rows.toml", rows), folder.path("out"));
  EXPECT_EQ(done.files, 4);
  EXPECT_THAT(done.sets, ElementsAre("pairs", "sums"));
  const ExperimentResults results = read_results(folder.path("out"));
  const Summary summary = summarise(results);
  EXPECT_DOUBLE_EQ(summary.rows[0].entries[0].mean.value, (4 + 1) / 12.0);  // pairs: acc 0.6667 and 0.1667
  EXPECT_DOUBLE_EQ(summary.rows[0].entries[1].mean.value, (2 + 1) / 12.0);  // sums: strict-match 0.3333 and 0.1667
  EXPECT_EQ(results.record.grader, "acc or exact_match (strict-match)");
  const auto problems = read_problems(folder.path("out/M/GRPO/seed2/problems.jsonl.zst"));
  EXPECT_EQ(problems.at({"sums", "1"}).answer, "44");
  EXPECT_THAT(error_of([&] { import_results(folder.path("rows.toml"), folder.path("out")); }),
              HasSubstr("out/experiment.json: expected a folder without results, found some"));
}

TEST(ImportResults, RefusesRowsThatCannotBeCompared) {
  const ScratchFolder folder;
  const auto refusal = [&](const std::string& rows) {
    const std::string error = error_of([&] { import_results(folder.write("rows.toml", rows), folder.path("out")); });
    EXPECT_FALSE(std::filesystem::exists(folder.path("out/experiment.json")));
    return error;
  };
  const std::string row = "[[rows]]\nname = \"A\"\nbase_model = \"M\"\n";
  folder.write("four.jsonl",
               "{\"problem\": 1, \"seed\": 1, \"correct\": true}\n{\"problem\": 1, \"seed\": 1, \"correct\": true}\n"
               "{\"problem\": 2, \"seed\": 1, \"correct\": false}\n");
  folder.write("other.jsonl", "{\"problem\": 3, \"correct\": true}\n");
  EXPECT_THAT(
      refusal("sets = [\"s\"]\n" + row + "files = \"four.jsonl\"\n"),
      HasSubstr(
          "expected the same number of samples of every problem, found 1 of row A, seed 1, s, problem 2 and 2 elsewhere"));
  EXPECT_THAT(refusal("sets = [\"s\"]\nn = 2\n" + row + "files = \"four.jsonl\"\n"),
              HasSubstr("n: expected at most the 1 samples"));
  EXPECT_THAT(refusal(row + "files = \"four.jsonl\"\n"),
              HasSubstr("four.jsonl: expected \"set\" in its lines, or sets = [NAME]"));
  EXPECT_THAT(refusal("sets = [\"s\"]\n" + row + "files = \"other.jsonl\"\n"), HasSubstr("expected files.SEED = PATH"));
  EXPECT_THAT(refusal("sets = [\"s\"]\n" + row + "files.2 = \"four.jsonl\"\n"),
              HasSubstr("four.jsonl: expected the seed 2 in every line, found 1"));
  EXPECT_THAT(refusal("sets = [\"s\"]\nn = 1\n" + row +
                      "files.1 = \"four.jsonl\"\n[[rows]]\nname = \"B\"\nbase_model = \"M\"\nfiles.1 = \"other.jsonl\"\n"),
              HasSubstr("seed 1: expected the 3 problems of s that the rows have together, found 2 (no 3)"));
  EXPECT_THAT(refusal(row + "files.one = \"four.jsonl\"\n"), HasSubstr("line 4: files.one: expected files.SEED, found one"));
  EXPECT_THAT(refusal(row), HasSubstr("row A: expected files = PATH or files.SEED = PATH, found neither"));
  EXPECT_THAT(refusal("title = \"t\"\n"), HasSubstr("rows.toml: expected [[rows]], found none"));
  EXPECT_THAT(refusal(row + "fils = \"x\"\n"), HasSubstr("fils: unknown key; the nearest is files"));
  EXPECT_THAT(refusal(row + "files.1 = \"none.jsonl\"\n"), HasSubstr("none.jsonl: expected a readable file, found none"));
  EXPECT_THAT(refusal("temperature = 1\nsets = [\"sums_repeated\"]\nverdict.grader = \"math\"\n" + row + "files.1 = \"" +
                      kGoldens + "/lm_eval_1\"\n"),
              AllOf(HasSubstr("temperature: expected 0.6 as "), HasSubstr("jsonl says, found 1")));
  for (const char* second : {"0", "2"}) {
    folder.write("gap.jsonl", fmt::format("{{\"problem\": 1, \"sample\": 0, \"correct\": true}}\n"
                                          "{{\"problem\": 1, \"sample\": {}, \"correct\": true}}\n",
                                          second));
    EXPECT_THAT(refusal("sets = [\"s\"]\n" + row + "files.1 = \"gap.jsonl\"\n"),
                AnyOf(HasSubstr("s, problem 1: expected the sample 0 once, found it twice"),
                      HasSubstr("s, problem 1: expected the samples 0 .. 1, found 0, 2")));
  }
  // One id, two questions.
  const std::string golden = read_file(kGoldens + "/lm_eval_1/samples_sums" + kDate + ".jsonl");
  std::string changed = golden;
  changed.replace(changed.find("8780685d"), 8, "00000000");
  folder.write("a/samples_sums" + kDate + ".jsonl", golden);
  folder.write("b/samples_sums" + kDate + ".jsonl", changed);
  EXPECT_THAT(refusal("verdict.filter = \"strict-match\"\n" + row + "files.1 = \"a\"\nfiles.2 = \"b\"\n"),
              AnyOf(HasSubstr("sums, 0: expected the question that"), HasSubstr("under this id, found another")));
  // Two temperatures.
  std::string cooler = golden;
  for (size_t at = 0; (at = cooler.find("\"temperature\": 0.6", at)) != std::string::npos;)
    cooler.replace(at, 18, "\"temperature\": 0.1");
  folder.write("b/samples_sums" + kDate + ".jsonl", cooler);
  EXPECT_THAT(refusal("verdict.filter = \"strict-match\"\n" + row + "files.1 = \"a\"\nfiles.2 = \"b\"\n"),
              AllOf(HasSubstr("expected the temperature 0.6 of "), HasSubstr(", found 0.1")));
  folder.write("a/later/samples_sums_2026-02-02T03-04-05.000001.jsonl", golden);
  EXPECT_THAT(refusal("verdict.filter = \"strict-match\"\n" + row + "files.1 = \"a\"\n"),
              HasSubstr("expected one file of sums, found "));
}

TEST(ImportResults, AddsFilesOfOneSeedUpToMoreSamples) {
  const ScratchFolder folder;
  const std::string rows = fmt::format(
      "verdict.filter = \"strict-match\"\n[[rows]]\nname = \"A\"\nbase_model = \"M\"\n"
      "files.1 = [\"{0}/lm_eval_1/samples_sums{1}.jsonl\", \"{0}/lm_eval_2/samples_sums{1}.jsonl\"]\n",
      kGoldens, kDate);
  import_results(folder.write("rows.toml", rows), folder.path("out"));
  const ExperimentResults results = read_results(folder.path("out"));
  EXPECT_EQ(results.record.n, 2);
  EXPECT_EQ(results.record.k, (std::vector<int64_t>{1, 2}));
  EXPECT_DOUBLE_EQ(summarise(results).rows[0].entries[0].mean.value, 3 / 12.0);
}

}  // namespace
}  // namespace harness
