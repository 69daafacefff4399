#include "harness/exchange/import_results.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include "harness/core/config_reader.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/data/problem_file.h"
#include "harness/exchange/foreign_outcomes.h"
#include "harness/exchange/import_rows.h"
#include "harness/report/table/table_keys.h"
#include "harness/reward/all_graders.h"

namespace harness {

namespace {

namespace fs = std::filesystem;

// What all rows have to agree in, with the file that said it first.
struct Agreed {
  std::map<std::pair<std::string, std::string>, std::pair<std::string, std::string>> questions;  // set, problem -> hash, file
  std::set<std::string> programs, judges;
  std::optional<std::pair<double, std::string>> temperature;  // and the file
  bool silent = false;                                        // some file does not say its temperature
};

class ResultsImport {
 public:
  explicit ResultsImport(const std::string& toml) : toml_(toml), config_(Config::from_toml_file(toml)) {}

  Imported run(const std::string& out) {
    if (fs::exists(out + "/experiment.json")) {
      throw Error("{}/experiment.json: expected a folder without results, found some: name another, or remove it", out);
    }
    read_file_of_rows();
    if (record_.sets.empty()) record_.sets = sets_of(rows_);
    require_same_problems(rows_, record_.sets);
    with_context(toml_, [&] { record_.n = common_samples(rows_, record_.n); });
    if (!k_given_ && record_.n == 1) record_.k = {1};
    if (!k_given_ && record_.n > 1) record_.k = {1, std::min<int64_t>(128, record_.n)};
    describe();
    write(out);
    return done_;
  }

 private:
  void read_file_of_rows() {
    const std::vector<Config> rows = config_.take_tables("rows");
    ConfigReader keys(config_);
    record_.title = keys.text("title", fs::path(toml_).stem().string(), "of the table");
    record_.sets = keys.texts("sets", {}, "that count, in the order of the columns; none: all that are found");
    read_table_keys(keys, record_);
    k_given_ = keys.has("table.k");
    record_.n = keys.integer("n", 0, 0, "samples 0 .. n-1 of each problem count; 0: all");
    if (keys.has("temperature")) record_.temperature = keys.number("temperature", 0, 0, "at which the responses were sampled");
    temperature_given_ = keys.has("temperature");
    read_verdicts(keys);
    keys.finish();
    if (rows.empty()) throw Error("{}: expected [[rows]], found none", toml_);
    for (const Config& row : rows) read_row(row);
  }

  // verdict.KEY for all sets, verdict.SET.KEY for one; the sets are not known before the files are read.
  void read_verdicts(ConfigReader& keys) {
    const auto read = [&](const std::string& key, VerdictChoice& choice) {
      const std::string last = key.substr(key.rfind('.') + 1);
      if (last == "metric") choice.metric = keys.text(key, choice.metric, "field that says right (1) or wrong (0)");
      if (last == "filter") choice.filter = keys.text(key, choice.filter, "of lm-evaluation-harness");
      if (last == "grader") choice.grader = keys.text(key, choice.grader, grader_names(), "grades the responses anew");
    };
    for (const char* key : {"verdict.metric", "verdict.filter", "verdict.grader"}) read(key, verdict_);
    const std::string prefix = "verdict.";
    for (const auto& [key, entry] : config_.entries()) {
      const size_t end = key.rfind('.');
      if (!key.starts_with(prefix) || end < prefix.size()) continue;
      const auto of_set = verdicts_.try_emplace(key.substr(prefix.size(), end - prefix.size()), verdict_).first;
      read(key, of_set->second);
    }
  }

  void read_row(Config config) {
    ImportedRow row;
    Config by_seed = config.take("files");
    ConfigReader keys(config);
    RowRecord& record = row.record;
    record.name = keys.required_text("name", "of the row");
    record.label = keys.text("label", record.name, "what tables show in place of the name");
    record.base_model = keys.required_text("base_model", "rows of one base model are compared");
    record.compare_to = keys.text("compare_to", "", "row that this one is compared with");
    row.untrained = keys.boolean("untrained", false, "the base model as it is");
    const std::vector<std::string> files = keys.texts("files", {}, "of all seeds: JSON lines that say them");
    keys.finish();
    const std::string place = fmt::format("{}: row {}", toml_, record.name);
    if (files.empty() == by_seed.entries().empty()) {
      throw Error("{}: expected files = PATH or files.SEED = PATH, found {}", place, files.empty() ? "neither" : "both");
    }
    with_context(place, [&] {
      if (!files.empty()) read_paths(files, row.untrained ? std::optional<int64_t>(0) : std::nullopt, place, row);
    });
    ConfigReader seeds(by_seed);
    for (const auto& [key, entry] : by_seed.entries()) {
      const std::string seed_place = fmt::format("{}: files.{}", entry.origin, key);
      const std::optional<int64_t> seed = whole_number_of(key);
      if (!seed || row.untrained) {
        throw Error("{}: expected {}, found {}", seed_place,
                    row.untrained ? "files = PATH of the untrained model" : "files.SEED", row.untrained ? "a seed" : key);
      }
      const std::vector<std::string> paths = seeds.texts(key, {}, "of this training seed");
      with_context(seed_place, [&] { read_paths(paths, seed, seed_place, row); });
    }
    for (const auto& [seed, files_of_seed] : row.seeds) record.seeds.push_back(seed);
    rows_.push_back(std::move(row));
  }

  static std::optional<int64_t> whole_number_of(const std::string& text) {
    int64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    return problem == std::errc() && end == text.data() + text.size() && value >= 0 ? std::optional(value) : std::nullopt;
  }

  // The files that a path names.
  [[nodiscard]] std::vector<std::string> files_at(const std::string& path) const {
    const std::string whole = (fs::path(toml_).parent_path() / path).lexically_normal().string();
    if (!fs::is_directory(whole)) return {whole};
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(whole)) {
      const std::string name = entry.path().filename().string();
      const bool counts = (name.starts_with("samples_") && name.ends_with(".jsonl")) ||
                          (name.starts_with("details_") && name.ends_with(".parquet"));
      if (counts && is_wanted(set_of_file(name))) files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    if (files.empty()) throw Error("{}: expected samples_*.jsonl or details_*.parquet, found none", whole);
    std::map<std::string, std::string> sets;
    for (const std::string& file : files) {
      const auto [other, is_new] = sets.emplace(set_of_file(file), file);
      if (!is_new) {
        throw Error("{}: expected one file of {}, found {} and {}: name those that count", whole, other->first, other->second,
                    file);
      }
    }
    return files;
  }

  [[nodiscard]] bool is_wanted(const std::string& set) const {
    return record_.sets.empty() || std::find(record_.sets.begin(), record_.sets.end(), set) != record_.sets.end();
  }

  void read_paths(const std::vector<std::string>& paths, std::optional<int64_t> seed, const std::string& place,
                  ImportedRow& row) {
    for (const std::string& path : paths) {
      for (const std::string& file : files_at(path)) {
        check_interrupt();
        read_one(file, seed, place, row);
      }
    }
  }

  void read_one(const std::string& path, std::optional<int64_t> seed, const std::string& place, ImportedRow& row) {
    ForeignOutcomes foreign = read_foreign_outcomes(path, [&](const std::string& set) {
      const auto found = verdicts_.find(set);
      return found == verdicts_.end() ? verdict_ : found->second;
    });
    ++done_.files;
    if (!seed && !foreign.has_seeds) {
      throw Error("{}: expected files.SEED = PATH for a file that does not say its training seed, found files = PATH", path);
    }
    agreed_.programs.insert(foreign.program);
    agreed_.judges.insert(foreign.judged_by);
    check_temperature(foreign.temperature, path);
    name_set(foreign, path);
    std::map<std::tuple<int64_t, std::string, std::string>, int64_t> before;  // samples of earlier files
    for (const auto& [known, files] : row.seeds) {
      for (const Outcome& outcome : files.file.outcomes) ++before[{known, outcome.set, outcome.problem}];
    }
    for (Outcome& outcome : foreign.file.outcomes) {
      if (!is_wanted(outcome.set)) continue;
      if (seed && foreign.has_seeds && outcome.seed != *seed) {
        throw Error("{}: expected the seed {} in every line, found {}", path, *seed, outcome.seed);
      }
      if (seed) outcome.seed = *seed;
      check_question(outcome, foreign.questions, path);
      const auto earlier = before.find({outcome.seed, outcome.set, outcome.problem});
      if (earlier != before.end()) outcome.sample += earlier->second;
      SeedFiles& into = row.seeds[outcome.seed];
      into.place = place;
      into.file.outcomes.push_back(std::move(outcome));
    }
    for (auto& [one, into] : row.seeds) {
      if (seed && one != *seed) continue;
      into.file.sets_without_answers.merge(std::set<std::string>(foreign.file.sets_without_answers));
      for (const auto& [set, problems] : foreign.problems) into.problems.emplace(set, problems);
    }
  }

  // Lines that say no set are of the one that the TOML file names.
  void name_set(ForeignOutcomes& foreign, const std::string& path) const {
    const bool asked = std::any_of(foreign.file.outcomes.begin(), foreign.file.outcomes.end(),
                                   [](const Outcome& outcome) { return outcome.set.empty(); });
    if (!asked) return;
    if (record_.sets.size() != 1) {
      throw Error("{}: expected \"set\" in its lines, or sets = [NAME] in {}, found neither", path, toml_);
    }
    for (Outcome& outcome : foreign.file.outcomes) outcome.set = outcome.set.empty() ? record_.sets.front() : outcome.set;
    if (foreign.file.sets_without_answers.erase("") > 0) foreign.file.sets_without_answers.insert(record_.sets.front());
  }

  void check_temperature(std::optional<double> temperature, const std::string& path) {
    agreed_.silent |= !temperature;
    if (!temperature) return;
    if (!agreed_.temperature) agreed_.temperature = {*temperature, path};
    if (agreed_.temperature->first == *temperature) return;
    throw Error("{}: expected the temperature {} of {}, found {}", path, agreed_.temperature->first,
                agreed_.temperature->second, *temperature);
  }

  void check_question(const Outcome& outcome, const std::map<std::string, std::string>& questions, const std::string& path) {
    const auto hash = questions.find(outcome.problem);
    if (hash == questions.end()) return;
    const auto [known, is_new] = agreed_.questions.try_emplace({outcome.set, outcome.problem}, std::pair(hash->second, path));
    if (is_new || known->second.first == hash->second) return;
    throw Error("{}: {}, {}: expected the question that {} has under this id, found another", path, outcome.set,
                outcome.problem, known->second.second);
  }

  // What the footer may say, and nothing that is not known.
  void describe() {
    if (temperature_given_ && agreed_.temperature && agreed_.temperature->first != *record_.temperature) {
      throw Error("{}: temperature: expected {} as {} says, found {}", toml_, agreed_.temperature->first,
                  agreed_.temperature->second, *record_.temperature);
    }
    if (!temperature_given_) record_.temperature = std::nullopt;
    if (!temperature_given_ && agreed_.temperature && !agreed_.silent) record_.temperature = agreed_.temperature->first;
    record_.eval_seed = std::nullopt;
    record_.device = "";
    record_.grader = fmt::format("{}", fmt::join(agreed_.judges, " or "));
    record_.imported_from = fmt::format("{}", fmt::join(agreed_.programs, " and "));
  }

  void write(const std::string& out) {
    std::set<std::string> folders;
    for (ImportedRow& row : rows_) {
      for (auto& [seed, files] : row.seeds) {
        const std::string folder =
            fmt::format("{}/{}/seed{}", path_part(row.record.base_model), path_part(row.record.name), seed);
        if (!folders.insert(folder).second) {
          throw Error("{}: row {}: expected another name than those before it, found the folder {} twice", toml_,
                      row.record.name, folder);
        }
        SeedRecord& record = row.record.records.emplace_back();
        record.seed = seed;
        record.sets = record_.sets;
        record.outcomes = folder + "/outcomes.jsonl.zst";
        if (!row.untrained) record.budget = std::nullopt;
        files.file.main_grader = record_.grader;
        std::stable_sort(files.file.outcomes.begin(), files.file.outcomes.end(), [](const Outcome& a, const Outcome& b) {
          return std::tie(a.set, a.problem, a.sample) < std::tie(b.set, b.problem, b.sample);
        });
        for (Outcome& outcome : files.file.outcomes) outcome.verdicts = {{record_.grader, outcome.verdicts.at(kGiven)}};
      }
      record_.rows.push_back(row.record);
    }
    (void)experiment_record_from_json(parse_json(to_json(record_).dump()));  // refuses rows that do not fit together
    for (const ImportedRow& row : rows_) {
      for (const auto& [seed, files] : row.seeds) {
        const std::string folder =
            fmt::format("{}/{}/{}/seed{}", out, path_part(row.record.base_model), path_part(row.record.name), seed);
        make_folder(folder);
        std::vector<ProblemSet> problems;
        for (const auto& [set, one] : files.problems) problems.push_back(one);
        if (!problems.empty()) write_problems(folder + "/" + kProblemFileName, problems);
        write_outcomes(folder + "/outcomes.jsonl.zst", files.file);
        done_.responses += static_cast<int64_t>(files.file.outcomes.size());
      }
    }
    write_experiment_record(out, record_);
    done_.rows = static_cast<int64_t>(rows_.size());
    done_.sets = record_.sets;
  }

  std::string toml_;
  Config config_;
  ExperimentRecord record_;
  bool k_given_ = false, temperature_given_ = false;
  VerdictChoice verdict_;                          // of sets without their own
  std::map<std::string, VerdictChoice> verdicts_;  // by set
  std::vector<ImportedRow> rows_;
  Agreed agreed_;
  Imported done_;
};

}  // namespace

Imported import_results(const std::string& toml, const std::string& out) { return ResultsImport(toml).run(out); }

}  // namespace harness
