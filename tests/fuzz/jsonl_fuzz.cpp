// Fuzz target: any bytes as a data file: JSON Lines, CSV, their packed forms, the rows as problems of every set and as
// outcomes.
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>

#include "datasets/published.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/data/outcome.h"
#include "harness/data/records.h"

namespace {

template <typename Body>
void answered(Body&& body) {
  try {
    body();
  } catch (const harness::Error&) {
    // bad input is answered, not a finding
  }
}

void visit(const harness::Json& record, const std::string& place) {
  (void)place;
  for (const datasets::PublishedSet& set : datasets::published_sets()) {
    answered([&] {
      if (const auto problem = datasets::map_record(set, record)) (void)problem->hash();
    });
  }
  answered([&] { (void)datasets::map_record(datasets::plain_set("fuzz"), record); });
  answered([&] { (void)harness::to_json(harness::outcome_from_json(record)); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  answered([&] { harness::read_json_lines(text, "fuzz.jsonl", visit); });
  answered([&] { harness::read_csv_rows(text, "fuzz.csv", visit); });
  answered([&] { harness::read_json_lines(harness::gzip_decompress(text), "fuzz.jsonl.gz", visit); });
  answered([&] { harness::read_json_lines(harness::zstd_decompress(text), "fuzz.jsonl.zst", visit); });
  std::istringstream in{std::string(text)};
  std::ostringstream out;
  (void)harness::answer_lines(in, out,
                              [](const harness::Json& line) { return harness::OrderedJson(harness::dump_line(line)); });
  return 0;
}
