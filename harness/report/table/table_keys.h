// The keys of a TOML file that say which columns a table has and when its comparisons are decided: table.*, until.*,
// [[conditions]].
#pragma once

#include "harness/core/config_reader.h"
#include "harness/report/results/experiment_record.h"

namespace harness {

// Into k, g_pass, maj, cover, primary and rule of `table`. Throws Error for no k, a k below 1, a threshold out of range, a
// primary column that is none, and a rule without what it needs.
void read_table_keys(ConfigReader& keys, TableSettings& table);

// One of [[conditions]]; its keys alone. Throws Error for a metric that is no column, what does not go with `is`, unknown keys.
Condition read_condition(ConfigReader& keys);

}  // namespace harness
