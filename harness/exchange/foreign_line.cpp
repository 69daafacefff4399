#include "harness/exchange/foreign_line.h"

#include <array>
#include <set>

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/reward/answer/boxed.h"

namespace harness {

namespace {

const Json& field(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) throw Error("expected the field \"{}\", found none", key);
  return *found;
}

const Json& list_of(const Json& object, const std::string& key) {
  const Json& list = field(object, key);
  if (!list.is_array()) throw Error("\"{}\": expected a list, found {}", key, list.type_name());
  return list;
}

// Numbers and texts as texts: the ids and answers of these programs are either.
std::string as_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

// The first field of these names that holds a text; "" if there is none.
std::string first_text(const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found != object.end() && found->is_string()) return *found;
  }
  return "";
}

// The prompt and the settings of the first request: {"gen_args_0": {"arg_0": prompt, "arg_1": settings}}.
Json first_arguments(const Json& row) {
  const Json arguments = row.value("arguments", Json::object());
  return arguments.is_object() ? arguments.value("gen_args_0", Json::object()) : Json::object();
}

std::optional<double> temperature_of(const Json& settings) {
  if (!settings.is_object()) return std::nullopt;
  const auto sampled = settings.find("do_sample");
  if (sampled != settings.end() && *sampled == false) return 0;
  const auto temperature = settings.find("temperature");
  return temperature != settings.end() && temperature->is_number() ? std::optional<double>(*temperature) : std::nullopt;
}

}  // namespace

std::string final_answer_of(const std::string& text) {
  if (const size_t marks = text.rfind("####"); marks != std::string::npos) {
    const size_t begin = text.find_first_not_of(" \n", marks + 4);
    return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \n") + 1 - begin);
  }
  return last_balanced_box(text).value_or(text);
}

std::string lm_eval_filter(const Json& row) {
  const auto filter = row.find("filter");
  return filter == row.end() ? "none" : text_field(row, "filter");  // versions before 0.4.5 do not say it
}

ForeignProblem lm_eval_problem(const Json& row) {
  ForeignProblem problem;
  problem.id = as_text(field(row, "doc_id"));
  const Json arguments = first_arguments(row);
  const Json& doc = row.contains("doc") && row["doc"].is_object() ? row["doc"] : row;
  problem.question = first_text(doc, {"question", "problem", "query"});
  if (problem.question.empty()) problem.question = first_text(arguments, {"arg_0"});
  problem.question_hash = first_text(row, {"doc_hash"});
  if (row.contains("target")) problem.answers = {final_answer_of(as_text(row["target"]))};
  problem.temperature = temperature_of(arguments.value("arg_1", Json()));
  // resps: a list a request, in it a response a repeat; several requests are the choices of one question.
  const Json& requests = list_of(row, "resps");
  if (requests.empty() || !requests[0].is_array())
    throw Error("\"resps\": expected a list of lists, found {}", requests.dump());
  if (requests.size() > 1 || requests[0].empty() || !requests[0][0].is_string()) {
    problem.responses = {""};
  } else {
    for (const Json& response : requests[0]) problem.responses.push_back(as_text(response));
  }
  static const std::set<std::string> kOthers = {"doc_id", "doc",     "target",   "arguments",   "resps",      "filtered_resps",
                                                "filter", "metrics", "doc_hash", "prompt_hash", "target_hash"};
  for (const auto& [name, value] : row.items()) {
    if (!kOthers.contains(name) && !value.is_string() && !value.is_object()) problem.metrics[name] = value;
  }
  // What a filter took out of the text; [invalid] where it found nothing. Without one, the answer is not known.
  const Json filtered = row.value("filtered_resps", Json::array());
  if (filtered.size() == 1 && filtered[0].is_string() && filtered[0] != "[invalid]") problem.extracted = filtered[0];
  return problem;
}

ForeignProblem lighteval_problem(const Json& row) {
  ForeignProblem problem;
  const Json& doc = field(row, "doc");
  const Json& response = field(row, "model_response");
  problem.id = as_text(field(doc, "id"));
  problem.question = text_field(doc, "query");
  problem.question_hash = sha256_hex(problem.question);
  const Json& gold = field(doc, "gold_index");
  const Json& choices = list_of(doc, "choices");
  for (const Json& index : gold.is_array() ? gold : Json::array({gold})) {
    if (!index.is_number_integer() || index < 0 || index >= choices.size()) {
      throw Error("\"gold_index\": expected a place among the {} choices, found {}", choices.size(), index.dump());
    }
    problem.answers.push_back(final_answer_of(as_text(choices[index.get<size_t>()])));
  }
  const Json texts = response.value("text", Json::array());
  for (const Json& text : texts.is_array() ? texts : Json::array()) problem.responses.push_back(as_text(text));
  if (problem.responses.empty()) problem.responses = {""};  // a multiple choice
  for (const auto& [name, value] : field(row, "metric").items()) {
    if (!value.is_null()) problem.metrics[name] = value;
  }
  return problem;
}

}  // namespace harness
