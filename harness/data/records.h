// Records: the rows of a data file, whatever its format, one JSON object each.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/json.h"

namespace harness {

// Gets each row in order with its place ("FILE: line 12", "FILE: row 3").
using RecordVisitor = std::function<void(const Json& record, const std::string& place)>;

// The endings that `read_records` knows: .jsonl, .jsonl.gz, .jsonl.zst, .json (an array of objects), .csv, .parquet.
const std::vector<std::string>& record_endings();
// True if the name ends in one of them.
bool has_record_ending(std::string_view name);

// Reads a file by its ending. `fields`: only these top-level fields are wanted (a format that stores columns reads no others);
// empty: all. Throws Error with file and line for a damaged file, a line that is not a JSON object, a CSV row of another width.
void read_records(const std::string& path, const std::vector<std::string>& fields, const RecordVisitor& visit);

// The parts. CSV: RFC 4180, the first row names the fields, every value is text.
void read_json_lines(std::string_view text, const std::string& name, const RecordVisitor& visit);
void read_csv_rows(std::string_view text, const std::string& name, const RecordVisitor& visit);
// Throws Error in a build without Arrow.
void read_parquet(const std::string& path, const std::vector<std::string>& fields, const RecordVisitor& visit);
// The content of a gzip file (several members set end to end are one). Throws Error for a cut or damaged stream.
std::string gzip_decompress(std::string_view bytes);

}  // namespace harness
