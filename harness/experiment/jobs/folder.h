// The files that every job's folder has: config.toml, manifest.json, done.json, timing.json.
#pragma once

#include <torch/types.h>

#include <optional>
#include <string>
#include <vector>

#include "harness/core/config.h"
#include "harness/core/json.h"
#include "harness/train/step/timing.h"

namespace harness {

inline constexpr int64_t kJobVersion = 1;

// runs/NAME of a file NAME.toml: where a job goes whose folder is not named.
std::string default_run_folder(const std::string& toml_file);
// Creates the folder and writes config.toml (effective) and manifest.json (identity, versions, instruction set).
void open_job_folder(const std::string& folder, const std::string& kind, const std::string& identity,
                     const Config::Entries& effective);
// Removes what a killed process left half-written below the folder (NAME.tmp.PID, progress.json.PID with the PID of no process
// here). The caller holds the folder's lock.
void remove_leftovers(const std::string& folder);
// done.json: what the job came to, written last.
void write_done(const std::string& folder, const std::string& identity, const OrderedJson& facts);
// None: no done.json. Throws Error for a damaged one or a newer version.
std::optional<Json> read_done(const std::string& folder);
// timing.json, the only file with times in it: seconds, and the peak memory of this process and, on a GPU, of the device. A
// training's has its windows of steps too, each with `method_share` (harness/train/step/timing.h), and its `rates` (rates.h).
void write_timing(const std::string& folder, torch::Device device, const Seconds& seconds,
                  const std::vector<TimingWindow>& windows = {}, const OrderedJson& rates = OrderedJson::object());

}  // namespace harness
