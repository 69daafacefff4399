// A small made-up experiment on disk, for the tests of this folder: outcomes, metrics, configs and experiment.json.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/random.h"
#include "harness/data/outcome.h"
#include "harness/report/results/experiment_record.h"

namespace harness {

struct TestRow {
  std::string name, compare_to;
  std::vector<int64_t> seeds;
  double gain = 0;  // added to every problem's rate
};

struct TestExperiment {
  std::vector<TestRow> rows = {{"Base", "", {0}, 0}, {"DAPO", "", {1, 2, 3}, 0.2}, {"MEDS", "DAPO", {1, 2, 3}, 0.25}};
  std::vector<std::string> sets = {"prec", "mod"};
  int64_t problems = 4, n = 8, steps = 6;
  std::string hostile;  // replaces the text of each first sample
};

inline OutcomeFile test_outcomes(const TestExperiment& experiment, const TestRow& row, int64_t seed) {
  OutcomeFile file{"recipe", {}};
  for (const std::string& set : experiment.sets) {
    for (int64_t problem = 0; problem < experiment.problems; ++problem) {
      const uint64_t key = hash64(set + std::to_string(problem));
      const RandomStream problem_stream("test problem", {key});
      const RandomStream seed_stream("test seed", {key, static_cast<uint64_t>(seed), hash64(row.name)});
      const double rate = problem_stream.uniform(0) * 0.7 + row.gain + 0.05 * (seed_stream.uniform(1000) - 0.5);
      for (int64_t sample = 0; sample < experiment.n; ++sample) {
        Outcome outcome;
        outcome.set = set;
        outcome.problem = set + "-" + std::to_string(1000 + problem);
        outcome.kind = set + std::to_string(problem % 4 + 1);
        outcome.seed = seed;
        outcome.sample = sample;
        const bool right = seed_stream.uniform(static_cast<uint64_t>(sample)) < rate;
        const int64_t wrong = static_cast<int64_t>(seed_stream.below(static_cast<uint64_t>(2000 + sample), 5));
        outcome.verdicts = {{"recipe", right ? Correctness::right : Correctness::wrong},
                            {"math", right ? Correctness::right : Correctness::wrong}};
        outcome.extracted = right ? "42" : wrong == 4 ? std::optional<std::string>() : std::to_string(10 + wrong);
        outcome.normalised = outcome.extracted;
        if (!right) outcome.error_label = wrong < 2 ? "left to right" : wrong == 2 ? "drop last" : "slip";
        outcome.finish = "stop";
        outcome.tokens = 12 + wrong;
        outcome.text = "6*9=54;8+54=62;\\boxed{" + outcome.extracted.value_or("") + "}";
        if (sample == 0 && !experiment.hostile.empty()) outcome.text = experiment.hostile;
        outcome.mean_log_prob = -0.25;
        outcome.mean_entropy = 0.5;
        file.outcomes.push_back(outcome);
      }
    }
  }
  return file;
}

inline std::string test_metrics(const TestExperiment& experiment, const TestRow& row, int64_t seed) {
  std::string text;
  const RandomStream stream("test metrics", {static_cast<uint64_t>(seed), hash64(row.name)});
  for (int64_t step = 1; step <= experiment.steps; ++step) {
    const double progress = static_cast<double>(step) / static_cast<double>(experiment.steps);
    const double noise = 0.05 * stream.normal(static_cast<uint64_t>(step));
    text += dump_line(OrderedJson{{"step", step},
                                  {"reward", 0.25 + (0.3 + row.gain) * progress + noise},
                                  {"entropy", 0.9 - 0.6 * progress + noise},
                                  {"rollout_pass_rate", 0.25 + (0.3 + row.gain) * progress},
                                  {"response_tokens", 20 + 3 * progress + noise},
                                  {"error_label/drop last", 0.5 - 0.3 * progress},
                                  {"error_label/slip", 0.2},
                                  {"error_label/left to right", 0.3 + 0.3 * progress}}) +
            "\n";
  }
  return text;
}

// Writes the experiment under FOLDER/results, its runs under FOLDER/runs; returns the results folder.
inline std::string write_test_experiment(const std::string& folder, const TestExperiment& experiment) {
  ExperimentRecord record;
  record.title = "A made-up experiment";
  record.sets = experiment.sets;
  record.k = {1, experiment.n};
  record.n = experiment.n;
  record.config_hash = std::string(64, 'a');
  record.commit = "0123456789abcdef";
  record.largest_log_prob_difference = 0.0;
  record.machine = Json{{"processor", "made-up"}, {"cores", "2"}};
  for (const TestRow& row : experiment.rows) {
    RowRecord line{row.name, "", "nano-qwen3", row.compare_to, row.seeds, {}};
    for (const int64_t seed : row.seeds) {
      const std::string cell_folder = folder + "/runs/" + row.name + "-" + std::to_string(seed);
      const std::string relative = "../runs/" + row.name + "-" + std::to_string(seed);
      make_folder(cell_folder);
      write_outcomes(cell_folder + "/outcomes.jsonl.zst", test_outcomes(experiment, row, seed));
      SeedRecord one;
      one.seed = seed;
      one.sets = experiment.sets;
      one.outcomes = relative + "/outcomes.jsonl.zst";
      if (seed != 0) {
        write_file_atomically(cell_folder + "/metrics.jsonl", test_metrics(experiment, row, seed));
        write_file_atomically(cell_folder + "/config.toml",
                              "method.name = \"" + row.name + "\"\nseed = " + std::to_string(seed) + "\n");
        one.metrics = relative + "/metrics.jsonl";
        one.config = relative + "/config.toml";
        one.budget = Budget{190000, 10000, 5000, 24, 5.0};
        one.train_pass_rate = 0.72;
      }
      line.records.push_back(one);
    }
    record.rows.push_back(line);
  }
  make_folder(folder + "/results");
  write_experiment_record(folder + "/results", record);
  return folder + "/results";
}

// A fresh folder under the test's temporary folder.
inline std::string fresh_folder(const std::string& name) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / ("medsbench_report_" + name);
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path.string();
}

}  // namespace harness
