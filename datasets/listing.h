// What `medsbench data` says of the problem sets: which there are, whether they are whole, one problem, fetching from a hub.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "datasets/catalog.h"
#include "harness/core/json.h"
#include "harness/hub/hub.h"

namespace datasets {

// Takes a line of text without its end.
using Say = std::function<void(const std::string& line)>;

// A line a set and split: number of problems, licence, where its files lie or where they can be had.
void list_sets(const LoadSettings& load, const Say& say);

// Reads every published set that is there, compares it with the manifest, and looks for test problems in training sets: of
// these names, or, where none are given, of all that are there. Returns the number of sets that differ.
int64_t check_sets(const LoadSettings& load, const std::vector<std::string>& train, const std::vector<std::string>& test,
                   const Say& say);

// Problem number `index` of a set or file. `split` "": the test problems, or what the set has instead. Throws Error for an
// index that it does not have.
harness::OrderedJson problem_json(const std::string& name, const std::string& split, int64_t index, const LoadSettings& load);

// Fetches a published set into the hub's cache, from the first of its origins that gives it, and compares it with the manifest.
// `report_to`: makes the report of a fetch from a repository. True if nothing differs. Throws Error where no origin gives it.
bool fetch_set(const std::string& name, const std::function<harness::ProgressReport(const std::string& repository)>& report_to,
               const Say& say);

}  // namespace datasets
