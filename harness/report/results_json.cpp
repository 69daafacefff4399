#include "harness/report/results_json.h"

#include <cmath>

#include "harness/core/error.h"

namespace harness {

namespace {

OrderedJson number_or_null(double value) { return std::isnan(value) ? OrderedJson(nullptr) : OrderedJson(value); }

OrderedJson task_config(const ExperimentRecord& record, const std::string& set) {
  OrderedJson config{{"task", set}, {"output_type", "generate_until"}, {"repeats", record.n}, {"num_fewshot", 0}};
  if (record.temperature) {
    config["generation_kwargs"] = OrderedJson{{"do_sample", *record.temperature > 0}, {"temperature", *record.temperature}};
  }
  config["metric_list"] = OrderedJson::array();
  for (const int64_t k : record.k) {
    config["metric_list"].push_back(
        OrderedJson{{"metric", fmt::format("pass@{}", k)}, {"aggregation", "mean"}, {"higher_is_better", true}});
  }
  return config;
}

OrderedJson comparison_json(const Comparison& comparison) {
  OrderedJson json{{"against", comparison.against},
                   {"difference", number_or_null(comparison.difference.value)},
                   {"low", number_or_null(comparison.difference.low)},
                   {"high", number_or_null(comparison.difference.high)},
                   {"p", number_or_null(comparison.difference.p_value)},
                   {"p_holm", number_or_null(comparison.verdict ? comparison.verdict->p_value : kUndefined)},
                   {"seeds", comparison.difference.seeds},
                   {"probability_of_improvement", number_or_null(comparison.improvement)},
                   {"mark", comparison.mark()}};
  if (comparison.verdict) {
    const ComparisonVerdict& verdict = *comparison.verdict;
    json["verdict"] = OrderedJson{{"decision", decision_name(verdict.decision)},
                                  {"seeds", verdict.seeds},
                                  {"difference", number_or_null(verdict.difference.value)},
                                  {"low", number_or_null(verdict.low)},
                                  {"high", number_or_null(verdict.high)},
                                  {"p_equivalence", number_or_null(verdict.p_equivalence)},
                                  {"seeds_to_decide", verdict.wanted > 0 ? OrderedJson(verdict.wanted) : OrderedJson(nullptr)}};
    if (!comparison.withheld.empty()) json["verdict"]["decision"] = comparison.withheld;
  }
  return json;
}

OrderedJson condition_json(const ConditionFinding& finding) {
  OrderedJson json = to_json(finding.condition);
  json["base_model"] = finding.base_model;
  json["finding"] = state_name(finding.state);
  json["seeds"] = finding.seeds;
  json["planned_seeds"] = finding.planned;
  if (finding.condition.is == Condition::Is::equal_bytes) {
    json["counts"] = finding.counts;
    json["differing"] = finding.differing;
    return json;
  }
  json["difference"] = number_or_null(finding.alone.difference.value);
  json["low"] = number_or_null(finding.alone.low);
  json["high"] = number_or_null(finding.alone.high);
  json["p_equivalence"] = number_or_null(finding.alone.p_equivalence);
  return json;
}

OrderedJson own_json(const Column& column, const TableEntry& entry) {
  OrderedJson json{{"set", column.set}, {"metric", column.quantity.name()}, {"value", number_or_null(entry.mean.value)}};
  json["low"] = number_or_null(entry.mean.low);
  json["high"] = number_or_null(entry.mean.high);
  json["seed_deviation"] = number_or_null(entry.mean.seed_deviation);
  json["sampling_error"] = number_or_null(entry.sampling_error);
  if (entry.comparison) json["comparison"] = comparison_json(*entry.comparison);
  json["best"] = entry.best;
  return json;
}

size_t problems_of(const ExperimentResults& results, const SummaryRow& row, const std::string& set) {
  const RowResults* found = results.find(row.base_model, row.name);
  return found == nullptr || found->seeds.empty() ? 0 : seed_table(*found, set, Quantity::pass(1)).problems.size();
}

}  // namespace

OrderedJson lm_eval_results(const ExperimentResults& results, const Summary& summary, size_t row) {
  const ExperimentRecord& record = results.record;
  const SummaryRow& line = summary.rows[row];
  OrderedJson json;
  for (const char* part :
       {"results", "groups", "group_subtasks", "configs", "versions", "n-shot", "higher_is_better", "n-samples", "config"}) {
    json[part] = OrderedJson::object();
  }
  OrderedJson own = OrderedJson::array();
  for (size_t c = 0; c < summary.columns.size(); ++c) {
    const Column& column = summary.columns[c];
    own.push_back(own_json(column, line.entries[c]));
    if (!column.of_problems()) continue;
    OrderedJson& task = json["results"][column.set];
    task["alias"] = column.set;
    task[column.quantity.name() + ",none"] = number_or_null(line.entries[c].mean.value);
    task[column.quantity.name() + "_stderr,none"] = number_or_null(line.entries[c].mean.standard_error);
    if (column.kind() == ColumnKind::pass) json["higher_is_better"][column.set][column.quantity.name()] = true;
  }
  if (json["results"].contains(kAverage)) {
    json["groups"][kAverage] = json["results"][kAverage];
    json["group_subtasks"][kAverage] = record.sets;
  }
  for (const std::string& set : record.sets) {
    json["configs"][set] = task_config(record, set);
    json["versions"][set] = 1;
    json["n-shot"][set] = 0;
    const size_t problems = problems_of(results, line, set);
    json["n-samples"][set] = OrderedJson{{"original", problems}, {"effective", problems}};
  }
  json["config"] = OrderedJson{{"model", line.base_model}, {"model_args", line.name}, {"device", record.device}};
  if (record.eval_seed) json["config"]["random_seed"] = *record.eval_seed;
  json["git_hash"] = record.commit;
  json["model_name"] = line.base_model.empty() ? line.name : line.base_model + "/" + line.name;
  json["model_source"] = line.source.empty() ? "medsbench" : line.source;
  json["medsbench"] = OrderedJson{{"seeds_done", line.seeds_done}, {"seeds_planned", line.seeds_planned}, {"columns", own}};
  return json;
}

OrderedJson results_json(const ExperimentResults& results, const Summary& summary) {
  OrderedJson json{{"version", 1}, {"title", summary.title}, {"footer", summary.footer}, {"rows", OrderedJson::array()}};
  for (const ConditionFinding& finding : summary.conditions) json["conditions"].push_back(condition_json(finding));
  if (!summary.guarded.empty()) json["guarded"] = summary.guarded;
  for (size_t row = 0; row < summary.rows.size(); ++row) json["rows"].push_back(lm_eval_results(results, summary, row));
  return json;
}

}  // namespace harness
