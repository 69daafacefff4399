#include "harness/experiment/base_model.h"

#include <filesystem>
#include <vector>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"

namespace harness {

namespace fs = std::filesystem;

namespace {

bool is_hub_name(const std::string& path) {
  const size_t slash = path.find('/');
  return slash != std::string::npos && slash > 0 && path.find('/', slash + 1) == std::string::npos && path.front() != '.' &&
         path.front() != '/' && slash + 1 < path.size();
}

std::string without_revision(const std::string& path) { return path.substr(0, path.find('@')); }

}  // namespace

std::string find_model(const std::string& path, const std::string& models, const Environment& environment) {
  const auto holds_model = [](const std::string& folder) { return fs::exists(folder + "/config.json"); };
  if (holds_model(path)) return path;
  if (!is_hub_name(path)) return "";
  const std::string name = without_revision(path);
  for (const std::string& folder : {models + "/" + name.substr(name.find('/') + 1), models + "/" + name}) {
    if (holds_model(folder)) return folder;
  }
  const auto repository = parse_repository(RepositoryKind::model, path);
  const auto snapshot = find_snapshot(hub_cache_folder(environment), repository);
  return snapshot && holds_model(*snapshot) ? *snapshot : "";
}

std::string missing_model_text(const std::string& path, const std::string& models) {
  if (!is_hub_name(path)) return fmt::format("a model folder with config.json at {}", path);
  const std::string name = without_revision(path);
  return fmt::format("the model {} as the folder {}/{} or in the hub's cache (`medsbench model fetch {}` fetches it)", path,
                     models, name.substr(name.find('/') + 1), path);
}

void extend_positions(const std::string& from, const std::string& to, int64_t positions) {
  const std::string path = from + "/config.json";
  OrderedJson config = with_context(path, [&] { return parse_ordered_json(read_file(path)); });
  const int64_t own = config.value("max_position_embeddings", int64_t{0});
  if (positions <= own) {
    throw Error("{}: positions: expected more than the model's own {} (max_position_embeddings), found {}", path, own,
                positions);
  }
  config["max_position_embeddings"] = positions;
  const std::string text = config.dump(2) + "\n";
  if (fs::exists(to + "/config.json") && read_file(to + "/config.json") == text) return;
  fs::remove_all(to);
  make_folder(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path file = fs::canonical(entry.path());
    const std::string name = entry.path().filename().string();
    if (name != "config.json" && fs::is_regular_file(file)) fs::create_symlink(file, fs::path(to) / name);
  }
  write_file_atomically(to + "/config.json", text);
}

}  // namespace harness
