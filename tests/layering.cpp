#include "tests/layering.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>
#include <set>
#include <sstream>

namespace tests {

namespace {

struct Folder {
  std::set<std::string> may_include;  // besides itself; "*" stands for every folder of harness/
  bool torch = false;                 // may include LibTorch's headers
};

const std::map<std::string, Folder>& folders() {
  static const std::map<std::string, Folder> kFolders = {
      {"harness/core", {}},
      {"harness/hub", {{"harness/core"}}},
      {"harness/data", {{"harness/core"}}},
      {"harness/text", {{"harness/core"}}},
      {"harness/cluster", {{"harness/core"}}},
      {"harness/stats", {{"harness/core"}}},
      {"harness/verdicts", {{"harness/core", "harness/stats"}}},
      {"harness/sweep", {{"harness/core"}}},
      {"harness/reward", {{"harness/core", "harness/data"}}},
      {"harness/metrics", {{"harness/core", "harness/data", "harness/cluster", "harness/stats"}}},
      {"harness/report", {{"harness/core", "harness/data", "harness/stats", "harness/metrics", "harness/verdicts"}}},
      {"harness/exchange",
       {{"harness/core", "harness/data", "harness/metrics", "harness/report", "harness/reward", "harness/stats"}}},
      // A kernel stands beneath what calls it and knows tensors only; its plain twin lies with the caller.
      {"harness/cuda", {{"harness/core"}, true}},
      {"harness/model", {{"harness/core", "harness/cuda"}, true}},
      {"harness/rollout", {{"harness/core", "harness/text", "harness/model", "harness/cuda"}, true}},
      {"harness/rl", {{"harness/core"}, true}},
      {"harness/ranks", {{"harness/core"}, true}},
      {"harness/train",
       {{"harness/core", "harness/ranks", "harness/data", "harness/text", "harness/reward", "harness/model", "harness/rollout",
         "harness/rl"},
        true}},
      {"harness/eval",
       {{"harness/core", "harness/data", "harness/text", "harness/reward", "harness/model", "harness/rollout"}, true}},
      {"meds", {{"*"}, true}},
      {"baselines", {{"*"}, true}},
      {"datasets", {{"harness/core", "harness/hub", "harness/data", "harness/reward"}}},
      {"harness/experiment/jobs",
       {{"harness/core", "harness/cuda", "harness/data", "harness/model", "harness/ranks", "harness/report", "harness/reward",
         "harness/rollout", "harness/sweep", "harness/text", "harness/train", "harness/eval"},
        true}},
      {"harness/experiment",
       {{"harness/core", "harness/cuda", "harness/data", "harness/hub", "harness/metrics", "harness/model", "harness/report",
         "harness/reward", "harness/sweep", "harness/train", "harness/experiment/jobs"},
        true}},
      {"harness/plan",
       {{"harness/core", "harness/cuda", "harness/eval", "harness/model", "harness/report", "harness/stats", "harness/train",
         "harness/experiment", "harness/experiment/jobs", "harness/verdicts"},
        true}},
      {"harness/experiment/check",
       {{"harness/core", "harness/cuda", "harness/plan", "harness/report", "harness/reward", "harness/rollout",
         "harness/experiment"},
        true}},
      {"experiments/lines", {{"*", "meds"}, true}},
      {"experiments/cli", {{"*", "meds", "baselines", "datasets", "experiments/lines"}, true}},
      {"tests", {{"harness/core", "harness/data", "harness/report"}}},
      {"tests/fuzz", {{"*", "datasets"}}},
  };
  return kFolders;
}

// What stands between the quotes or angle brackets of an #include line.
std::optional<std::string> included(const std::string& line) {
  const size_t start = line.find_first_not_of(" \t");
  if (start == std::string::npos || line[start] != '#') return std::nullopt;
  const size_t word = line.find_first_not_of(" \t", start + 1);
  if (word == std::string::npos || line.compare(word, 7, "include") != 0) return std::nullopt;
  const size_t open = line.find_first_of("\"<", word + 7);
  if (open == std::string::npos) return std::nullopt;
  const size_t close = line.find_first_of("\">", open + 1);
  if (close == std::string::npos) return std::nullopt;
  return line.substr(open + 1, close - open - 1);
}

bool is_torch_header(const std::string& header) {
  for (const char* prefix : {"torch/", "ATen/", "c10/", "caffe2/"}) {
    if (header.starts_with(prefix)) return true;
  }
  return false;
}

bool is_own_header(const std::string& header) {
  static constexpr std::array kTop = {"harness/", "meds/", "baselines/", "datasets/", "experiments/", "tests/"};
  for (const char* prefix : kTop) {
    if (header.starts_with(prefix)) return true;
  }
  return false;
}

bool may_include(const Folder& from, const std::string& to) {
  return from.may_include.contains(to) || (to.starts_with("harness/") && from.may_include.contains("*"));
}

// "" where the include is allowed. Tests may include what lies in tests/.
std::string objection(const SourceText& file, const std::string& folder, const std::string& header) {
  const Folder& from = folders().at(folder);
  if (is_torch_header(header)) {
    return from.torch ? "" : fmt::format("{} is built without LibTorch, found <{}>", folder, header);
  }
  if (!is_own_header(header)) return "";
  const std::string to = folder_of(header);
  if (to.empty()) return fmt::format("{} lies in no folder of the table", header);
  if (to == folder || may_include(from, to) || (to == "tests" && file.path.ends_with("_test.cpp"))) return "";
  return fmt::format("{} must not include {}, found \"{}\"", folder, to, header);
}

void check_header(const SourceText& file, std::vector<Violation>& violations) {
  const std::string first = file.text.substr(0, file.text.find('\n'));
  if (!first.starts_with("// ") || first.size() < 10) {
    violations.push_back({file.path, 1, "the first line of a header says what the thing is"});
  }
  if (file.text.find("\n#pragma once\n") == std::string::npos) violations.push_back({file.path, 1, "no #pragma once"});
}

}  // namespace

std::string folder_of(const std::string& path) {
  for (size_t end = path.rfind('/'); end != std::string::npos && end > 0; end = path.rfind('/', end - 1)) {
    const std::string folder = path.substr(0, end);
    if (folders().contains(folder)) return folder;
  }
  return "";
}

std::vector<Violation> check_layering(const std::vector<SourceText>& files) {
  std::vector<Violation> violations;
  for (const SourceText& file : files) {
    const std::string folder = folder_of(file.path);
    if (folder.empty()) {
      violations.push_back({file.path, 1, "lies in no folder of the table"});
      continue;
    }
    if (file.path.ends_with(".h")) check_header(file, violations);
    std::istringstream text(file.text);
    std::string line;
    for (int number = 1; std::getline(text, line); ++number) {
      const auto header = included(line);
      if (!header) continue;
      const std::string what = objection(file, folder, *header);
      if (!what.empty()) violations.push_back({file.path, number, what});
    }
  }
  return violations;
}

std::vector<std::string> unused_permissions(const std::vector<SourceText>& files) {
  std::map<std::string, std::set<std::string>> used;
  for (const SourceText& file : files) {
    std::istringstream text(file.text);
    for (std::string line; std::getline(text, line);) {
      const auto header = included(line);
      if (header && is_own_header(*header)) used[folder_of(file.path)].insert(folder_of(*header));
    }
  }
  std::vector<std::string> unused;
  for (const auto& [folder, allowed] : folders()) {
    for (const std::string& to : allowed.may_include) {
      if (to != "*" && !used[folder].contains(to)) unused.push_back(fmt::format("{} -> {}", folder, to));
    }
  }
  return unused;
}

}  // namespace tests
