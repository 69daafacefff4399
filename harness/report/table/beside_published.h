// Ours beside numbers published elsewhere: a line for each number that both have.
#pragma once

#include <string>
#include <vector>

#include "harness/report/table/summary.h"

namespace harness {

struct PublishedPair {
  std::string base_model, method, column;  // "math500 pass@1"
  std::string ours, interval;              // "62.3", "60.1 to 64.5": 95 %, over seeds and problems; "-" with too little to say
  std::string published, difference;       // "62.9", "-0.6": ours minus published
  std::string inside;                      // "yes", "no": whether our interval holds the published number; "-" without one
};

// In the order of the table's rows and columns; empty where no published row has a row of ours of the same base model and name.
std::vector<PublishedPair> published_pairs(const Summary& summary);

inline constexpr const char* kPublishedCaption =
    "Ours beside published numbers, percent (the interval is ours, 95 %; the published numbers have none)";
// Heads of the columns of a table of such pairs.
std::vector<std::string> published_headings();
// What stands below them for one pair, in the same order.
std::vector<std::string> published_cells(const PublishedPair& pair);

}  // namespace harness
