// Import: outcome files of other programs as a results folder of ours, from a TOML file that says which row each belongs to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace harness {

struct Imported {
  int64_t rows = 0, files = 0, responses = 0;
  std::vector<std::string> sets;
};

// The file:
//   title, table.k, table.g_pass, table.maj, table.primary as in an experiment; sets (which, in order; default: all found)
//   n, temperature              samples a problem, where problems have different numbers; where the files do not say it
//   verdict.metric, .filter, .grader, and verdict.SET.metric, ... of one set (VerdictChoice)
//   [[rows]] name, label, base_model, compare_to, and
//     files.SEED = PATH or a list       of the training with that seed; files of one set add up to more samples
//     files = PATH or a list            JSON lines that say their seeds (without "set": of the one in sets); with untrained =
//     true: the base model as it is
// A path is a file, or a folder whose samples_*.jsonl and details_*.parquet count, however deep; relative ones begin at the
// TOML file. Writes OUT/ROW.../outcomes.jsonl.zst and problems.jsonl.zst, then OUT/experiment.json. Throws Error before
// anything is written for what would make the rows of a table incomparable: another number of samples, other problems or other
// questions under one id, a set that is missing; also where OUT has an experiment.json.
Imported import_results(const std::string& toml, const std::string& out);

}  // namespace harness
