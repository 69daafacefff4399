// Where a base model lies: a folder, or a hub's name whose files are in the models folder or in the hub's cache.
#pragma once

#include <cstdint>
#include <string>

#include "harness/hub/hub_cache.h"

namespace harness {

// `path` is a folder, or ORG/NAME[@REVISION]. Looked for in this order: the folder itself; MODELS/NAME and MODELS/ORG/NAME,
// where MODELS is `models` (run.models); the hub's cache. "" where none holds a config.json.
std::string find_model(const std::string& path, const std::string& models,
                       const Environment& environment = process_environment);

// What to put where, for the error of a model that is not there.
std::string missing_model_text(const std::string& path, const std::string& models);

// Makes folder `to` with the files of `from` (links) and a config.json whose max_position_embeddings is `positions`: the rotary
// frequencies stay as they are and positions go on beyond those the model was trained on. Throws Error unless that is more than
// the model has; leaves a folder that has it already alone.
void extend_positions(const std::string& from, const std::string& to, int64_t positions);

}  // namespace harness
