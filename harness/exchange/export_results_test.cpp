#include "harness/exchange/export_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/core/testing.h"
#include "harness/exchange/import_results.h"
#include "harness/report/table/summary.h"
#include "harness/report/testing.h"

namespace harness {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> files_below(const std::string& folder, const std::string& ending) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().string().ends_with(ending)) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Json> lines_of(const std::string& path) {
  std::vector<Json> lines;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);) lines.push_back(parse_json(line));
  return lines;
}

// What of JSON Schema (draft 7) Every Eval Ever's schemas use; another keyword is an error, so that nothing is passed over.
class SchemaCheck {
 public:
  explicit SchemaCheck(Json schema) : root_(std::move(schema)) {}
  // One line a violation.
  std::vector<std::string> problems_of(const Json& value) {
    found_.clear();
    check(root_, value, "");
    return found_;
  }

 private:
  bool fits(const Json& schema, const Json& value) {
    SchemaCheck inner(root_);
    inner.check(schema, value, "");
    return inner.found_.empty();
  }

  static bool is_type(const std::string& type, const Json& value) {
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "null") return value.is_null();
    return type == value.type_name();  // object, array, string, boolean
  }

  void fail(const std::string& place, const std::string& what) { found_.push_back(place + ": " + what); }

  void check(const Json& schema, const Json& value, const std::string& place) {
    static const std::set<std::string> kSaysNothing = {"$schema", "version", "description", "$defs", "default", "then", "else"};
    for (const auto& [word, rule] : schema.items()) {
      if (!kSaysNothing.contains(word)) check_word(schema, word, rule, value, place);
    }
  }

  void check_word(const Json& schema, const std::string& word, const Json& rule, const Json& value, const std::string& place) {
    if (word == "$ref") {
      check(root_.at(Json::json_pointer(rule.get<std::string>().substr(1))), value, place);
    } else if (word == "type") {
      const Json types = rule.is_array() ? rule : Json::array({rule});
      if (std::none_of(types.begin(), types.end(), [&](const Json& type) { return is_type(type, value); })) {
        fail(place, fmt::format("expected {}, found {}", rule.dump(), value.type_name()));
      }
    } else if (word == "enum") {
      if (std::find(rule.begin(), rule.end(), value) == rule.end()) fail(place, "expected one of " + rule.dump());
    } else if (word == "const") {
      if (value != rule) fail(place, "expected " + rule.dump());
    } else if (word == "required") {
      for (const Json& name : rule) {
        if (value.is_object() && !value.contains(name.get<std::string>())) fail(place, "misses " + name.dump());
      }
    } else if (word == "properties") {
      for (const auto& [name, part] : rule.items()) {
        if (value.is_object() && value.contains(name)) check(part, value[name], place + "/" + name);
      }
    } else if (word == "additionalProperties") {
      check_others(schema, rule, value, place);
    } else if (word == "items") {
      for (size_t i = 0; value.is_array() && i < value.size(); ++i) check(rule, value[i], fmt::format("{}/{}", place, i));
    } else if (word == "minItems") {
      if (value.is_array() && value.size() < rule.get<size_t>()) fail(place, "has too few");
    } else if (word == "minimum") {
      if (value.is_number() && value < rule) fail(place, "is below " + rule.dump());
    } else if (word == "maximum") {
      if (value.is_number() && value > rule) fail(place, "is above " + rule.dump());
    } else if (word == "pattern") {
      if (value.is_string() && !std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>()))) {
        fail(place, "is not of the pattern " + rule.dump());
      }
    } else if (word == "oneOf") {
      if (std::count_if(rule.begin(), rule.end(), [&](const Json& one) { return fits(one, value); }) != 1) {
        fail(place, "fits not exactly one of " + rule.dump());
      }
    } else if (word == "allOf") {
      for (const Json& one : rule) check(one, value, place);
    } else if (word == "not") {
      if (fits(rule, value)) fail(place, "fits " + rule.dump());
    } else if (word == "if") {
      const char* branch = fits(rule, value) ? "then" : "else";
      if (schema.contains(branch)) check(schema[branch], value, place);
    } else {
      throw Error("{}: a keyword that the test does not know: {}", place, word);
    }
  }

  void check_others(const Json& schema, const Json& rule, const Json& value, const std::string& place) {
    if (!value.is_object()) return;
    for (const auto& [name, part] : value.items()) {
      if (schema.contains("properties") && schema["properties"].contains(name)) continue;
      if (rule == false) fail(place, "has " + name);
      if (rule.is_object()) check(rule, part, place + "/" + name);
    }
  }

  Json root_;
  std::vector<std::string> found_;
};

SchemaCheck schema_of(const std::string& name) {
  return SchemaCheck(parse_json(read_file(std::string(MEDSBENCH_TEST_DATA) + "/every_eval_ever/" + name)));
}

TEST(EveryEvalEver, FilesFitItsSchemas) {
  const ScratchFolder folder;
  const std::string results = write_test_experiment(folder.path(), {});
  EXPECT_EQ(export_every_eval_ever(results, folder.path("out")), 7);
  SchemaCheck aggregate = schema_of("eval.schema.json"), instance = schema_of("instance_level_eval.schema.json");
  const auto files = files_below(folder.path("out"), ".json");
  ASSERT_THAT(files, SizeIs(14));  // seven runs of two sets
  for (const std::string& path : files) {
    const Json json = parse_json(read_file(path));
    EXPECT_THAT(aggregate.problems_of(json), IsEmpty()) << path;
    EXPECT_THAT(json["evaluation_results"], SizeIs(2));
    const Json& details = json["detailed_evaluation_results"];
    const std::string samples = folder.path("out/" + details["file_path"].get<std::string>());
    EXPECT_EQ(samples, path.substr(0, path.size() - 5) + "_samples.jsonl");
    EXPECT_EQ(details["checksum"], sha256_file(samples));
    const std::vector<Json> lines = lines_of(samples);
    EXPECT_EQ(details["total_rows"], lines.size());
    double right = 0;
    for (const Json& line : lines) {
      EXPECT_THAT(instance.problems_of(line), IsEmpty()) << samples;
      EXPECT_EQ(line["evaluation_id"], json["evaluation_id"]);
      EXPECT_EQ(line["model_id"], json["model_info"]["id"]);
      right += line["evaluation"]["score"].get<double>();
    }
    EXPECT_NEAR(json["evaluation_results"][0]["score_details"]["score"], right / static_cast<double>(lines.size()), 1e-12);
  }
  // The check itself refuses.
  Json broken = parse_json(read_file(files.front()));
  broken["model_info"].erase("additional_details");
  broken["evaluation_results"][0]["metric_config"].erase("max_score");
  broken["evaluation_results"][0]["source_data"]["source_type"] = "url";
  broken["surprise"] = 1;
  EXPECT_THAT(aggregate.problems_of(broken), SizeIs(4));
}

TEST(LmEvalExport, IsReadBackToTheSameCountsAndNumbers) {
  const ScratchFolder folder;
  TestExperiment experiment;
  experiment.sets = {"prec", "nano/mod"};
  const std::string results = write_test_experiment(folder.path(), experiment);
  EXPECT_EQ(export_lm_eval(results, folder.path("out")), 7);
  std::string rows = "verdict.metric = \"correct\"\nsets = [\"prec\", \"nano-mod\"]\ntable.k = [1, 8]\n";
  for (const auto& [name, base] : {std::pair("Base", ""), std::pair("DAPO", ""), std::pair("MEDS", "DAPO")}) {
    rows += fmt::format("[[rows]]\nname = \"{}\"\nbase_model = \"nano-qwen3\"\ncompare_to = \"{}\"\n", name, base);
    for (int64_t seed = 1; seed <= 3 && name != std::string("Base"); ++seed) {
      rows += fmt::format("files.{} = \"out/medsbench__nano-qwen3__{}__seed{}\"\n", seed, name, seed);
    }
    if (name == std::string("Base")) rows += "untrained = true\nfiles = \"out/medsbench__nano-qwen3__Base\"\n";
  }
  import_results(folder.write("rows.toml", rows), folder.path("again"));
  const Summary before = summarise(read_results(results)), after = summarise(read_results(folder.path("again")));
  ASSERT_EQ(after.rows.size(), 3u);
  for (size_t row = 0; row < 3; ++row) {
    for (size_t c = 0; c < after.columns.size(); ++c) {
      if (after.columns[c].kind() != ColumnKind::pass) continue;
      EXPECT_EQ(after.columns[c].quantity.name(), before.columns[c].quantity.name());
      EXPECT_DOUBLE_EQ(after.rows[row].entries[c].mean.value, before.rows[row].entries[c].mean.value);
      EXPECT_EQ(after.rows[row].entries[c].comparison.has_value(), before.rows[row].entries[c].comparison.has_value());
      if (!after.rows[row].entries[c].comparison) continue;
      EXPECT_DOUBLE_EQ(after.rows[row].entries[c].comparison->difference.p_value,
                       before.rows[row].entries[c].comparison->difference.p_value);
    }
  }
}

TEST(LmEvalExport, HasTheMeansOfItsSamplesAsResults) {
  const ScratchFolder folder;
  export_lm_eval(write_test_experiment(folder.path(), {}), folder.path("out"));
  const std::string run = folder.path("out/medsbench__nano-qwen3__MEDS__seed2");
  const auto results = files_below(run, ".json");
  ASSERT_THAT(results, SizeIs(1));
  const Json json = parse_json(read_file(results.front()));
  EXPECT_EQ(json["model_name"], "medsbench/nano-qwen3__MEDS__seed2");
  const auto samples = files_below(run, ".jsonl");
  ASSERT_THAT(samples, SizeIs(2));
  EXPECT_THAT(samples[1], HasSubstr("samples_prec_"));
  for (const char* metric : {"pass@1", "pass@8"}) {
    double sum = 0;
    const std::vector<Json> lines = lines_of(samples[1]);
    for (const Json& line : lines) sum += line[metric].get<double>();
    EXPECT_NEAR(json["results"]["prec"][std::string(metric) + ",none"], sum / static_cast<double>(lines.size()), 1e-12);
  }
}

TEST(Exports, RefuseAFolderWhoseOutcomesAreNotThere) {
  const ScratchFolder folder;
  const std::string results = write_test_experiment(folder.path(), {});
  std::filesystem::remove(folder.path("runs/MEDS-2/outcomes.jsonl.zst"));
  for (const auto& write : {export_lm_eval, export_every_eval_ever}) {
    EXPECT_THAT(error_of([&] { write(results, folder.path("out")); }),
                HasSubstr("expected the stored outcomes of MEDS, seed 2"));
    EXPECT_FALSE(std::filesystem::exists(folder.path("out")));
  }
}

}  // namespace
}  // namespace harness
