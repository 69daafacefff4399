#include "harness/data/outcome.h"

#include <algorithm>

#include "harness/core/error.h"
#include "harness/core/files.h"

namespace harness {

namespace {
constexpr int64_t kRowsPerFrame = 4096;

std::optional<std::string> optional_text(const Json& line, const std::string& key) {
  const auto found = line.find(key);
  if (found == line.end() || found->is_null()) return std::nullopt;
  return text_field(line, key);
}
}  // namespace

Correctness Outcome::verdict(const std::string& grader) const {
  const auto found = verdicts.find(grader);
  if (found == verdicts.end())
    throw Error("problem {}, sample {}: expected a verdict of {}, found none", problem, sample, grader);
  return found->second;
}

double share_right(const std::vector<Outcome>& outcomes, const std::string& grader) {
  const auto right =
      std::count_if(outcomes.begin(), outcomes.end(), [&](const Outcome& outcome) { return outcome.correct(grader); });
  return outcomes.empty() ? 0 : static_cast<double>(right) / static_cast<double>(outcomes.size());
}

OrderedJson to_json(const Outcome& outcome) {
  OrderedJson line;
  line["set"] = outcome.set;
  line["problem"] = outcome.problem;
  if (!outcome.kind.empty()) line["kind"] = outcome.kind;
  line["seed"] = outcome.seed;
  line["sample"] = outcome.sample;
  line["verdicts"] = OrderedJson::object();
  for (const auto& [grader, verdict] : outcome.verdicts) line["verdicts"][grader] = to_string(verdict);
  line["extracted"] = outcome.extracted ? OrderedJson(*outcome.extracted) : OrderedJson(nullptr);
  line["normalised"] = outcome.normalised ? OrderedJson(*outcome.normalised) : OrderedJson(nullptr);
  if (!outcome.error_label.empty()) line["error_label"] = outcome.error_label;
  line["finish"] = outcome.finish;
  line["tokens"] = outcome.tokens;
  if (!outcome.ids.empty()) line["ids"] = outcome.ids;
  line["text"] = outcome.text;
  line["mean_log_prob"] = json_float(static_cast<float>(outcome.mean_log_prob));
  line["mean_entropy"] = json_float(static_cast<float>(outcome.mean_entropy));
  if (!outcome.fingerprint.empty()) {
    OrderedJson values = OrderedJson::array();
    for (const float value : outcome.fingerprint) values.push_back(json_float(value));
    line["fingerprint"] = std::move(values);
  }
  return line;
}

namespace {

Outcome read_outcome(const Json& line) {
  Outcome outcome;
  outcome.set = text_field(line, "set");
  outcome.problem = text_field(line, "problem");
  outcome.kind = optional_text(line, "kind").value_or("");
  outcome.seed = integer_field(line, "seed");
  outcome.sample = integer_field(line, "sample");
  if (!line.contains("verdicts") || !line["verdicts"].is_object()) {
    throw Error("expected the object \"verdicts\", found none");
  }
  for (const auto& [grader, verdict] : line["verdicts"].items()) {
    outcome.verdicts[grader] =
        with_context("verdict of " + grader, [&value = verdict] { return parse_correctness(value.get<std::string>()); });
  }
  outcome.extracted = optional_text(line, "extracted");
  outcome.normalised = optional_text(line, "normalised");
  outcome.error_label = optional_text(line, "error_label").value_or("");
  outcome.finish = text_field(line, "finish");
  outcome.tokens = integer_field(line, "tokens");
  if (line.contains("ids")) outcome.ids = line["ids"].get<std::vector<int64_t>>();
  outcome.text = optional_text(line, "text").value_or("");
  outcome.mean_log_prob = number_field(line, "mean_log_prob");
  outcome.mean_entropy = number_field(line, "mean_entropy");
  if (line.contains("fingerprint")) outcome.fingerprint = line["fingerprint"].get<std::vector<float>>();
  return outcome;
}

}  // namespace

Outcome outcome_from_json(const Json& line) {
  try {
    return read_outcome(line);
  } catch (const Json::exception& error) {
    throw Error("expected an outcome, found a field of another type ({})", problem_of(error));
  }
}

void write_outcomes(const std::string& path, const OutcomeFile& file) {
  OrderedJson graders = OrderedJson::array();
  if (!file.outcomes.empty()) {
    for (const auto& [grader, verdict] : file.outcomes.front().verdicts) graders.push_back(grader);
  }
  OrderedJson head{
      {"version", kOutcomeVersion}, {"format", "medsbench outcomes"}, {"graders", graders}, {"main", file.main_grader}};
  if (!file.sets_without_answers.empty()) head["no_answers"] = file.sets_without_answers;
  std::string bytes = zstd_compress(dump_line(head) + "\n");
  std::string frame;
  int64_t rows = 0;
  for (const Outcome& outcome : file.outcomes) {
    frame += dump_line(to_json(outcome)) + "\n";
    if (++rows % kRowsPerFrame == 0) {
      bytes += zstd_compress(frame);
      frame.clear();
    }
  }
  if (!frame.empty()) bytes += zstd_compress(frame);
  write_file_atomically(path, bytes);
}

OutcomeFile read_outcomes(const std::string& path) {
  const std::string text = with_context(path, [&] { return zstd_decompress(read_file(path)); });
  OutcomeFile file;
  size_t begin = 0;
  for (int64_t number = 1; begin < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    with_context(fmt::format("{}: line {}", path, number), [&] {
      const Json json = parse_json(line);
      if (number == 1) {
        const int64_t version = integer_field(json, "version");
        if (version > kOutcomeVersion) throw Error("expected version <= {}, found {}", kOutcomeVersion, version);
        file.main_grader = text_field(json, "main");
        if (json.contains("no_answers")) file.sets_without_answers = json["no_answers"].get<std::set<std::string>>();
      } else {
        file.outcomes.push_back(outcome_from_json(json));
      }
    });
  }
  if (begin == 0) throw Error("{}: expected an outcome file, found an empty one", path);
  return file;
}

}  // namespace harness
