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

// What git allows as the name of a branch, a tag or another ref, a few rare characters left out.
bool is_safe_revision(const std::string& text) {
  static constexpr std::string_view kOthers = "-_.+=@#,/";
  const bool characters = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || kOthers.find(static_cast<char>(c)) != std::string_view::npos;
  });
  return characters && !text.empty() && text.front() != '.' && text.front() != '/' && text.back() != '/' &&
         text.back() != '.' && text.find("..") == std::string::npos && text.find("//") == std::string::npos &&
         text.find("/.") == std::string::npos;
}

std::string lower_case_of(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// The repository's folder, that of the name in another case where only that is there.
std::string folder_there(const std::string& cache, const HubRepository& repository) {
  namespace fs = std::filesystem;
  const std::string folder = repository_folder(cache, repository);
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) return folder;
  const std::string name = lower_case_of(fs::path(folder).filename().string());
  for (const auto& entry : fs::directory_iterator(cache, ignored)) {
    if (lower_case_of(entry.path().filename().string()) == name) return entry.path().string();
  }
  return folder;
}

}  // namespace

HubRepository parse_repository(RepositoryKind kind, const std::string& text) {
  HubRepository repository;
  repository.kind = kind;
  const size_t at = text.find('@');
  repository.name = text.substr(0, at);
  const size_t slash = repository.name.find('/');
  const bool safe = slash != std::string::npos && is_safe_name(repository.name.substr(0, slash)) &&
                    is_safe_name(repository.name.substr(slash + 1));
  if (!safe) throw Error("expected ORG/NAME or ORG/NAME@REVISION, found {}", text);
  if (at == std::string::npos) return repository;
  repository.revision = text.substr(at + 1);
  for (size_t i = 0; (i = lower_case_of(repository.revision).find("%2f", i)) != std::string::npos; ++i) {
    repository.revision.replace(i, 3, "/");
  }
  if (!is_safe_revision(repository.revision)) {
    throw Error("{}: expected a branch, a tag, a commit or a name such as refs/pr/3 behind the @, found \"{}\"",
                repository.name, repository.revision);
  }
  return repository;
}

std::string process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

std::string hub_home(const Environment& environment) {
  if (const std::string home = environment("HF_HOME"); !home.empty()) return home;
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty()) return cache + "/huggingface";
  return environment("HOME") + "/.cache/huggingface";
}

std::string hub_cache_folder(const Environment& environment) {
  const std::string cache = environment("HF_HUB_CACHE");
  return cache.empty() ? hub_home(environment) + "/hub" : cache;
}

std::string repository_folder(const std::string& cache, const HubRepository& repository) {
  std::string name = repository.name;
  name.replace(name.find('/'), 1, "--");
  return fmt::format("{}/{}--{}", cache, repository.kind == RepositoryKind::model ? "models" : "datasets", name);
}

std::optional<std::string> find_snapshot(const std::string& cache, const HubRepository& repository) {
  const std::string folder = folder_there(cache, repository);
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
