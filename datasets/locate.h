// Locate: where the files of a published set lie on this machine.
#pragma once

#include <string>
#include <vector>

#include "datasets/published.h"
#include "harness/hub/hub_cache.h"

namespace datasets {

// The files of one split, sorted by name. Looked for in `data_dir` (if empty: the environment's MEDSBENCH_DATA) as NAME.ENDING
// or NAME_SPLIT.ENDING, then as the hub lays them out in a folder NAME, ORG/NAME or ORG--NAME, then in the hub's cache. Throws
// AbsentSet, which says what to put where.
std::vector<std::string> locate_set(const PublishedSet& set, const std::string& split, const std::string& data_dir,
                                    const harness::Environment& environment = harness::process_environment);

// The record files under a folder that hold the split: those named after it; in a set of one split, where none is, all of them.
std::vector<std::string> files_of_split(const PublishedSet& set, const std::string& split, const std::string& folder);

}  // namespace datasets
