#include "harness/model/files/folder_identity.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "harness/core/error.h"
#include "harness/core/hash.h"

namespace harness {

namespace {

bool is_part(const std::string& name) {
  return name == "config.json" || name == "generation_config.json" || name == "chat_template.jinja" ||
         (name.starts_with("tokenizer") && name.ends_with(".json")) || name.ends_with(".safetensors") ||
         name.ends_with(".safetensors.index.json");
}

}  // namespace

std::string folder_identity(const std::string& folder) {
  namespace fs = std::filesystem;
  if (!fs::exists(folder + "/config.json")) throw Error("{}: expected a model folder with config.json, found none", folder);
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (is_part(entry.path().filename().string())) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  std::string whole;
  for (const std::string& name : names) whole += name + " " + sha256_file(folder + "/" + name) + "\n";
  return sha256_hex(whole);
}

}  // namespace harness
