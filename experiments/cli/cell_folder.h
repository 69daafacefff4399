// The files that every cell's folder has: config.toml, manifest.json, done.json, timing.json.
#pragma once

#include <torch/types.h>

#include <optional>
#include <string>
#include <vector>

#include "harness/core/config.h"
#include "harness/core/json.h"
#include "harness/train/step/timing.h"

namespace experiments {

inline constexpr int64_t kCellVersion = 1;

// runs/NAME of a file NAME.toml: where a cell goes whose folder is not named.
std::string default_run_folder(const std::string& toml_file);
// Creates the folder and writes config.toml (effective) and manifest.json (identity, versions, instruction set).
void open_cell_folder(const std::string& folder, const std::string& kind, const std::string& identity,
                      const harness::Config& config);
// Removes what a killed process left half-written below the folder (NAME.tmp.PID, progress.json.PID with the PID of no process
// here). The caller holds the folder's lock.
void remove_leftovers(const std::string& folder);
// done.json: what the cell came to, written last.
void write_done(const std::string& folder, const std::string& identity, const harness::OrderedJson& facts);
// None: no done.json. Throws Error for a damaged one or a newer version.
std::optional<harness::Json> read_done(const std::string& folder);
// timing.json, the only file with times in it: seconds, and the peak memory of this process and, on a GPU, of the device. A
// training's has its windows of steps too, each with `method_share` (harness/train/step/timing.h), and its `rates` (rates.h).
void write_timing(const std::string& folder, torch::Device device, const harness::Seconds& seconds,
                  const std::vector<harness::TimingWindow>& windows = {},
                  const harness::OrderedJson& rates = harness::OrderedJson::object());

}  // namespace experiments
