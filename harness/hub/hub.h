// Hub: fetches a model or data set by name into the hub's own cache, resumable, in parallel, every file checked by its hash.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/hub/hub_cache.h"

namespace harness {

struct HubSettings {
  std::string endpoint = "https://huggingface.co";
  std::string token;      // "" for public repositories
  std::string cache;      // hub_cache_folder
  bool offline = false;   // only what the cache has
  bool symlinks = true;   // snapshots hold links to the blobs; else the files themselves
  int64_t parallel = 4;   // files at a time
  int64_t attempts = 5;   // in a row without a new byte, then the file is given up
  double first_wait = 1;  // seconds before the second attempt, doubled each time; a server's Retry-After wins
  double longest_wait = 60;
};

// From HF_ENDPOINT, HF_HUB_OFFLINE, HF_HUB_DISABLE_SYMLINKS and the variables of hub_cache_folder; the token from HF_TOKEN,
// else from the file that HF_TOKEN_PATH names, else from that of `hf auth login` (hub_home/token).
HubSettings hub_settings(const Environment& environment = process_environment);

struct HubFile {
  std::string path;    // in the repository
  int64_t size = 0;    // bytes
  std::string sha256;  // of a large file; else ""
  std::string git_id;  // SHA-1 of the git blob, of a small one
};

struct FetchProgress {
  int64_t files = 0;  // in all
  int64_t files_done = 0;
  int64_t bytes = 0;       // in all
  int64_t bytes_done = 0;  // those of earlier calls included
};
// Called from one thread at a time, at most every few kilobytes.
using ProgressReport = std::function<void(const FetchProgress&)>;
// Which files of the repository are wanted.
using FileFilter = std::function<bool(const std::string& path)>;

// Fetches the wanted files and returns the snapshot's folder. What an earlier call left is gone on with. Throws Error: no
// access (401, 403, with what to do), not there (404), gone offline without a cached copy or with half of one (a model without
// its weights), no wanted file, a file that stays incomplete or whose hash stays wrong; Interrupted on Ctrl-C.
std::string fetch_repository(const HubSettings& settings, const HubRepository& repository, const FileFilter& wanted,
                             const ProgressReport& report = nullptr);

// A model folder: configuration, tokenizer and safetensors weights, no other formats.
bool is_model_file(const std::string& path);

}  // namespace harness
