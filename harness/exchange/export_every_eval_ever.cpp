#include <cmath>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/exchange/export_results.h"
#include "harness/exchange/stored_run.h"
#include "harness/stats/compare.h"

namespace harness {

namespace {

constexpr const char* kSchemaVersion = "0.3.0";
constexpr const char* kResultOfResponse = "pass@1";  // the mean of the responses' scores

// A version 4 UUID made of a hash: the same content is the same file.
std::string uuid_of(const std::string& text) {
  const std::string hex = sha256_hex(text);
  return fmt::format("{}-{}-4{}-8{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 3), hex.substr(15, 3),
                     hex.substr(18, 12));
}

OrderedJson model_info(const StoredRun& run) {
  OrderedJson info{{"name", fmt::format("{}, {}", run.row().record.base_model, run.row().record.shown())},
                   {"id", run.model_id()}};
  info["additional_details"] = OrderedJson{{"deployment_type", "self_deployed"},
                                           {"model_availability", "unknown"},
                                           {"base_model", run.row().record.base_model},
                                           {"method", run.row().record.name}};
  if (run.row().trained()) info["additional_details"]["training_seed"] = std::to_string(run.seed());
  return info;
}

// pass@k of the run on the set; its error as of one seed: over problems.
OrderedJson result_of(const StoredRun& run, const std::string& set, int64_t k) {
  const ExperimentRecord& record = run.results.record;
  const std::string metric = fmt::format("pass@{}", k);
  const SeedTable table = seed_table(run.row(), set, Quantity::pass(k));
  const MeanInterval mean = crossed_mean(std::vector<SeedTable>{table});
  if (std::isnan(mean.value)) return nullptr;
  OrderedJson result{{"evaluation_result_id", metric}, {"evaluation_name", set}};
  result["source_data"] = OrderedJson{{"dataset_name", set}, {"source_type", "other"}};
  result["metric_config"] =
      OrderedJson{{"evaluation_description", "unbiased estimate from n samples, graded by " + run.grader()},
                  {"metric_id", "pass_at_k"},
                  {"metric_name", metric},
                  {"metric_kind", "pass_rate"},
                  {"metric_unit", "proportion"},
                  {"metric_parameters", OrderedJson{{"k", k}, {"n", record.n}}},
                  {"lower_is_better", false},
                  {"score_type", "continuous"},
                  {"min_score", 0.0},
                  {"max_score", 1.0}};
  OrderedJson uncertainty{{"num_samples", table.problems.size()}};
  if (!std::isnan(mean.standard_error)) {
    uncertainty["standard_error"] = OrderedJson{{"value", mean.standard_error}, {"method", "analytic"}};
  }
  result["score_details"] = OrderedJson{{"score", mean.value}, {"uncertainty", uncertainty}};
  if (record.temperature) {
    result["generation_config"]["generation_args"] = OrderedJson{{"temperature", *record.temperature}};
  }
  return result;
}

OrderedJson line_of_response(const StoredRun& run, const std::string& evaluation, const Problem& problem,
                             const Outcome& sample) {
  OrderedJson reference = OrderedJson::array();
  if (!problem.answer.empty()) reference.push_back(problem.answer);
  OrderedJson line{{"schema_version", kSchemaVersion}, {"evaluation_id", evaluation}, {"model_id", run.model_id()}};
  line["evaluation_name"] = sample.set;
  line["evaluation_result_id"] = kResultOfResponse;
  line["sample_id"] = sample.problem;
  line["sample_hash"] = sha256_hex(problem.text + problem.answer);
  line["interaction_type"] = "single_turn";
  line["input"] = OrderedJson{{"raw", problem.text}, {"reference", reference}};
  line["output"] = OrderedJson{{"raw", OrderedJson::array({sample.text})}};
  line["answer_attribution"] = OrderedJson::array();
  if (const auto& answer = sample.final_answer()) {
    line["answer_attribution"].push_back(OrderedJson{{"turn_idx", 0},
                                                     {"source", "output.raw"},
                                                     {"extracted_value", *answer},
                                                     {"extraction_method", run.grader()},
                                                     {"is_terminal", true}});
  }
  const bool right = sample.correct(run.grader());
  line["evaluation"] = OrderedJson{{"score", right ? 1 : 0}, {"is_correct", right}};
  line["metadata"] = OrderedJson{{"sample", std::to_string(sample.sample)}};
  return line;
}

// One set of one run: the aggregate and its responses.
void write_set(const StoredRun& run, const std::string& set, const std::string& out) {
  const ExperimentRecord& record = run.results.record;
  const std::string id = run.model_id();
  const std::string evaluation = fmt::format("{}/{}/{}", path_part(set), id, static_cast<int64_t>(run.time));
  std::string lines;
  int64_t count = 0;
  for (const auto& [name, samples] : run.samples.at(set)) {
    const Problem problem = run.problem(set, name);
    for (const Outcome* sample : samples) lines += dump_line(line_of_response(run, evaluation, problem, *sample)) + "\n";
    count += static_cast<int64_t>(samples.size());
  }
  const size_t slash = id.find('/');
  const std::string place =
      fmt::format("data/{}/{}/{}", path_part(set), path_part(id.substr(0, slash)), path_part(id.substr(slash + 1)));
  const std::string file = place + "/" + uuid_of(lines);
  const bool here = record.imported_from.empty();
  OrderedJson json{{"schema_version", kSchemaVersion}, {"evaluation_id", evaluation}};
  for (const char* when : {"evaluation_timestamp", "retrieved_timestamp"}) json[when] = std::to_string(run.time);
  json["source_metadata"] = OrderedJson{{"source_name", record.title},
                                        {"source_type", "evaluation_run"},
                                        {"source_organization_name", "unknown"},
                                        {"evaluator_relationship", here ? "first_party" : "other"}};
  json["eval_library"] = OrderedJson{{"name", here ? "medsbench" : record.imported_from},
                                     {"version", record.commit.empty() ? "unknown" : record.commit}};
  json["model_info"] = model_info(run);
  json["evaluation_results"] = OrderedJson::array();
  for (const int64_t k : record.k) {
    OrderedJson result = result_of(run, set, k);
    if (!result.is_null()) json["evaluation_results"].push_back(std::move(result));
  }
  json["detailed_evaluation_results"] = OrderedJson{{"format", "jsonl"},
                                                    {"file_path", file + "_samples.jsonl"},
                                                    {"hash_algorithm", "sha256"},
                                                    {"checksum", sha256_hex(lines)},
                                                    {"total_rows", count}};
  make_folder(out + "/" + place);
  write_file_atomically(out + "/" + file + "_samples.jsonl", lines);
  write_file_atomically(out + "/" + file + ".json", json.dump(2) + "\n");
}

}  // namespace

int64_t export_every_eval_ever(const std::string& folder, const std::string& out) {
  return for_each_run(folder, [&](const StoredRun& run) {
    for (const auto& [set, problems] : run.samples) write_set(run, set, out);
  });
}

}  // namespace harness
