#include "harness/report/outcomes_parquet.h"

#include <gtest/gtest.h>

#include "harness/core/error.h"
#include "harness/report/testing.h"

#ifdef MEDSBENCH_ARROW
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#endif

namespace harness {
namespace {

#ifdef MEDSBENCH_ARROW

std::shared_ptr<arrow::Table> read_table(const std::string& path) {
  const auto file = arrow::io::ReadableFile::Open(path).ValueOrDie();
  const auto reader = parquet::arrow::OpenFile(file, arrow::default_memory_pool()).ValueOrDie();
  return reader->ReadTable().ValueOrDie()->CombineChunks().ValueOrDie();
}

template <typename ArrayType>
const ArrayType& column(const arrow::Table& table, const std::string& name) {
  return static_cast<const ArrayType&>(*table.GetColumnByName(name)->chunk(0));
}

TEST(OutcomesParquet, HoldsEveryFieldOfEveryStoredOutcome) {
  TestExperiment experiment;
  experiment.hostile = "quotes \" and, commas\nand \xE2\x96\xB2";
  const std::string folder = write_test_experiment(fresh_folder("parquet"), experiment);
  std::vector<Outcome> expected;
  std::vector<std::string> rows;
  for (const TestRow& row : experiment.rows) {
    for (const int64_t seed : row.seeds) {
      const std::string path = folder + "/../runs/" + row.name + "-" + std::to_string(seed) + "/outcomes.jsonl.zst";
      OutcomeFile file = read_outcomes(path);
      file.outcomes[1].ids = {5, 7, 2};
      file.outcomes[2].fingerprint = {0.5F, -1.25F};
      file.outcomes[3].verdicts.erase("math");
      write_outcomes(path, file);
      for (const Outcome& outcome : file.outcomes) {
        expected.push_back(outcome);
        rows.push_back(row.name);
      }
    }
  }
  const std::string path = folder + "/outcomes.parquet";
  EXPECT_EQ(write_outcomes_parquet(folder, path), static_cast<int64_t>(expected.size()));
  const auto table = read_table(path);
  ASSERT_EQ(table->num_rows(), static_cast<int64_t>(expected.size()));
  EXPECT_EQ(table->num_columns(), 19);
  const auto text = [&](const std::string& name, int64_t row) -> std::optional<std::string> {
    const auto& array = column<arrow::StringArray>(*table, name);
    if (array.IsNull(row)) return std::nullopt;
    return array.GetString(row);
  };
  const auto& ids = column<arrow::ListArray>(*table, "ids");
  const auto& fingerprints = column<arrow::ListArray>(*table, "fingerprint");
  for (int64_t i = 0; i < table->num_rows(); ++i) {
    const Outcome& one = expected[static_cast<size_t>(i)];
    EXPECT_EQ(text("base_model", i), "nano-qwen3");
    EXPECT_EQ(text("row", i), rows[static_cast<size_t>(i)]);
    EXPECT_EQ(column<arrow::Int64Array>(*table, "seed").Value(i), one.seed);
    EXPECT_EQ(text("set", i), one.set);
    EXPECT_EQ(text("problem", i), one.problem);
    EXPECT_EQ(text("kind", i), one.kind);
    EXPECT_EQ(column<arrow::Int64Array>(*table, "sample").Value(i), one.sample);
    EXPECT_EQ(text("verdict_recipe", i), to_string(one.verdicts.at("recipe")));
    EXPECT_EQ(text("verdict_math", i).has_value(), one.verdicts.contains("math"));
    EXPECT_EQ(text("extracted", i), one.extracted);
    EXPECT_EQ(text("normalised", i), one.normalised);
    EXPECT_EQ(text("error_label", i).value_or(""), one.error_label);
    EXPECT_EQ(text("finish", i), one.finish);
    EXPECT_EQ(column<arrow::Int64Array>(*table, "tokens").Value(i), one.tokens);
    EXPECT_EQ(column<arrow::DoubleArray>(*table, "mean_log_prob").Value(i), one.mean_log_prob);
    EXPECT_EQ(column<arrow::DoubleArray>(*table, "mean_entropy").Value(i), one.mean_entropy);
    EXPECT_EQ(text("text", i), one.text);
    EXPECT_EQ(ids.IsNull(i), one.ids.empty());
    EXPECT_EQ(ids.value_length(i), static_cast<int32_t>(one.ids.size()));
    EXPECT_EQ(fingerprints.value_length(i), static_cast<int32_t>(one.fingerprint.size()));
  }
  EXPECT_EQ(static_cast<const arrow::Int64Array&>(*ids.value_slice(1)).Value(1), 7);
  EXPECT_EQ(static_cast<const arrow::FloatArray&>(*fingerprints.value_slice(2)).Value(1), -1.25F);
}

TEST(OutcomesParquet, LeavesNothingBehindWhereAnOutcomeFileCannotBeRead) {
  const std::string folder = write_test_experiment(fresh_folder("parquet_broken"), {});
  write_file_atomically(folder + "/../runs/MEDS-2/outcomes.jsonl.zst", "no zstd");
  EXPECT_THROW(write_outcomes_parquet(folder, folder + "/outcomes.parquet"), Error);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_EQ(entry.path().filename(), "experiment.json");
  }
}

#else

TEST(OutcomesParquet, SaysThatThisBuildWritesNone) { EXPECT_THROW(write_outcomes_parquet("x", "y.parquet"), Error); }

#endif

}  // namespace
}  // namespace harness
