// The identity of a model folder: what it holds, not where it lies or what it is called.
#pragma once

#include <string>

namespace harness {

// SHA-256 over the names and contents of config.json, generation_config.json, chat_template.jinja, tokenizer*.json and
// *.safetensors with their index (about a second a gigabyte). Throws Error where there is no config.json.
std::string folder_identity(const std::string& folder);

}  // namespace harness
