#include "harness/exchange/import_results.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include "harness/core/config_reader.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/data/problem_file.h"
#include "harness/exchange/foreign_outcomes.h"
#include "harness/report/results/experiment_record.h"
#include "harness/report/table/table_keys.h"
#include "harness/reward/all_graders.h"

namespace harness {

namespace {

namespace fs = std::filesystem;

// The outcomes of one row and seed, of all its files.
struct SeedFiles {
  std::string place;  // where the TOML file names them, for errors
  OutcomeFile file;
  std::map<std::string, ProblemSet> problems;
};

struct ImportedRow {
  RowRecord record;
  bool untrained = false;
  std::map<int64_t, SeedFiles> seeds;
};

// What all rows have to agree in, with the file that said it first.
struct Agreed {
  std::map<std::pair<std::string, std::string>, std::pair<std::string, std::string>> questions;  // set, problem -> hash, file
  std::set<std::string> programs, judges;
  std::set<std::optional<double>> temperatures;
};

class ResultsImport {
 public:
  explicit ResultsImport(const std::string& toml) : toml_(toml), config_(Config::from_toml_file(toml)) {}

  Imported run(const std::string& out) {
    if (fs::exists(out + "/experiment.json")) {
      throw Error("{}/experiment.json: expected a folder without results, found some: name another, or remove it", out);
    }
    read_file_of_rows();
    choose_sets();
    choose_n();
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
    agreed_.temperatures.insert(foreign.temperature);
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

  void check_question(const Outcome& outcome, const std::map<std::string, std::string>& questions, const std::string& path) {
    const auto hash = questions.find(outcome.problem);
    if (hash == questions.end()) return;
    const auto [known, is_new] = agreed_.questions.try_emplace({outcome.set, outcome.problem}, std::pair(hash->second, path));
    if (is_new || known->second.first == hash->second) return;
    throw Error("{}: {}, {}: expected the question that {} has under this id, found another", path, outcome.set,
                outcome.problem, known->second.second);
  }

  // All sets found unless the file chooses; every row and seed must have each, with the same problems.
  void choose_sets() {
    using Problems = std::map<std::string, std::set<std::string>>;
    std::vector<std::string> found;
    Problems first;
    for (const ImportedRow& row : rows_) {
      for (const auto& [seed, files] : row.seeds) {
        for (const Outcome& outcome : files.file.outcomes) {
          if (first[outcome.set].empty()) found.push_back(outcome.set);
          first[outcome.set].insert(outcome.problem);
        }
      }
    }
    if (record_.sets.empty()) record_.sets = found;
    for (const ImportedRow& row : rows_) {
      if (row.seeds.empty()) throw Error("{}: row {}: expected outcomes of {}, found none", toml_, row.record.name, all_sets());
      for (const auto& [seed, files] : row.seeds) {
        Problems mine;
        for (const Outcome& outcome : files.file.outcomes) mine[outcome.set].insert(outcome.problem);
        for (const std::string& set : record_.sets) check_problems(set, mine[set], first[set], seed, files.place);
      }
    }
  }

  [[nodiscard]] std::string all_sets() const { return fmt::format("{}", fmt::join(record_.sets, ", ")); }

  static void check_problems(const std::string& set, const std::set<std::string>& mine, const std::set<std::string>& all,
                             int64_t seed, const std::string& place) {
    if (mine == all && !all.empty()) return;
    const auto missing = std::find_if(all.begin(), all.end(), [&](const std::string& one) { return !mine.contains(one); });
    throw Error("{}: seed {}: expected the {} problems of {} that the rows have together, found {}{}", place, seed, all.size(),
                set, mine.size(), missing == all.end() ? "" : fmt::format(" (no {})", *missing));
  }

  void choose_n() {
    int64_t least = std::numeric_limits<int64_t>::max(), most = 0;
    std::string where;
    for (const ImportedRow& row : rows_) {
      for (const auto& [seed, files] : row.seeds) {
        std::map<std::pair<std::string, std::string>, int64_t> samples;
        for (const Outcome& outcome : files.file.outcomes) ++samples[{outcome.set, outcome.problem}];
        for (const auto& [problem, count] : samples) {
          most = std::max(most, count);
          if (count >= least) continue;
          least = count;
          where = fmt::format("row {}, seed {}, {}, problem {}", row.record.name, seed, problem.first, problem.second);
        }
      }
    }
    if (record_.n > least)
      throw Error("{}: n: expected at most the {} samples of {}, found {}", toml_, least, where, record_.n);
    if (record_.n == 0 && least != most) {
      throw Error(
          "{}: expected the same number of samples of every problem, found {} of {} and {} elsewhere: n = {} counts so many",
          toml_, least, where, most, least);
    }
    if (record_.n == 0) record_.n = least;
    if (!k_given_)
      record_.k = record_.n == 1 ? std::vector<int64_t>{1} : std::vector<int64_t>{1, std::min<int64_t>(128, record_.n)};
  }

  // What the footer may say, and nothing that is not known.
  void describe() {
    const std::optional<double> said =
        agreed_.temperatures.size() == 1 ? *agreed_.temperatures.begin() : std::optional<double>();
    if (temperature_given_ && said && *said != *record_.temperature) {
      throw Error("{}: temperature: expected {} as the files say, found {}", toml_, *said, *record_.temperature);
    }
    if (!temperature_given_) record_.temperature = said;
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
