#include "harness/sweep/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/core/error.h"
#include "harness/core/json.h"

namespace harness {

void write_progress(const std::string& folder, const Progress& progress) {
  const OrderedJson object{
      {"done", progress.done}, {"total", progress.total}, {"unit", progress.unit}, {"note", progress.note}};
  const std::string temporary = fmt::format("{}/progress.json.{}", folder, getpid());
  std::ofstream(temporary) << dump_line(object) << '\n';
  std::error_code ignored;  // progress is a courtesy: a full disk shows where results are written
  std::filesystem::rename(temporary, folder + "/progress.json", ignored);
  if (ignored) std::filesystem::remove(temporary, ignored);
}

std::optional<Progress> read_progress(const std::string& folder) {
  std::ifstream file(folder + "/progress.json");
  if (!file) return std::nullopt;
  try {
    const Json json = parse_json(std::string(std::istreambuf_iterator<char>(file), {}));
    return Progress{number_field(json, "done"), number_field(json, "total"), text_field(json, "unit"),
                    text_field(json, "note")};
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string describe(const Progress& progress) {
  std::string text = progress.total > 0 ? fmt::format("{:g}/{:g} {}", progress.done, progress.total, progress.unit)
                                        : fmt::format("{:g} {}", progress.done, progress.unit);
  if (!progress.note.empty()) text += ", " + progress.note;
  return text;
}

std::string describe_seconds(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::max(0.0, seconds)));
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} s", whole);
}

std::string last_lines(const std::string& path, int lines) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return "";
  const std::streamoff size = file.tellg();
  constexpr std::streamoff kTail = 16384;
  file.seekg(std::max<std::streamoff>(0, size - kTail));
  std::string text(std::istreambuf_iterator<char>(file), {});
  while (!text.empty() && text.back() == '\n') text.pop_back();
  size_t begin = text.size();
  for (int line = 0; line < lines && begin != std::string::npos && begin > 0; ++line) begin = text.rfind('\n', begin - 1);
  text =
      text.substr(begin == std::string::npos ? 0 : std::min(begin + (begin < text.size() && text[begin] == '\n'), text.size()));
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t'; });
  return text;
}

}  // namespace harness
