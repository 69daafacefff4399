// Catalog: every problem set by name, the generated and the published ones, with how each is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datasets/procedural.h"
#include "datasets/published.h"
#include "datasets/words.h"
#include "harness/data/problem.h"

namespace datasets {

// Names:
// - generated, with the splits train, validation and test: "nano/prec", "nano/mod", "nano/lin", "nano/seq", "nano/list" ("nano"
//   stands for the five), "nano/errors" ("arena" stands for the six) and "words";
// - published, test only: "aime24", "aime25", "hmmt25", "amc23", "math500", "minerva", "olympiadbench";
// - published, train and test: "gsm8k"; train only: "math345" (MATH levels 3 to 5), "dapo17k".
// A name may carry its split, "gsm8k:test", which then wins over the split asked for. "gsm8k_train" and "gsm8k_test" are
// "gsm8k:train" and "gsm8k:test". A file's own name ("my_problems.jsonl", .jsonl.gz, .jsonl.zst, .json, .csv, .parquet; fields
// as plain_set has them) is a set of one split that serves any.
struct LoadSettings {
  std::string data_dir;     // where published sets lie; empty: MEDSBENCH_DATA, then the hub cache (hub.h)
  uint64_t data_seed = 0;   // of the generated sets and of the samples below
  int64_t limit = 0;        // > 0: a keyed sample of that many problems of each set, in the set's order
  int64_t train_limit = 0;  // > 0: in place of `limit` for training splits
  int64_t validation = 0;   // > 0: that many problems of a published training set become its validation split
  FieldNames fields;        // of files of the user's own
  NanoSettings nano;
  WordSettings words;
};

// One set. `split` is "train", "validation" or "test"; empty: the name's own, or else the only one the set has. Throws Error
// for an unknown name (with the nearest one), a split that the set does not have, a missing file (with what to put where), and
// bad content (file, line, expected, found).
harness::ProblemSet load_set(const std::string& name, const LoadSettings& settings = {}, const std::string& split = "");
// Several, in order; "nano" becomes its five sets, "arena" its six. Of training sets, a problem that two of them have stays in
// the first only.
std::vector<harness::ProblemSet> load_sets(const std::vector<std::string>& names, const std::string& split,
                                           const LoadSettings& settings = {});
// Demonstrations of "nano" (or any of its sets: all kinds), "arena" or "words", or the worked solutions of a published training
// set
// ("gsm8k", "math345"): each once an epoch in an order of its own, no problem of its validation split among them. Throws Error
// for another name.
std::unique_ptr<DemonstrationSource> load_demonstrations(const std::string& name, const LoadSettings& settings = {});
// The names it takes, those of single nano sets left out.
std::vector<std::string> demonstration_names();

// What the files of the named sets hold: SHA-256 over each set's name, split and the SHA-256 of its files; "" where all are
// generated. A set whose file is not there counts as absent: reading it says what to put where.
std::string files_identity(const std::vector<std::string>& names, const std::string& data_dir);

// The limit that holds for a split; 0: none.
int64_t limit_of(const LoadSettings& settings, const std::string& split);

// Of "nano" and "arena" their sets by their names in this catalog; of any other name none.
std::vector<std::string> sets_of_suite(const std::string& name);

struct SetName {
  std::string name;   // without the split
  std::string split;  // may be empty
};
// Splits at the last colon, and reads gsm8k_train and gsm8k_test as above; the name is not looked up.
SetName parse_set_name(const std::string& name);
// All names of the catalog, in the order above.
std::vector<std::string> set_names();
// The splits that a set of the catalog has, those of a file's own name being all three. Throws Error for an unknown name, with
// the nearest one. A validation split that LoadSettings takes out of a training set is not among them.
std::vector<std::string> splits_of(const std::string& name);

}  // namespace datasets
