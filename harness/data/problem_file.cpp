#include "harness/data/problem_file.h"

#include <sstream>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"

namespace harness {

void write_problems(const std::string& path, const std::vector<ProblemSet>& sets) {
  std::string text = dump_line(OrderedJson{{"version", kProblemFileVersion}, {"format", "medsbench problems"}}) + "\n";
  for (const ProblemSet& set : sets) {
    for (const Problem& problem : set.problems) {
      text += dump_line(OrderedJson{
                  {"set", problem.set}, {"problem", problem.id}, {"text", problem.text}, {"answer", problem.answer}}) +
              "\n";
    }
  }
  write_file_atomically(path, zstd_compress(text));
}

std::map<std::pair<std::string, std::string>, Problem> read_problems(const std::string& path) {
  std::map<std::pair<std::string, std::string>, Problem> problems;
  std::istringstream lines(with_context(path, [&] { return zstd_decompress(read_file(path)); }));
  int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    with_context(fmt::format("{}: line {}", path, ++number), [&] {
      const Json json = parse_json(line);
      if (number == 1) {
        const int64_t version = integer_field(json, "version");
        if (version > kProblemFileVersion) throw Error("expected version <= {}, found {}", kProblemFileVersion, version);
        return;
      }
      Problem problem;
      problem.set = text_field(json, "set");
      problem.id = text_field(json, "problem");
      problem.text = text_field(json, "text");
      problem.answer = text_field(json, "answer");
      problems[{problem.set, problem.id}] = std::move(problem);
    });
  }
  return problems;
}

}  // namespace harness
