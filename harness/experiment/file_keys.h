// The keys of an experiment file that no training or evaluation reads: its head, the heads of its rows, its base models.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/config_reader.h"
#include "harness/report/results/experiment_record.h"

namespace harness {

// How a base model is tried before its rows are trained.
struct TrialSettings {
  int64_t problems = 16;  // of training, spread over all; 0: no trial
  int64_t samples = 4;    // responses to each
  double share = 0.05;    // of right responses, below which the trial says what to change
};

struct FileHead {
  TableSettings table;  // title, and what read_table_keys reads
  std::vector<int64_t> seeds;
  std::string results, runs, model_cache;
  int64_t workers = 2;      // run.jobs
  int64_t whole_seeds = 0;  // run.whole_seeds
  int64_t other_n = 16;     // run.other_n
  TrialSettings trial;      // run.try_problems, run.try_samples, run.try_below
  std::vector<std::string> also, slurm;
  std::string published;
};
// `stem`: the file's name without its ending, after which folders are named. Throws Error for seeds that are no list, none or
// the same twice, and what read_table_keys refuses.
FileHead read_file_head(ConfigReader& keys, const std::string& stem);
// True of "KEY=VALUE" where the key is of the head or of a base model.
bool is_of_file_head(const std::string& assignment);

struct RowHead {
  std::string name, label, compare_to, regrade_of;
  bool untrained = false;
  std::vector<int64_t> seeds;
  std::vector<std::string> models;
};
// `seeds`, `models`: those of the file. Throws Error for seeds as above.
RowHead read_row_head(ConfigReader& keys, const std::vector<int64_t>& seeds, const std::vector<std::string>& models);

// One [models.NAME].
struct ModelKeys {
  std::string path, pretrain, start, prepare, shape;
  int64_t positions = 0;
};
// Throws Error unless there is either a path or a pretrain file, with what can stand beside it.
ModelKeys read_model_keys(ConfigReader& keys, const std::string& place);

}  // namespace harness
