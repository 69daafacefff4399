#include "harness/model/files/weights.h"

#include <fmt/ranges.h>
#include <torch/types.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/safetensors.h"

namespace harness {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

torch::ScalarType scalar_type(const std::string& dtype) {
  if (dtype == "F32") return torch::kFloat;
  if (dtype == "BF16") return torch::kBFloat16;
  if (dtype == "F16") return torch::kHalf;
  throw Error("expected F32, BF16 or F16, found {}", dtype);
}

std::string dtype_name(torch::ScalarType type) {
  if (type == torch::kFloat) return "F32";
  if (type == torch::kBFloat16) return "BF16";
  MEDSBENCH_CHECK(type == torch::kHalf, "weights of type {}", static_cast<int>(type));
  return "F16";
}

std::string show(const std::vector<int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

using File = std::shared_ptr<const SafetensorsFile>;

// Which file holds which tensor.
std::map<std::string, File> open_files(const fs::path& folder) {
  std::map<std::string, File> places;
  if (fs::exists(folder / kSingleFile)) {
    const auto file = std::make_shared<const SafetensorsFile>((folder / kSingleFile).string());
    for (const SafetensorsEntry& entry : file->entries()) places[entry.name] = file;
    return places;
  }
  const std::string index_path = (folder / kIndexFile).string();
  if (!fs::exists(index_path)) {
    throw Error("{}: expected {} or {}, found neither", folder.string(), kSingleFile, kIndexFile);
  }
  with_context(index_path, [&] {
    const Json index = parse_json(read_file(index_path));
    if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
      throw Error("expected the table \"weight_map\", found none");
    }
    std::map<std::string, File> files;
    for (const auto& [tensor, name] : index["weight_map"].items()) {
      if (!name.is_string()) throw Error("tensor {}: expected a file name, found {}", tensor, name.dump());
      const auto shard = name.get<std::string>();
      if (shard.empty() || shard.find('/') != std::string::npos) {
        throw Error("tensor {}: expected a file name in this folder, found \"{}\"", tensor, shard);
      }
      File& file = files[shard];
      if (!file) file = std::make_shared<const SafetensorsFile>((folder / shard).string());
      (void)file->entry(tensor);  // an index that names what the shard lacks is an error here, with the shard's path
      places[tensor] = file;
    }
  });
  return places;
}

// A view of the mapping that keeps it alive; copied only where old writers left the data unaligned.
torch::Tensor view_of(const File& file, const SafetensorsEntry& entry) {
  const auto type = scalar_type(entry.dtype);
  auto* data = const_cast<std::byte*>(entry.bytes.data());
  const auto options = torch::TensorOptions().dtype(type);
  if (reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(safetensors_item_size(entry.dtype)) != 0) {
    auto copy = torch::empty(entry.shape, options);
    std::copy(entry.bytes.begin(), entry.bytes.end(), static_cast<std::byte*>(copy.data_ptr()));
    return copy;
  }
  return torch::from_blob(
      data, entry.shape, [file](void*) {}, options);
}

bool same_bytes(const SafetensorsEntry& a, const SafetensorsEntry& b) {
  return a.dtype == b.dtype && a.shape == b.shape && std::ranges::equal(a.bytes, b.bytes);
}

// A tensor that the configuration does not ask for means a network other than the one we would run.
void refuse_unread(const std::map<std::string, File>& places, const std::map<std::string, std::vector<int64_t>>& shapes) {
  for (const auto& [name, file] : places) {
    if (shapes.contains(name) || name.ends_with("rotary_emb.inv_freq")) continue;
    const auto embedding = places.find("model.embed_tokens.weight");
    if (name == "lm_head.weight" && embedding != places.end()) {
      if (same_bytes(file->entry(name), embedding->second->entry(embedding->first))) continue;
      throw Error("{}: tensor {}: expected the embedding's values (tie_word_embeddings is true), found others", file->path(),
                  name);
    }
    throw Error("{}: tensor {}: expected only tensors that config.json accounts for, found this one", file->path(), name);
  }
}

}  // namespace

std::map<std::string, torch::Tensor> load_weights(const std::string& folder,
                                                  const std::map<std::string, std::vector<int64_t>>& shapes) {
  const std::map<std::string, File> places = open_files(folder);
  std::map<std::string, torch::Tensor> weights;
  for (const auto& [name, shape] : shapes) {
    const auto place = places.find(name);
    if (place == places.end()) throw Error("{}: expected the tensor {} of shape {}, found none", folder, name, show(shape));
    const File& file = place->second;
    const SafetensorsEntry& entry = file->entry(name);
    with_context(fmt::format("{}: tensor {}", file->path(), name), [&] {
      if (entry.shape != shape) throw Error("expected shape {}, found {}", show(shape), show(entry.shape));
      weights[name] = view_of(file, entry);
    });
  }
  refuse_unread(places, shapes);
  return weights;
}

namespace {

using Shard = std::vector<std::string>;

std::vector<Shard> plan_shards(const std::map<std::string, torch::Tensor>& weights, int64_t max_shard_bytes) {
  std::vector<Shard> shards(1);
  int64_t held = 0;
  for (const auto& [name, tensor] : weights) {
    const auto bytes = static_cast<int64_t>(tensor.nbytes());
    if (held + bytes > max_shard_bytes && !shards.back().empty()) {
      shards.emplace_back();
      held = 0;
    }
    shards.back().push_back(name);
    held += bytes;
  }
  return shards;
}

void write_shard(const std::string& path, const Shard& names, const std::map<std::string, torch::Tensor>& weights) {
  std::vector<torch::Tensor> alive;
  std::vector<SafetensorsEntry> entries;
  for (const std::string& name : names) {
    alive.push_back(weights.at(name).detach().cpu().contiguous());
    const torch::Tensor& tensor = alive.back();
    entries.push_back({name,
                       dtype_name(tensor.scalar_type()),
                       tensor.sizes().vec(),
                       {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}});
  }
  write_safetensors(path, std::move(entries), {{"format", "pt"}});  // transformers insists on this key
}

}  // namespace

void save_weights(const std::string& folder, const std::map<std::string, torch::Tensor>& weights, int64_t max_shard_bytes) {
  make_folder(folder);
  const fs::path root(folder);
  const std::vector<Shard> shards = plan_shards(weights, max_shard_bytes);
  if (shards.size() == 1) {
    write_shard((root / kSingleFile).string(), shards.front(), weights);
    fs::remove(root / kIndexFile);
    return;
  }
  OrderedJson map = OrderedJson::object();
  int64_t total = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name = fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    write_shard((root / name).string(), shards[i], weights);
    for (const std::string& tensor : shards[i]) {
      map[tensor] = name;
      total += static_cast<int64_t>(weights.at(tensor).nbytes());
    }
  }
  const OrderedJson index = {{"metadata", {{"total_size", total}}}, {"weight_map", map}};
  write_file_atomically((root / kIndexFile).string(), index.dump(2) + "\n");
  fs::remove(root / kSingleFile);
}

}  // namespace harness
