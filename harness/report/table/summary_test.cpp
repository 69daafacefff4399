// The numbers of a table against independent programs, and what they must not depend on.
#include "harness/report/table/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "harness/core/error.h"
#include "harness/core/json.h"
#include "harness/core/testing.h"
#include "harness/report/report_folder.h"
#include "harness/report/table/noise.h"
#include "harness/report/testing.h"

namespace harness {
namespace {

Correctness verdict_of(char letter) {
  return letter == 'r' ? Correctness::right : letter == 'w' ? Correctness::wrong : Correctness::undecided;
}

// The made-up samples of table.jsonl by row and seed.
std::map<std::pair<std::string, int64_t>, OutcomeFile> golden_outcomes() {
  std::map<std::pair<std::string, int64_t>, OutcomeFile> files;
  std::ifstream lines(MEDSBENCH_TEST_DATA "/table.jsonl");
  for (std::string text; std::getline(lines, text);) {
    const Json line = parse_json(text);
    OutcomeFile& file = files[{line["row"], line["seed"]}];
    file.main_grader = "recipe";
    for (size_t i = 0; i < line["answers"].size(); ++i) {
      Outcome outcome;
      outcome.set = line["set"];
      outcome.problem = line["problem"];
      outcome.seed = line["seed"];
      outcome.sample = static_cast<int64_t>(i);
      if (!line["answers"][i].is_null()) outcome.extracted = outcome.normalised = line["answers"][i].get<std::string>();
      for (const char* grader : {"recipe", "limo"}) outcome.verdicts[grader] = verdict_of(line[grader].get<std::string>()[i]);
      file.outcomes.push_back(outcome);
    }
  }
  return files;
}

// The experiment of table.expected.json, as a results folder would give it.
ExperimentResults golden_results(const Json& golden) {
  ExperimentResults results;
  results.record.sets = golden["sets"].get<std::vector<std::string>>();
  results.record.k = golden["k"].get<std::vector<int64_t>>();
  results.record.g_pass = golden["g_pass"].get<std::vector<double>>();
  results.record.cover = golden["cover"].get<std::vector<double>>();
  results.record.maj = true;
  results.record.n = golden["n"];
  const auto files = golden_outcomes();
  for (const auto& [name, base] : {std::pair("Base", ""), {"A", "Base"}, {"B", "A"}}) {
    RowResults& row = results.rows.emplace_back();
    row.record.name = name;
    row.record.compare_to = base;
    for (const auto& [key, file] : files) {
      if (key.first != name) continue;
      SeedRecord record;
      record.seed = key.second;
      const std::string training = key.first + " " + std::to_string(key.second);
      if (golden["trainings"].contains(training)) {
        const Json& made = golden["trainings"][training];
        if (!made["train_pass_rate"].is_null()) record.train_pass_rate = made["train_pass_rate"];
        const Json& budget = made["budget"];
        record.budget = Budget{budget["tokens_generated"], budget["responses_generated"], budget["responses_kept"],
                               budget["updates"], budget["visits_per_problem"]};
      }
      row.record.seeds.push_back(record.seed);
      row.record.records.push_back(record);
      SeedResults& seed = row.seeds.emplace_back(recorded_results(record));
      seed.counts = count_outcomes(file, {"", results.record.n, 0});
      for (int64_t step = 1; golden["trainings"].contains(training) && step <= 8; ++step) {
        seed.curves["rollout_pass_rate"][step] = golden["trainings"][training]["steps"][static_cast<size_t>(step - 1)];
      }
    }
  }
  return results;
}

const TableEntry& entry_of(const Summary& summary, const std::string& row, const std::string& set, const std::string& metric) {
  for (const SummaryRow& line : summary.rows) {
    for (size_t c = 0; c < summary.columns.size() && line.name == row; ++c) {
      if (summary.columns[c].set == set && summary.columns[c].quantity.name() == metric) return line.entries[c];
    }
  }
  throw Error("no entry {}, {} {}", row, set, metric);
}

// Undefined where the golden file has null.
void expect_number(double ours, const Json& expected, const std::string& what) {
  if (expected.is_null()) {
    EXPECT_TRUE(std::isnan(ours)) << what << ": " << ours;
  } else {
    const double value = expected.get<double>();
    EXPECT_NEAR(ours, value, 1e-9 * std::max(1.0, std::abs(value))) << what;
  }
}

TEST(Summary, AgreesWithIndependentProgramsInEveryKindOfColumn) {
  const Json golden = parse_json(read_file(MEDSBENCH_TEST_DATA "/table.expected.json"));
  const Summary summary = summarise(golden_results(golden));
  EXPECT_EQ(summary.comparisons, golden["comparisons"].get<int64_t>());
  EXPECT_EQ(golden["entries"].size(), summary.rows.size() * summary.columns.size());
  int64_t marks = 0;
  for (const Json& one : golden["entries"]) {
    const std::string set = one["set"], metric = one["metric"], row = one["row"];
    const std::string what = row + ", " + set + " " + metric;
    const TableEntry& entry = entry_of(summary, row, set, metric);
    expect_number(entry.mean.value, one["value"], what);
    EXPECT_EQ(entry.mean.seeds, one["seeds"].get<int64_t>()) << what;
    if (one.contains("seed_deviation")) expect_number(entry.mean.seed_deviation, one["seed_deviation"], what + ", deviation");
    if (one.contains("low")) {
      expect_number(entry.mean.low, one["low"], what + ", low");
      expect_number(entry.mean.high, one["high"], what + ", high");
      EXPECT_EQ(entry.mean.problems, one["problems"].get<int64_t>()) << what;
    }
    expect_number(entry.sampling_error, one.contains("sampling_error") ? one["sampling_error"] : Json(), what + ", sampling");
    EXPECT_EQ(entry.best, one.contains("best") && one["best"].get<bool>()) << what;
    ASSERT_EQ(entry.comparison.has_value(), one.contains("comparison")) << what;
    if (!entry.comparison) continue;
    const Comparison& ours = *entry.comparison;
    const Json& theirs = one["comparison"];
    EXPECT_EQ(ours.against, theirs["against"].get<std::string>());
    expect_number(ours.difference.value, theirs["difference"], what + ", difference");
    expect_number(ours.difference.low, theirs["low"], what + ", difference low");
    expect_number(ours.difference.high, theirs["high"], what + ", difference high");
    expect_number(ours.difference.p_value, theirs["p"], what + ", p");
    expect_number(ours.verdict ? ours.verdict->p_value : kUndefined, theirs["p_holm"], what + ", p by Holm");
    expect_number(ours.verdict ? ours.verdict->low : kUndefined, theirs["adjusted_low"], what + ", adjusted low");
    expect_number(ours.verdict ? ours.verdict->high : kUndefined, theirs["adjusted_high"], what + ", adjusted high");
    expect_number(ours.improvement, theirs["improvement"], what + ", improvement");
    EXPECT_EQ(ours.mark(), theirs["mark"].get<int>()) << what;
    marks += ours.mark() != 0 ? 1 : 0;
  }
  EXPECT_GT(marks, 0);
}

TEST(Noise, AgreesWithAnIndependentProgramForValuesAndDifferences) {
  const Json golden = parse_json(read_file(MEDSBENCH_TEST_DATA "/table.expected.json"));
  const ExperimentResults results = golden_results(golden);
  const auto records = noise_records(results, summarise(results));
  size_t found = 0, paired = 0;
  for (const Json& one : golden["entries"]) {
    if (!one.contains("noise")) continue;
    for (const NoiseRecord& record : records) {
      if (record.row != one["row"] || record.column.set != one["set"] || record.column.quantity.name() != one["metric"])
        continue;
      const Json& expected = record.against.empty() ? one["noise"] : one["comparison"]["noise"];
      const std::string what = record.row + " " + record.column.set + " " + record.column.quantity.name() + record.against;
      expect_number(record.parts.seed.variance, expected["seed"], what + ", seed");
      expect_number(record.parts.problem.variance, expected["problem"], what + ", problem");
      expect_number(record.parts.interaction.variance, expected["seed_problem"], what + ", seed x problem");
      expect_number(record.parts.samples.variance, expected["sampling"], what + ", samples");
      EXPECT_EQ(std::isnan(record.best.n),
                record.parts.seeds < 2 || record.column.quantity.k > 1 || std::isnan(record.best.gain));
      if (record.against != "A") {
        EXPECT_TRUE(std::isnan(record.pairing.variance_ratio)) << "the base of A is not trained";
      }
      paired += std::isnan(record.pairing.variance_ratio) ? 0 : 1;
      ++found;
    }
  }
  EXPECT_EQ(found, records.size());
  EXPECT_EQ(found, 9U * 5) << "three rows and two comparisons in nine columns of pass@k";
  EXPECT_GE(paired, 6U);
}

TEST(PassRates, OfTrainingAreTwoQuantities) {
  using Kind = Quantity::Kind;
  RowResults row;
  SeedResults seed;
  EXPECT_FALSE(seed_value(row, seed, Kind::train_pass_rate).has_value());
  EXPECT_FALSE(seed_value(row, seed, Kind::rollout_pass_rate).has_value());
  for (int64_t step = 1; step <= 8; ++step) seed.curves["rollout_pass_rate"][step] = static_cast<double>(step * step);
  EXPECT_DOUBLE_EQ(*seed_value(row, seed, Kind::rollout_pass_rate), (16 + 25 + 36 + 49 + 64) / 5.0);
  EXPECT_FALSE(seed_value(row, seed, Kind::train_pass_rate).has_value()) << "that of the rollouts stands for no other";
  seed.train_pass_rate = 0.125;
  EXPECT_DOUBLE_EQ(*seed_value(row, seed, Kind::train_pass_rate), 0.125);
  seed.curves = {{"train_pass_rate", {{1, 0.25}, {2, 0.5}}}};  // metrics.jsonl of version 0.1.0
  EXPECT_DOUBLE_EQ(*seed_value(row, seed, Kind::rollout_pass_rate), 0.375);
  EXPECT_DOUBLE_EQ(*seed_value(row, seed, Kind::train_pass_rate), 0.125);
}

TEST(Columns, AreReadFromTheirNamesAndRefuseOthers) {
  const Column column = parse_column("nano set g_pass@8_0.5");
  EXPECT_EQ(column.set, "nano set");
  EXPECT_EQ(column.quantity, (Quantity{Quantity::Kind::g_pass, 8, 0.5}));
  for (const char* text : {"", "pass@1", " pass@1", "average", "average pass@", "average mode@3"}) {
    EXPECT_THROW(parse_column(text), Error) << text;
  }
}

TEST(Columns, ThatArePrimaryAreMarkedAndAnythingElseIsRefusedInOneLine) {
  TableSettings settings;
  settings.sets = {"prec", "mod"};
  settings.k = {1, 8};
  settings.primary = {"average pass@8", "mod pass@1"};
  std::vector<std::string> primary;
  for (const Column& column : table_columns(settings, false)) {
    if (column.primary) primary.push_back(column.set + " " + column.quantity.name());
  }
  EXPECT_EQ(primary, (std::vector<std::string>{"mod pass@1", "average pass@8"}));
  settings.primary = {"average pass@"};
  EXPECT_THAT(error_of([&] { table_columns(settings, false); }), testing::StartsWith("primary: expected one of pass@K, "));
}

// The made-up experiment with votes that subsets are drawn of: C(16, 8) > 1000.
std::string write_with_majorities(const std::string& folder) {
  TestExperiment experiment;
  experiment.n = 16;
  const std::string results = write_test_experiment(folder, experiment);
  ExperimentRecord record = read_experiment_record(results);
  record.k = {1, 8};
  record.maj = true;
  record.g_pass = {0.5};
  write_experiment_record(results, record);
  return results;
}

TEST(ReportFolder, IsTheSameBytesWhateverTheOrderInWhichOutcomesAndSeedsAreStored) {
  const std::string folder = write_with_majorities(fresh_folder("order"));
  const ExperimentResults before = read_results(folder);
  const auto first = table_files(before, summarise(before));
  ExperimentRecord record = before.record;
  for (RowRecord& row : record.rows) {
    std::reverse(row.records.begin(), row.records.end());
    for (const SeedRecord& seed : row.records) {
      OutcomeFile file = read_outcomes(folder + "/" + seed.outcomes);
      std::reverse(file.outcomes.begin(), file.outcomes.end());
      write_outcomes(folder + "/" + seed.outcomes, file);
    }
  }
  write_experiment_record(folder, record);
  const ExperimentResults after = read_results(folder);
  const auto second = table_files(after, summarise(after));
  ASSERT_EQ(first.size(), second.size());
  for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].text, second[i].text) << first[i].name;
}

}  // namespace
}  // namespace harness
