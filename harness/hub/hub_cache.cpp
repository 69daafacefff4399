#include "harness/hub/hub_cache.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"

namespace harness {
namespace {

// A part of a repository's or revision's name that is safe as part of a path.
bool is_safe_name(const std::string& text) {
  return !text.empty() && text != "." && text != ".." && text.find("..") == std::string::npos &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

HubRepository parse_repository(RepositoryKind kind, const std::string& text) {
  HubRepository repository;
  repository.kind = kind;
  const size_t at = text.find('@');
  repository.name = text.substr(0, at);
  if (at != std::string::npos) repository.revision = text.substr(at + 1);
  const size_t slash = repository.name.find('/');
  const bool safe = slash != std::string::npos && is_safe_name(repository.name.substr(0, slash)) &&
                    is_safe_name(repository.name.substr(slash + 1)) && is_safe_name(repository.revision);
  if (!safe) throw Error("expected ORG/NAME or ORG/NAME@REVISION, found {}", text);
  return repository;
}

std::string process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

std::string hub_cache_folder(const Environment& environment) {
  if (const std::string cache = environment("HF_HUB_CACHE"); !cache.empty()) return cache;
  if (const std::string home = environment("HF_HOME"); !home.empty()) return home + "/hub";
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty()) return cache + "/huggingface/hub";
  return environment("HOME") + "/.cache/huggingface/hub";
}

std::string repository_folder(const std::string& cache, const HubRepository& repository) {
  std::string name = repository.name;
  name.replace(name.find('/'), 1, "--");
  return fmt::format("{}/{}--{}", cache, repository.kind == RepositoryKind::model ? "models" : "datasets", name);
}

std::optional<std::string> find_snapshot(const std::string& cache, const HubRepository& repository) {
  const std::string folder = repository_folder(cache, repository);
  std::error_code ignored;
  std::string commit = repository.revision;
  if (const std::string ref = folder + "/refs/" + repository.revision; std::filesystem::is_regular_file(ref, ignored)) {
    commit = read_file(ref);
    while (!commit.empty() && std::isspace(static_cast<unsigned char>(commit.back())) != 0) commit.pop_back();
    if (!is_safe_name(commit)) return std::nullopt;
  }
  const std::string snapshot = folder + "/snapshots/" + commit;
  if (!std::filesystem::is_directory(snapshot, ignored)) return std::nullopt;
  return snapshot;
}

}  // namespace harness
