// Manifest: what is known of each published set: origin, licence, number of problems, content hash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/data/problem.h"

namespace datasets {

struct ManifestEntry {
  std::string name;
  std::string split;
  std::string origin;        // on the hub
  std::string licence;       // "unknown" where nobody has looked it up
  int64_t problems = 0;      // 0: not known
  std::string content_hash;  // ProblemSet::content_hash; "" where not known
  bool verified = false;     // true only where the hash was checked against a download from the origin
  std::string note;
};

// The manifest that the program was built with (datasets/manifest.toml).
const std::vector<ManifestEntry>& manifest();
// Throws Error for an unknown key or a hash that is none.
std::vector<ManifestEntry> parse_manifest(std::string_view toml, const std::string& name);
// None: the manifest does not have it.
std::optional<ManifestEntry> find_entry(const std::string& name, const std::string& split);

enum class CheckResult { matches, matches_unverified, differs, unknown };
// "ok", "ok (hash unverified)", "differs", "no hash known".
const char* to_string(CheckResult result);
// Whether the set's content hash is the entry's.
CheckResult check_set(const harness::ProblemSet& set, const ManifestEntry& entry);

}  // namespace datasets
