#include <fmt/chrono.h>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/exchange/export_results.h"
#include "harness/exchange/stored_run.h"
#include "harness/report/results_json.h"
#include "harness/stats/pass_at_k.h"

namespace harness {

namespace {

// lm-evaluation-harness leaves out what has no value and writes "N/A" for a standard error that has none.
OrderedJson without_nulls(const OrderedJson& metrics) {
  OrderedJson kept = OrderedJson::object();
  for (const auto& [key, value] : metrics.items()) {
    const bool error_of_value =
        key.find("_stderr,") != std::string::npos && kept.contains(std::string(key).replace(key.find("_stderr,"), 7, ""));
    if (!value.is_null()) kept[key] = value;
    if (value.is_null() && error_of_value) kept[key] = "N/A";
  }
  return kept;
}

// The program's name for it: "__" in place of "/".
std::string folder_of_run(const StoredRun& run) {
  std::string name = run.model_id();
  return name.replace(name.find('/'), 1, "__");
}

// A set as a task, whose name is part of a file's.
std::string task_of(const std::string& set) { return path_part(set); }

// The run's results with tasks for sets.
ExperimentResults with_tasks(ExperimentResults results) {
  SeedResults& seed = results.rows.front().seeds.front();
  std::map<std::string, SetCounts> tasks;
  for (std::string& set : results.record.sets) {
    const std::string task = task_of(set);
    if (!tasks.emplace(task, seed.counts.sets.at(set)).second) {
      throw Error("{}: expected sets that differ as tasks, found {} twice", results.folder, task);
    }
    set = task;
  }
  seed.counts.sets = std::move(tasks);
  results.record.primary.clear();
  return results;
}

OrderedJson results_of_run(const StoredRun& run) {
  const ExperimentResults results = with_tasks(run.results);
  OrderedJson json = lm_eval_results(results, summarise(results), 0);
  for (const char* part : {"results", "groups", "group_subtasks", "higher_is_better"}) json[part].erase(kAverage);  // no task
  for (auto& [task, metrics] : json["results"].items()) metrics = without_nulls(metrics);
  json["model_name"] = run.model_id();
  json["model_name_sanitized"] = folder_of_run(run);
  json["date"] = static_cast<int64_t>(run.time);
  return json;
}

OrderedJson line_of_problem(const StoredRun& run, const std::string& set, const std::string& id, const Samples& samples,
                            int64_t place) {
  const ExperimentRecord& record = run.results.record;
  const Problem problem = run.problem(set, id);
  const OrderedJson doc{{"id", id}, {"problem", problem.text}, {"answer", problem.answer}};
  OrderedJson settings = OrderedJson::object();
  if (record.temperature) settings = {{"do_sample", *record.temperature > 0}, {"temperature", *record.temperature}};
  OrderedJson responses = OrderedJson::array(), answers = responses, correct = responses;
  int64_t right = 0;
  for (const Outcome* sample : samples) {
    const bool is_right = sample->correct(run.grader());
    responses.push_back(sample->text);
    answers.push_back(sample->final_answer().value_or("[invalid]"));
    correct.push_back(is_right ? 1 : 0);
    right += is_right ? 1 : 0;
  }
  OrderedJson line{{"doc_id", place}, {"doc", doc}, {"target", problem.answer}};
  line["arguments"]["gen_args_0"] = OrderedJson{{"arg_0", problem.text}, {"arg_1", settings}};
  line["resps"] = OrderedJson::array({responses});
  line["filtered_resps"] = run.file.sets_without_answers.contains(set) ? line["resps"] : OrderedJson::array({answers});
  line["filter"] = "none";
  line["metrics"] = OrderedJson::array();
  line["doc_hash"] = sha256_hex(dump_line(doc));
  line["prompt_hash"] = sha256_hex(problem.text);
  line["target_hash"] = sha256_hex(problem.answer);
  for (const int64_t k : record.k) {
    const auto n = static_cast<int64_t>(samples.size());
    if (k > n) continue;
    const std::string name = fmt::format("pass@{}", k);
    line["metrics"].push_back(name);
    line[name] = pass_at_k(n, right, k);
  }
  line["correct"] = correct;
  return line;
}

}  // namespace

int64_t export_lm_eval(const std::string& folder, const std::string& out) {
  return for_each_run(folder, [&](const StoredRun& run) {
    const std::string date = fmt::format("{:%Y-%m-%dT%H-%M-%S}.000000", fmt::gmtime(run.time));
    const std::string place = out + "/" + folder_of_run(run);
    make_folder(place);
    for (const auto& [set, problems] : run.samples) {
      std::string lines;
      int64_t number = 0;
      for (const auto& [id, samples] : problems) lines += dump_line(line_of_problem(run, set, id, samples, number++)) + "\n";
      write_file_atomically(fmt::format("{}/samples_{}_{}.jsonl", place, task_of(set), date), lines);
    }
    write_file_atomically(fmt::format("{}/results_{}.json", place, date), results_of_run(run).dump(2) + "\n");
  });
}

}  // namespace harness
