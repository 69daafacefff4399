#include "harness/hub/hub.h"

#include <openssl/evp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/core/text_edit.h"
#include "harness/hub/http.h"
#include "harness/hub/partial_file.h"

namespace harness {
namespace {

namespace fs = std::filesystem;

bool is_hex(const std::string& text, size_t length) {
  return text.size() == length && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// A path that stays inside the snapshot's folder.
bool is_safe_path(const std::string& path) {
  const fs::path parsed(path);
  return !path.empty() && parsed.is_relative() &&
         std::none_of(parsed.begin(), parsed.end(), [](const fs::path& part) { return part == ".." || part == "."; });
}

std::string endpoint_path(const HubRepository& repository) {
  return (repository.kind == RepositoryKind::dataset ? "datasets/" : "") + repository.name;
}

// What a refusal means to the user; none where trying again may help. `token`: what was sent.
std::optional<Error> refusal_of(const HttpReply& reply, const std::string& url, const std::string& token) {
  if (reply.status == 401 || reply.status == 403) {
    return Error(
        "{}: expected access, found {} {}; a private or gated repository needs its terms accepted and a token, in HF_TOKEN or "
        "by `hf auth login` (a name that is not there is answered so too)",
        url, reply.status, token.empty() ? "without a token" : "for the token that was sent");
  }
  if (reply.status == 404) return Error("{}: expected a repository, revision and file of that name, found none (404)", url);
  const bool transient = reply.status == 0 || reply.status == 200 || reply.status == 206 || reply.status == 408 ||
                         reply.status == 416 || reply.status == 429 || reply.status >= 500;
  if (transient) return std::nullopt;
  return Error("{}: expected 200, found {} {}", url, reply.status, collapse_white_space(reply.refusal));
}

std::string failure_text(const HttpReply& reply) {
  if (!reply.failure.empty()) return reply.failure;
  return fmt::format("status {}", reply.status);
}

// Waits before attempt `failures` + 1; in short pieces, so that Ctrl-C is heard.
void wait_before_retry(const HubSettings& settings, int64_t failures, int64_t retry_after) {
  double seconds = settings.first_wait * static_cast<double>(int64_t{1} << std::min<int64_t>(failures - 1, 20));
  if (retry_after >= 0) seconds = static_cast<double>(retry_after);
  seconds = std::min(seconds, settings.longest_wait);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end && !interrupt_requested()) {
    std::this_thread::sleep_for(
        std::min<std::chrono::duration<double>>(std::chrono::milliseconds(50), end - std::chrono::steady_clock::now()));
  }
}

std::string get_text(const HubSettings& settings, const std::string& url) {
  for (int64_t failures = 1;; ++failures) {
    std::string body;
    const HttpReply reply = http_get({url, settings.token}, [&body](int64_t, std::string_view piece) {
      body += piece;
      return body.size() < (size_t{1} << 28);
    });
    check_interrupt();
    if (reply.failure.empty() && reply.status == 200) return body;
    if (const auto refusal = refusal_of(reply, url, settings.token)) throw *refusal;
    if (failures >= settings.attempts) {
      throw Error("{}: expected an answer, found {} after {} attempts", url, failure_text(reply), failures);
    }
    wait_before_retry(settings, failures, reply.retry_after);
  }
}

char to_lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

struct Listing {
  std::string name;  // of the repository, letters in the hub's own case
  std::string commit;
  std::vector<HubFile> files;
};

HubFile file_from(const Json& entry) {
  HubFile file;
  file.path = text_field(entry, "rfilename");
  if (!is_safe_path(file.path)) throw Error("expected a path inside the repository, found {}", file.path);
  if (entry.contains("lfs") && entry.at("lfs").is_object()) {
    file.sha256 = text_field(entry.at("lfs"), "sha256");
    file.size = integer_field(entry.at("lfs"), "size");
  } else {
    file.git_id = text_field(entry, "blobId");
    file.size = integer_field(entry, "size");
  }
  if (!is_hex(file.sha256, 64) && !is_hex(file.git_id, 40))
    throw Error("{}: expected a SHA-256 or git hash, found none", file.path);
  return file;
}

Listing list_repository(const HubSettings& settings, const HubRepository& repository, const FileFilter& wanted) {
  const std::string kind = repository.kind == RepositoryKind::dataset ? "datasets" : "models";
  const std::string url = fmt::format("{}/api/{}/{}/revision/{}?blobs=true", settings.endpoint, kind,
                                      encode_path(repository.name), encode_segment(repository.revision));
  const std::string text = get_text(settings, url);
  const Json answer = with_context(url, [&] { return parse_json(text); });
  return with_context(url, [&] {
    Listing listing;
    const std::string id = answer.value("id", repository.name);
    listing.name = std::ranges::equal(id, repository.name, {}, to_lower, to_lower) ? id : repository.name;
    listing.commit = text_field(answer, "sha");
    if (!is_hex(listing.commit, 40)) throw Error("\"sha\": expected a commit, found {}", listing.commit);
    if (!answer.contains("siblings") || !answer.at("siblings").is_array())
      throw Error("expected the field \"siblings\", found none");
    for (const Json& entry : answer.at("siblings")) {
      if (wanted(text_field(entry, "rfilename"))) listing.files.push_back(file_from(entry));
    }
    if (listing.files.empty()) throw Error("expected files of the kind that is wanted, found none");
    return listing;
  });
}

std::string sha1_of_blob(const std::string& path, int64_t size) {
  const std::string head = fmt::format("blob {}", size) + '\0';
  const std::string content = read_file(path);
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr);
  EVP_DigestUpdate(context.get(), head.data(), head.size());
  EVP_DigestUpdate(context.get(), content.data(), content.size());
  EVP_DigestFinal_ex(context.get(), digest, &length);
  return fmt::format("{:02x}", fmt::join(digest, digest + length, ""));
}

// All files of one repository, taken one by one by several threads.
class Fetch {
 public:
  Fetch(const HubSettings& settings, const HubRepository& repository, Listing listing, const ProgressReport& report)
      : settings_(settings),
        folder_(repository_folder(settings.cache, repository)),
        prefix_(fmt::format("{}/{}/resolve/{}/", settings.endpoint, encode_path(endpoint_path(repository)), listing.commit)),
        files_(std::move(listing.files)),
        report_(report) {
    progress_.files = std::ssize(files_);
    for (const HubFile& file : files_) progress_.bytes += file.size;
    make_folder(folder_ + "/blobs");
  }

  void run() {
    std::vector<std::thread> threads;
    const int64_t count = std::clamp<int64_t>(settings_.parallel, 1, std::ssize(files_));
    threads.reserve(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    check_interrupt();
    if (failure_) std::rethrow_exception(failure_);
  }

  [[nodiscard]] const std::vector<HubFile>& files() const { return files_; }
  static std::string blob_name(const HubFile& file) { return file.sha256.empty() ? file.git_id : file.sha256; }

 private:
  void work() {
    for (size_t next = next_++; next < files_.size() && !failed_ && !interrupt_requested(); next = next_++) {
      try {
        fetch_file(files_[next]);
        add_progress(0, 1);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failed_.exchange(true)) failure_ = std::current_exception();
      }
    }
  }

  void add_progress(int64_t bytes, int64_t files) {
    const std::lock_guard lock(mutex_);
    progress_.bytes_done += bytes;
    progress_.files_done += files;
    if (report_) report_(progress_);
  }

  void fetch_file(const HubFile& file) {
    const std::string blob = folder_ + "/blobs/" + blob_name(file);
    PartialFile partial(blob + ".incomplete");
    if (fs::exists(blob)) {  // by an earlier call, or by another program while we waited for the file
      partial.remove();
      return add_progress(file.size, 0);
    }
    if (partial.size() > file.size) partial.truncate();
    add_progress(partial.size(), 0);
    const std::string url = prefix_ + encode_path(file.path);
    int64_t failures = 0;
    int64_t wrong_hashes = 0;
    while (!interrupt_requested() && !failed_) {
      if (partial.size() < file.size || file.size == 0) {
        const int64_t before = partial.size();
        const HttpReply reply = get_rest(url, file, partial);
        if (const auto refusal = refusal_of(reply, url, settings_.token)) throw *refusal;
        if (partial.size() > before) failures = 0;
        if (partial.size() < file.size) {
          if (++failures >= settings_.attempts) {
            throw Error("{}: expected {} bytes, found {} ({}) after {} attempts", url, file.size, partial.size(),
                        failure_text(reply), failures);
          }
          wait_before_retry(settings_, failures, reply.retry_after);
          continue;
        }
      }
      const std::string found = file.sha256.empty() ? sha1_of_blob(partial.path(), file.size) : sha256_file(partial.path());
      if (found == blob_name(file)) return partial.finish(blob);
      add_progress(-partial.size(), 0);
      partial.truncate();
      if (++wrong_hashes >= 2) throw Error("{}: expected the hash {}, found {}", url, blob_name(file), found);
    }
  }

  // Asks for what is missing and appends it. A server that starts anew (200) or has nothing there (416) makes us start anew.
  HttpReply get_rest(const std::string& url, const HubFile& file, PartialFile& partial) {
    const int64_t offset = partial.size();
    bool first = true;
    const auto take = [&](int64_t status, std::string_view piece) {
      if (first && status == 200 && offset > 0) {
        add_progress(-offset, 0);
        partial.truncate();
      }
      first = false;
      if (partial.size() + std::ssize(piece) > file.size) throw Error("{}: expected {} bytes, found more", url, file.size);
      partial.append(piece);
      add_progress(std::ssize(piece), 0);
    };
    std::exception_ptr failure;  // an exception must not pass through libcurl
    const HttpReply reply = http_get({url, settings_.token, offset}, [&](int64_t status, std::string_view piece) {
      try {
        take(status, piece);
      } catch (...) {
        failure = std::current_exception();
      }
      return failure == nullptr;
    });
    if (failure) std::rethrow_exception(failure);
    if (reply.status == 416) {
      add_progress(-partial.size(), 0);
      partial.truncate();
    }
    return reply;
  }

  HubSettings settings_;
  std::string folder_;
  std::string prefix_;
  std::vector<HubFile> files_;
  ProgressReport report_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;  // guards the two below
  FetchProgress progress_;
  std::exception_ptr failure_;
};

// Puts a fetched blob into the snapshot under its own name.
void place_file(const std::string& snapshot, const HubFile& file, bool symlink) {
  const fs::path place = fs::path(snapshot) / file.path;
  make_folder(place.parent_path().string());
  fs::path blob = fs::path("../..") / "blobs" / Fetch::blob_name(file);  // from the snapshot's folder
  if (!symlink) blob = snapshot / blob;
  for (const fs::path& part : fs::path(file.path).parent_path()) {
    if (symlink && !part.empty()) blob = ".." / blob;
  }
  const std::string temporary = place.string() + ".link";
  std::error_code refused;
  fs::remove(temporary, refused);
  if (symlink) {
    fs::create_symlink(blob, temporary);
  } else if (fs::equivalent(blob, place, refused)) {
    return;  // an earlier fetch linked it; rename would leave both names
  } else {
    fs::create_hard_link(blob, temporary, refused);
    if (refused) fs::copy_file(blob, temporary);
  }
  fs::rename(temporary, place);
}

// What a snapshot of the cache lacks; "" where it has what is wanted.
std::string missing_from(const std::string& snapshot, RepositoryKind kind, const FileFilter& wanted) {
  std::vector<std::string> there;
  for (const auto& entry : fs::recursive_directory_iterator(snapshot)) {
    const std::string path = entry.path().lexically_relative(snapshot).string();
    if (fs::is_regular_file(entry.path()) && wanted(path)) there.push_back(path);
  }
  if (there.empty()) return "a file of the kind that is wanted";
  if (kind != RepositoryKind::model) return "";
  const auto has = [&](const std::string& name) { return std::ranges::find(there, name) != there.end(); };
  if (!has("config.json")) return "config.json";
  if (const std::string index = "model.safetensors.index.json"; has(index) && !has("model.safetensors")) {
    const Json document = with_context(index, [&] { return parse_json(read_file(snapshot + "/" + index)); });
    const Json places = document.value("weight_map", Json::object());
    for (const auto& [tensor, file] : places.items()) {
      if (file.is_string() && !has(file.get<std::string>())) return file.get<std::string>();
    }
  }
  const bool weights = std::ranges::any_of(there, [](const std::string& path) { return path.ends_with(".safetensors"); });
  return weights ? "" : "weights (*.safetensors)";
}

}  // namespace

HubSettings hub_settings(const Environment& environment) {
  HubSettings settings;
  if (std::string endpoint = environment("HF_ENDPOINT"); !endpoint.empty()) {
    while (endpoint.ends_with('/')) endpoint.pop_back();
    settings.endpoint = endpoint;
  }
  settings.token = environment("HF_TOKEN");
  const std::string named = environment("HF_TOKEN_PATH");
  const std::string stored = named.empty() ? hub_home(environment) + "/token" : named;
  if (settings.token.empty() && fs::is_regular_file(stored)) settings.token = trim(read_file(stored));
  settings.cache = hub_cache_folder(environment);
  const auto is_on = [&](const char* name) {
    std::string value = environment(name);
    std::ranges::transform(value, value.begin(), to_lower);
    return value == "1" || value == "true" || value == "yes" || value == "on";
  };
  settings.offline = is_on("HF_HUB_OFFLINE");
  settings.symlinks = !is_on("HF_HUB_DISABLE_SYMLINKS");
  return settings;
}

std::string fetch_repository(const HubSettings& settings, const HubRepository& asked, const FileFilter& wanted,
                             const ProgressReport& report) {
  if (settings.offline) {
    const std::string place = fmt::format("{}@{}", asked.name, asked.revision);
    const auto snapshot = find_snapshot(settings.cache, asked);
    if (!snapshot) throw Error("{}: expected a copy in {} (HF_HUB_OFFLINE is set), found none", place, settings.cache);
    const std::string missing = missing_from(*snapshot, asked.kind, wanted);
    if (missing.empty()) return *snapshot;
    throw Error("{}: expected {} in {} (HF_HUB_OFFLINE is set), found none: fetch it once online", place, missing, *snapshot);
  }
  Listing listing = list_repository(settings, asked, wanted);
  HubRepository repository = asked;
  repository.name = listing.name;
  const std::string folder = repository_folder(settings.cache, repository);
  const std::string snapshot = folder + "/snapshots/" + listing.commit;
  const std::string commit = listing.commit;
  Fetch fetch(settings, repository, std::move(listing), report);
  fetch.run();
  for (const HubFile& file : fetch.files()) place_file(snapshot, file, settings.symlinks);
  if (repository.revision != commit) {
    const std::string ref = folder + "/refs/" + repository.revision;
    make_folder(fs::path(ref).parent_path().string());
    write_file_atomically(ref, commit);
  }
  return snapshot;
}

bool is_model_file(const std::string& path) {
  if (path.find('/') != std::string::npos) return false;
  for (const char* ending : {".safetensors", ".json", ".jinja", ".model"}) {
    if (path.ends_with(ending)) return true;
  }
  return path == "merges.txt" || path == "vocab.txt";
}

}  // namespace harness
