#include "harness/data/records.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "harness/core/csv.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/utf8.h"

namespace harness {
namespace {

void visit_object(Json record, const std::string& place, const RecordVisitor& visit) {
  if (!record.is_object()) throw Error("{}: expected a JSON object, found {}", place, record.type_name());
  visit(record, place);
}

std::string_view without_byte_order_mark(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

// An array of objects, or one object a line as in .jsonl: some writers call that .json too.
void read_json(std::string_view text, const std::string& name, const RecordVisitor& visit) {
  text = without_byte_order_mark(text);
  const std::string_view first_line = text.substr(0, text.find('\n'));
  if (first_line.starts_with('{') && Json::accept(first_line)) return read_json_lines(text, name, visit);
  const Json all = with_context(name, [&] { return parse_json_keeping_digits(text); });
  if (!all.is_array()) throw Error("{}: expected a JSON array of objects, found {}", name, all.type_name());
  for (size_t i = 0; i < all.size(); ++i) visit_object(all[i], fmt::format("{}: element {}", name, i + 1), visit);
}

}  // namespace

const std::vector<std::string>& record_endings() {
  static const std::vector<std::string> endings = {".jsonl", ".jsonl.gz", ".jsonl.zst", ".json", ".csv", ".parquet"};
  return endings;
}

bool has_record_ending(std::string_view name) {
  return std::any_of(record_endings().begin(), record_endings().end(),
                     [&](const std::string& ending) { return name.ends_with(ending); });
}

void read_json_lines(std::string_view text, const std::string& name, const RecordVisitor& visit) {
  text = without_byte_order_mark(text);
  int64_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string place = fmt::format("{}: line {}", name, ++number);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    visit_object(with_context(place, [&] { return parse_json_keeping_digits(line); }), place, visit);
  }
}

void read_csv_rows(std::string_view text, const std::string& name, const RecordVisitor& visit) {
  text = without_byte_order_mark(text);
  size_t at = 0;
  int64_t line = 1;
  const auto next = [&] { return with_context(name, [&] { return csv_record(text, at, line); }); };
  const std::vector<std::string> fields = next();
  while (at < text.size()) {
    const std::string place = fmt::format("{}: line {}", name, line);
    const std::vector<std::string> row = next();
    if (row.size() == 1 && row[0].empty()) continue;
    if (row.size() != fields.size()) throw Error("{}: expected {} values, found {}", place, fields.size(), row.size());
    Json record = Json::object();
    for (size_t i = 0; i < row.size(); ++i) record[fields[i]] = row[i];
    visit(record, place);
  }
}

std::string gzip_decompress(std::string_view bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 32) != Z_OK) throw Error("expected zlib to start, found no memory");
  const auto finish = [](z_stream* s) { inflateEnd(s); };
  const std::unique_ptr<z_stream, decltype(finish)> guard(&stream, finish);
  std::string out;
  std::array<char, 1 << 16> piece{};
  // zlib counts in 32 bits: feed at most a GiB at a time.
  size_t fed = 0;
  int status = Z_OK;
  while (status != Z_STREAM_END || stream.avail_in > 0 || fed < bytes.size()) {
    if (stream.avail_in == 0) {
      const size_t size = std::min<size_t>(bytes.size() - fed, size_t{1} << 30);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + fed));  // NOLINT: zlib's old interface
      stream.avail_in = static_cast<uInt>(size);
      fed += size;
      if (size == 0) throw Error("expected a whole gzip stream, found one cut off after {} bytes", bytes.size());
    }
    if (status == Z_STREAM_END) inflateReset(&stream);
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      throw Error("expected a gzip stream, found damaged bytes ({})", stream.msg == nullptr ? "no reason given" : stream.msg);
    }
    out.append(piece.data(), piece.size() - stream.avail_out);
  }
  return out;
}

void read_records(const std::string& path, const std::vector<std::string>& fields, const RecordVisitor& visit) {
  const auto unpacked = [&](std::string (*unpack)(std::string_view)) {
    return with_context(path, [&] { return unpack(read_file(path)); });
  };
  if (const std::string other = foreign_content_of_file(path); !other.empty()) {
    throw Error("{}: expected rows, found {}", path, other);
  }
  if (path.ends_with(".parquet")) {
    read_parquet(path, fields, visit);
  } else if (path.ends_with(".csv")) {
    const std::string text = read_file(path);
    if (!is_valid_utf8(text)) throw Error("{}: expected UTF-8, found another encoding (Latin-1 or UTF-16?)", path);
    read_csv_rows(text, path, visit);
  } else if (path.ends_with(".json")) {
    read_json(read_file(path), path, visit);
  } else if (path.ends_with(".gz")) {
    read_json_lines(unpacked(gzip_decompress), path, visit);
  } else if (path.ends_with(".zst")) {
    read_json_lines(unpacked(zstd_decompress), path, visit);
  } else if (path.ends_with(".jsonl")) {
    read_json_lines(read_file(path), path, visit);
  } else {
    throw Error("{}: expected a file that ends in {}, found another ending", path, fmt::join(record_endings(), ", "));
  }
}

#ifndef MEDSBENCH_ARROW
void read_parquet(const std::string& path, const std::vector<std::string>& /*fields*/, const RecordVisitor& /*visit*/) {
  throw Error("{}: expected a build that reads Parquet, found one configured with MEDSBENCH_ARROW=OFF", path);
}
#endif

}  // namespace harness
