#include "harness/report/outcomes_parquet.h"

#ifdef MEDSBENCH_ARROW
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/writer.h>
#endif

#include <filesystem>
#include <memory>
#include <set>
#include <vector>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/data/outcome.h"
#include "harness/report/results/experiment_record.h"

namespace harness {

#ifdef MEDSBENCH_ARROW

namespace {

void check(const arrow::Status& status) {
  if (!status.ok()) throw Error("expected Arrow to write Parquet, found: {}", status.message());
}

template <typename T>
T checked(arrow::Result<T> result) {
  check(result.status());
  return std::move(result).ValueUnsafe();
}

// One outcome file of the experiment.
struct Source {
  std::string base_model, row, path;
};

std::vector<Source> sources_of(const std::string& folder) {
  std::vector<Source> sources;
  const ExperimentRecord record = read_experiment_record(folder);
  for (const RowRecord& row : record.rows) {
    for (const SeedRecord& seed : row.records) {
      if (!seed.failed.empty()) continue;
      sources.push_back(
          {row.base_model, row.name, (std::filesystem::path(folder) / seed.outcomes).lexically_normal().string()});
    }
  }
  return sources;
}

std::shared_ptr<arrow::Schema> schema_of(const std::vector<std::string>& graders) {
  arrow::FieldVector fields;
  for (const char* name : {"base_model", "row"}) fields.push_back(arrow::field(name, arrow::utf8()));
  fields.push_back(arrow::field("seed", arrow::int64()));
  for (const char* name : {"set", "problem", "kind"}) fields.push_back(arrow::field(name, arrow::utf8()));
  fields.push_back(arrow::field("sample", arrow::int64()));
  for (const std::string& grader : graders) fields.push_back(arrow::field("verdict_" + grader, arrow::utf8()));
  for (const char* name : {"extracted", "normalised", "error_label", "finish"}) {
    fields.push_back(arrow::field(name, arrow::utf8()));
  }
  fields.push_back(arrow::field("tokens", arrow::int64()));
  for (const char* name : {"mean_log_prob", "mean_entropy"}) fields.push_back(arrow::field(name, arrow::float64()));
  fields.push_back(arrow::field("text", arrow::utf8()));
  fields.push_back(arrow::field("ids", arrow::list(arrow::int64())));
  fields.push_back(arrow::field("fingerprint", arrow::list(arrow::float32())));
  return arrow::schema(std::move(fields));
}

// Fills the columns of a record batch from left to right, one row after the other.
class RowWriter {
 public:
  explicit RowWriter(const std::shared_ptr<arrow::Schema>& schema)
      : builder_(checked(arrow::RecordBatchBuilder::Make(schema, arrow::default_memory_pool()))) {}

  void begin() { column_ = 0; }
  void text(const std::string& value) { check(next<arrow::StringBuilder>().Append(value)); }
  void text_or_null(const std::string* value) {
    auto& column = next<arrow::StringBuilder>();
    check(value == nullptr ? column.AppendNull() : column.Append(*value));
  }
  void integer(int64_t value) { check(next<arrow::Int64Builder>().Append(value)); }
  void number(double value) { check(next<arrow::DoubleBuilder>().Append(value)); }
  template <typename Builder, typename Value>
  void list(const std::vector<Value>& values) {
    auto& column = next<arrow::ListBuilder>();
    if (values.empty()) return check(column.AppendNull());
    check(column.Append());
    check(static_cast<Builder*>(column.value_builder())->AppendValues(values));
  }
  std::shared_ptr<arrow::RecordBatch> finish() { return checked(builder_->Flush()); }

 private:
  template <typename Builder>
  Builder& next() {
    return *builder_->GetFieldAs<Builder>(column_++);
  }

  std::unique_ptr<arrow::RecordBatchBuilder> builder_;
  int column_ = 0;
};

void add_row(RowWriter& rows, const Source& source, const Outcome& outcome, const std::vector<std::string>& graders) {
  const auto optional = [&](const std::optional<std::string>& value) { rows.text_or_null(value ? &*value : nullptr); };
  rows.begin();
  rows.text(source.base_model);
  rows.text(source.row);
  rows.integer(outcome.seed);
  rows.text(outcome.set);
  rows.text(outcome.problem);
  rows.text_or_null(outcome.kind.empty() ? nullptr : &outcome.kind);
  rows.integer(outcome.sample);
  for (const std::string& grader : graders) {
    const auto verdict = outcome.verdicts.find(grader);
    const std::string word = verdict == outcome.verdicts.end() ? "" : to_string(verdict->second);
    rows.text_or_null(word.empty() ? nullptr : &word);
  }
  optional(outcome.extracted);
  optional(outcome.normalised);
  rows.text_or_null(outcome.error_label.empty() ? nullptr : &outcome.error_label);
  rows.text(outcome.finish);
  rows.integer(outcome.tokens);
  rows.number(outcome.mean_log_prob);
  rows.number(outcome.mean_entropy);
  rows.text(outcome.text);
  rows.list<arrow::Int64Builder>(outcome.ids);
  rows.list<arrow::FloatBuilder>(outcome.fingerprint);
}

// Every grader of any file, so that all row groups have the same columns.
std::vector<std::string> graders_of(const std::vector<Source>& sources) {
  std::set<std::string> graders;
  for (const Source& source : sources) {
    for (const Outcome& outcome : read_outcomes(source.path).outcomes) {
      for (const auto& [grader, verdict] : outcome.verdicts) graders.insert(grader);
    }
  }
  return {graders.begin(), graders.end()};
}

int64_t write_rows(const std::vector<Source>& sources, const std::string& path) {
  const std::vector<std::string> graders = graders_of(sources);
  const std::shared_ptr<arrow::Schema> schema = schema_of(graders);
  const auto properties = parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->build();
  const auto file = checked(arrow::io::FileOutputStream::Open(path));
  const auto writer = checked(parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), file, properties));
  int64_t count = 0;
  for (const Source& source : sources) {
    check_interrupt();
    RowWriter rows(schema);
    const OutcomeFile outcomes = read_outcomes(source.path);
    for (const Outcome& outcome : outcomes.outcomes) add_row(rows, source, outcome, graders);
    const auto table = checked(arrow::Table::FromRecordBatches({rows.finish()}));
    if (table->num_rows() == 0) continue;
    check(writer->WriteTable(*table, table->num_rows()));
    count += table->num_rows();
  }
  check(writer->Close());
  check(file->Close());
  return count;
}

}  // namespace

int64_t write_outcomes_parquet(const std::string& results_folder, const std::string& path) {
  const std::vector<Source> sources = sources_of(results_folder);
  int64_t count = 0;
  with_context(path, [&] {
    write_file_atomically(path, [&](const std::string& temporary) { count = write_rows(sources, temporary); });
  });
  return count;
}

#else

int64_t write_outcomes_parquet(const std::string& /*results_folder*/, const std::string& path) {
  throw Error("{}: expected a build that writes Parquet, found one configured with MEDSBENCH_ARROW=OFF", path);
}

#endif

}  // namespace harness
