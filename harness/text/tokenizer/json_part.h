// Reading the parts of a tokenizer.json: typed fields with defaults, errors that name the part.
#pragma once

#include <string>

#include "harness/core/error.h"
#include "harness/core/json.h"

namespace harness {

// Absent or null: the fallback. Throws Error for another type.
inline bool bool_or(const Json& part, const std::string& key, bool fallback) {
  const auto found = part.find(key);
  return found == part.end() || found->is_null() ? fallback : boolean_field(part, key);
}
inline std::string text_or(const Json& part, const std::string& key, const std::string& fallback) {
  const auto found = part.find(key);
  return found == part.end() || found->is_null() ? fallback : text_field(part, key);
}
// Throws Error where the part is no object or has no such array.
inline const Json& array_field(const Json& part, const std::string& key) {
  if (!part.is_object()) throw Error("expected a JSON object, found {}", part.type_name());
  const auto found = part.find(key);
  if (found == part.end()) throw Error("expected the field \"{}\", found none", key);
  if (!found->is_array()) throw Error("\"{}\": expected an array, found {}", key, found->type_name());
  return *found;
}
// Absent or null.
inline bool is_absent(const Json& document, const std::string& key) {
  const auto found = document.find(key);
  return found == document.end() || found->is_null();
}

}  // namespace harness
