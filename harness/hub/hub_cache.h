// HubCache: the cache folder that the hub's own tools use, so that what a user has already is found and what we fetch is found
// by others: HF_HOME/hub/models--ORG--NAME/{refs/REVISION, snapshots/COMMIT/FILE -> ../../blobs/HASH}.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace harness {

enum class RepositoryKind { model, dataset };

struct HubRepository {
  RepositoryKind kind = RepositoryKind::model;
  std::string name;               // "ORG/NAME"
  std::string revision = "main";  // branch, tag, commit or a name such as refs/pr/3
};

// "ORG/NAME" or "ORG/NAME@REVISION", slashes of the revision as such or as %2F. Throws Error for anything else.
HubRepository parse_repository(RepositoryKind kind, const std::string& text);

// The value of an environment variable, "" if unset.
using Environment = std::function<std::string(const std::string& name)>;
// That of this process.
std::string process_environment(const std::string& name);

// HF_HOME, else XDG_CACHE_HOME/huggingface, else HOME/.cache/huggingface: where the hub's tools keep their token and cache.
std::string hub_home(const Environment& environment = process_environment);
// HF_HUB_CACHE, else hub_home/hub.
std::string hub_cache_folder(const Environment& environment = process_environment);
// The repository's folder in the cache, whether it exists or not.
std::string repository_folder(const std::string& cache, const HubRepository& repository);
// The snapshot that the cache has of this revision (a commit, or what refs/REVISION names), the repository's name in any case;
// none if there is none.
std::optional<std::string> find_snapshot(const std::string& cache, const HubRepository& repository);

}  // namespace harness
