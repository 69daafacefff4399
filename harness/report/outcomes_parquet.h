// OutcomesParquet: all stored outcomes of a results folder as one Parquet file, a row a response.
#pragma once

#include <cstdint>
#include <string>

namespace harness {

// Columns: base_model, row, seed, set, problem, kind, sample, verdict_GRADER (a column a grader), extracted, normalised,
// error_label, finish, tokens, mean_log_prob, mean_entropy, text, ids (list), fingerprint (list); null where there is nothing.
// One row group an outcome file, zstd, written beside and renamed over. Returns the number of rows. Throws Error for an outcome
// file that cannot be read, a full disk, or a build without Arrow (MEDSBENCH_ARROW=OFF).
int64_t write_outcomes_parquet(const std::string& results_folder, const std::string& path);

}  // namespace harness
