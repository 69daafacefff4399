#include "harness/sweep/failure.h"

#include <cstring>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/utf8.h"
#include "harness/sweep/progress.h"

namespace harness {

namespace {

constexpr const char* kErrorBegin = "medsbench: ";

// Where the last error of a log begins; npos where there is none.
size_t begin_of_error(const std::string& lines) {
  const size_t at = lines.rfind(std::string("\n") + kErrorBegin);
  if (at != std::string::npos) return at + 1;
  return lines.starts_with(kErrorBegin) ? 0 : std::string::npos;
}

}  // namespace

Failure failure_of(const std::string& log, int status) {
  constexpr int kErrorLines = 40;
  if (status < 128) {
    const std::string lines = last_lines(log, kErrorLines);
    if (const size_t begin = begin_of_error(lines); begin != std::string::npos) return {status, lines.substr(begin)};
  }
  return {status, last_lines(log, kTailLines)};
}

std::string failure_reason(const Failure& failure) {
  if (failure.status > 128) {
    return fmt::format("ended by signal {} ({})", failure.status - 128, ::strsignal(failure.status - 128));
  }
  const std::string& lines = failure.lines;
  const size_t begin = lines.starts_with(kErrorBegin) ? std::strlen(kErrorBegin) : lines.rfind('\n') + 1;
  std::string line = lines.substr(begin, lines.find('\n', begin) - begin);
  constexpr size_t kMost = 500;
  if (line.size() > kMost) line = to_valid_utf8(line.substr(0, kMost - 8)) + " ...";
  return line;
}

void write_failure(const std::string& folder, const Failure& failure) {
  write_file_atomically(folder + "/failed.json",
                        dump_line(OrderedJson{{"status", failure.status}, {"last_lines", failure.lines}}) + "\n");
}

std::optional<Failure> read_failure(const std::string& folder) {
  const std::string path = folder + "/failed.json";
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    const Json json = parse_json(read_file(path));
    return Failure{static_cast<int>(integer_field(json, "status")), text_field(json, "last_lines")};
  } catch (const Error& error) {
    return Failure{1, error.what()};
  }
}

}  // namespace harness
