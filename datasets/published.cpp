#include "datasets/published.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/core/text_edit.h"
#include "harness/data/records.h"
#include "harness/reward/answer/boxed.h"

namespace datasets {
namespace {

using harness::Error;
using harness::Json;
using harness::trim;

// DAPO-Math wraps each problem in this instruction.
constexpr std::string_view kDapoBefore =
    "Solve the following math problem step by step. The last line of your response should be of the form Answer: $Answer "
    "(without "
    "quotes) where $Answer is the answer to the problem.\n\n";
constexpr std::string_view kDapoAfter = "\n\nRemember to put your answer on its own line after \"Answer:\".";

PublishedSet test_set(const std::string& name, std::vector<HubSource> sources) {
  PublishedSet set;
  set.name = name;
  set.splits = {"test"};
  set.sources = std::move(sources);
  set.text_fields = {"problem", "question"};
  set.answer_fields = {"answer"};
  set.box_fields = {"solution"};
  return set;
}

std::vector<PublishedSet> make_published_sets() {
  PublishedSet aime24 = test_set("aime24", {{"HuggingFaceH4/aime_2024", ""}, {"math-ai/aime24", ""}});
  PublishedSet aime25 = test_set("aime25", {{"math-ai/aime25", ""}, {"opencompass/AIME2025", ""}});
  PublishedSet hmmt25 = test_set("hmmt25", {{"MathArena/hmmt_feb_2025", ""}});
  PublishedSet amc23 = test_set("amc23", {{"math-ai/amc23", ""}});
  aime24.form = aime25.form = amc23.form = AnswerForm::integral;
  PublishedSet math500 = test_set("math500", {{"HuggingFaceH4/MATH-500", ""}});
  math500.kind_fields = {"subject"};
  PublishedSet minerva = test_set("minerva", {{"math-ai/minervamath", ""}});
  PublishedSet olympiad =
      test_set("olympiadbench", {{"Hothan/OlympiadBench", "OE_TO_maths_en_COMP"}, {"math-ai/olympiadbench", ""}});
  olympiad.answer_fields = {"final_answer"};
  olympiad.box_fields = {};
  olympiad.kind_fields = {"subfield"};
  olympiad.form = AnswerForm::listed;

  PublishedSet gsm8k = test_set("gsm8k", {{"openai/gsm8k", "main"}});
  gsm8k.splits = {"train", "test"};
  gsm8k.form = AnswerForm::after_hashes;
  gsm8k.box_fields = {};
  PublishedSet math345 = test_set("math345", {{"EleutherAI/hendrycks_math", ""}, {"DigitalLearningGmbH/MATH-lighteval", ""}});
  math345.splits = {"train"};
  math345.kind_fields = {"type", "subject"};
  math345.levels = {"Level 3", "Level 4", "Level 5", "3", "4", "5"};
  math345.deduplicate = true;
  PublishedSet dapo = test_set("dapo17k", {{"BytedTsinghua-SIA/DAPO-Math-17k", ""}, {"open-r1/DAPO-Math-17k-Processed", "en"}});
  dapo.splits = {"train"};
  dapo.text_fields = {"prompt", "problem"};
  dapo.answer_fields = {"reward_model.ground_truth", "solution", "answer"};
  dapo.box_fields = {};
  dapo.deduplicate = true;
  return {aime24, aime25, hmmt25, amc23, math500, minerva, olympiad, gsm8k, math345, dapo};
}

// The value at "a.b.c"; null where it is absent.
const Json* value_at(const Json& record, const std::string& path) {
  const Json* value = &record;
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find('.', begin), path.size());
    if (!value->is_object()) return nullptr;
    const auto place = value->find(path.substr(begin, end - begin));
    if (place == value->end() || place->is_null()) return nullptr;
    value = &*place;
    begin = end + 1;
  }
  return value;
}

const Json* first_of(const Json& record, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (const Json* value = value_at(record, path)) return value;
  }
  return nullptr;
}

// None of the fields is there: says so, or that one is null (a missing number of pandas too).
[[noreturn]] void refuse_absent(const Json& record, const std::vector<std::string>& paths) {
  const bool null = std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
    const auto place = record.find(path.substr(0, path.find('.')));
    return place != record.end() && place->is_null();
  });
  throw Error("expected the field \"{}\", found {}", fmt::join(paths, "\" or \""), null ? "null" : "none");
}

std::string scalar_text(const Json& value, const std::string& field) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    throw Error("\"{}\": expected a finite number, found {}", field, value.get<double>());
  }
  if (value.is_number() || value.is_boolean()) return value.dump();
  throw Error("\"{}\": expected a text or a number, found {}", field, value.type_name());
}

// 27.0 -> 27; anything else as it stands.
std::string integral_text(const std::string& text) {
  const size_t dot = text.find('.');
  if (dot == std::string::npos || dot == 0) return text;
  const bool zeros = text.find_first_not_of('0', dot + 1) == std::string::npos && dot + 1 < text.size();
  const bool digits = text.find_first_not_of("0123456789", text[0] == '-' ? 1 : 0) == dot;
  return zeros && digits ? text.substr(0, dot) : text;
}

std::string after_hashes(const std::string& text) {
  const size_t at = text.rfind("####");
  if (at == std::string::npos) throw Error("\"answer\": expected a number after \"####\", found none");
  std::string number = trim(std::string_view(text).substr(at + 4));
  std::erase(number, ',');
  if (number.empty()) throw Error("\"answer\": expected a number after \"####\", found nothing");
  return number;
}

std::string without_dollars(std::string_view text) {
  std::string out(text);
  std::erase(out, '$');
  return trim(out);
}

// The parts between commas that stand outside all brackets, dollar signs removed; one part where a clause follows the comma.
std::vector<std::string> split_answers(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    if (c == '$') continue;
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (c == ',' && depth <= 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  std::vector<std::string> trimmed;
  for (const std::string& part : parts) {
    std::string whole = trim(part);
    if (whole.starts_with("where ")) return {without_dollars(text)};
    if (whole.starts_with("and ")) whole.erase(0, 4);
    if (!whole.empty()) trimmed.push_back(std::move(whole));
  }
  return trimmed;
}

std::string optional_text(const Json& record, const std::string& field) {
  const Json* value = value_at(record, field);
  return value == nullptr ? "" : scalar_text(*value, field);
}

// OlympiadBench: final_answer is a list; is_multiple_answer says that its text holds several.
void map_listed(const Json& record, const Json& value, harness::Problem& problem) {
  std::vector<std::string> texts;
  if (value.is_array()) {
    for (const Json& part : value) texts.push_back(scalar_text(part, "final_answer"));
  } else {
    texts.push_back(scalar_text(value, "final_answer"));
  }
  if (texts.empty()) throw Error("\"final_answer\": expected at least one answer, found an empty list");
  const std::string multiple = optional_text(record, "is_multiple_answer");
  std::vector<std::string> answers;
  for (const std::string& text : texts) {
    const bool several = multiple == "true" || multiple == "True";
    for (const std::string& part : several ? split_answers(text) : std::vector<std::string>{without_dollars(text)}) {
      answers.push_back(part);
    }
  }
  problem.answer = fmt::format("{}", fmt::join(answers, ", "));
  if (answers.size() > 1) problem.answers = answers;
  problem.unit = without_dollars(optional_text(record, "unit"));
  problem.answer_type = optional_text(record, "answer_type");
  problem.tolerance = optional_text(record, "error");
  if (const std::string context = optional_text(record, "context"); !context.empty()) {
    problem.text = context + "\n" + problem.text;
  }
}

// The problem inside a prompt: the user's message of a chat, without the instruction around it.
std::string prompt_text(const Json& value, const std::string& field) {
  std::string text;
  if (value.is_array()) {
    for (const Json& message : value) {
      if (harness::text_field(message, "role") == "user") text = harness::text_field(message, "content");
    }
    if (text.empty()) throw Error("\"{}\": expected a message of the user, found none", field);
  } else {
    text = scalar_text(value, field);
  }
  if (text.starts_with(kDapoBefore)) text.erase(0, kDapoBefore.size());
  if (text.ends_with(kDapoAfter)) text.erase(text.size() - kDapoAfter.size());
  return text;
}

void map_answer(const PublishedSet& set, const Json& record, harness::Problem& problem) {
  const Json* value = first_of(record, set.answer_fields);
  if (value == nullptr) {
    const Json* solution = first_of(record, set.box_fields);
    if (solution == nullptr) refuse_absent(record, set.answer_fields);
    const auto box = harness::last_balanced_box(scalar_text(*solution, "solution"));
    if (!box) throw Error("\"solution\": expected a \\boxed answer, found none");
    problem.answer = *box;
  } else if (set.form == AnswerForm::listed) {
    map_listed(record, *value, problem);
  } else {
    problem.answer = scalar_text(*value, "answer");
    if (set.form == AnswerForm::after_hashes) problem.answer = after_hashes(problem.answer);
  }
  problem.answer = trim(problem.answer);
  if (set.form == AnswerForm::integral) problem.answer = integral_text(problem.answer);
  if (problem.answer.empty()) throw Error("\"answer\": expected an answer, found an empty text");
}

// GSM8K: "48/2 = <<48/2=24>>24 clips\n#### 24" -> "48/2 = 24 clips\nThe answer is \boxed{24}." Others: the text that holds the
// box.
std::string worked_solution(const PublishedSet& set, const Json& record, const std::string& answer) {
  if (set.form != AnswerForm::after_hashes) {
    const Json* solution = first_of(record, set.box_fields);
    if (solution == nullptr || !solution->is_string()) return "";
    return harness::last_balanced_box(solution->get<std::string>()) ? trim(solution->get<std::string>()) : "";
  }
  std::string text = scalar_text(*first_of(record, set.answer_fields), "answer");
  text.resize(text.rfind("####"));
  for (size_t begin = text.find("<<"); begin != std::string::npos; begin = text.find("<<", begin)) {
    const size_t end = text.find(">>", begin);
    if (end == std::string::npos) break;
    text.erase(begin, end + 2 - begin);
  }
  return fmt::format("{}\nThe answer is \\boxed{{{}}}.", trim(text), answer);
}

}  // namespace

bool has_solutions(const PublishedSet& set) {
  const bool trains = std::find(set.splits.begin(), set.splits.end(), "train") != set.splits.end();
  return trains && (set.form == AnswerForm::after_hashes || !set.box_fields.empty());
}

const std::vector<PublishedSet>& published_sets() {
  static const std::vector<PublishedSet> sets = make_published_sets();
  return sets;
}

const PublishedSet* find_published_set(const std::string& name) {
  for (const PublishedSet& set : published_sets()) {
    if (set.name == name) return &set;
  }
  return nullptr;
}

PublishedSet plain_set(const std::string& name, const FieldNames& fields) {
  PublishedSet set = test_set(name, {});
  set.splits = {"train", "validation", "test"};
  set.text_fields = {"problem", "question", "prompt"};
  set.answer_fields = {"answer", "reward_model.ground_truth"};
  if (!fields.problem.empty()) set.text_fields = {fields.problem};
  if (!fields.answer.empty()) {
    set.answer_fields = {fields.answer};
    set.box_fields = {};
  }
  set.kind_fields = {"kind", "subject", "type"};
  return set;
}

std::vector<std::string> fields_of(const PublishedSet& set) {
  std::set<std::string> fields;
  if (!set.levels.empty()) fields.insert("level");
  if (set.form == AnswerForm::listed) fields.insert({"is_multiple_answer", "unit", "answer_type", "error", "context"});
  for (const auto* paths : {&set.text_fields, &set.answer_fields, &set.box_fields, &set.kind_fields}) {
    for (const std::string& path : *paths) fields.insert(path.substr(0, path.find('.')));
  }
  return {fields.begin(), fields.end()};
}

std::optional<harness::Problem> map_record(const PublishedSet& set, const Json& record) {
  if (!set.levels.empty()) {
    const Json* level = value_at(record, "level");
    if (level == nullptr) throw Error("expected the field \"level\", found none");
    if (std::find(set.levels.begin(), set.levels.end(), scalar_text(*level, "level")) == set.levels.end()) return std::nullopt;
  }
  const Json* text = first_of(record, set.text_fields);
  if (text == nullptr) refuse_absent(record, set.text_fields);
  harness::Problem problem;
  problem.set = set.name;
  problem.text = trim(prompt_text(*text, set.text_fields.front()));
  if (problem.text.empty()) throw Error("\"{}\": expected a problem, found an empty text", set.text_fields.front());
  map_answer(set, record, problem);
  if (const Json* kind = first_of(record, set.kind_fields)) problem.kind = scalar_text(*kind, set.kind_fields.front());
  return problem;
}

ReadSet read_published(const PublishedSet& set, const std::vector<std::string>& files) {
  ReadSet read;
  read.set.name = set.name;
  std::map<uint64_t, std::string> seen;  // problem hash -> answer
  for (const std::string& file : files) {
    harness::read_records(file, fields_of(set), [&](const Json& record, const std::string& place) {
      ++read.counts.rows;
      auto problem = harness::with_context(place, [&] { return map_record(set, record); });
      if (!problem) {
        ++read.counts.left_out;
        return;
      }
      const auto [first, fresh] = seen.emplace(problem->hash(), problem->answer);
      if (!fresh) {
        ++read.counts.duplicates;
        read.counts.conflicts += first->second != problem->answer;
        if (set.deduplicate) return;
      }
      problem->id = fmt::format("{}-{:05}", set.name, read.set.problems.size());
      read.solutions.push_back(worked_solution(set, record, problem->answer));
      read.set.problems.push_back(std::move(*problem));
    });
  }
  if (read.set.problems.empty()) throw Error("{}: expected problems in {}, found none", set.name, fmt::join(files, ", "));
  return read;
}

}  // namespace datasets
