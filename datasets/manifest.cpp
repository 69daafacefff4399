#include "datasets/manifest.h"

#include "datasets/manifest_text.h"
#include "harness/core/config_reader.h"
#include "harness/core/error.h"

namespace datasets {

std::vector<ManifestEntry> parse_manifest(std::string_view toml, const std::string& name) {
  harness::Config file = harness::Config::from_toml_text(toml, name);
  std::vector<ManifestEntry> entries;
  for (const harness::Config& table : file.take_tables("set")) {
    harness::ConfigReader keys(table);
    ManifestEntry entry;
    entry.name = keys.required_text("name", "of the set");
    entry.split = keys.required_text("split", {"train", "test"}, "of the set");
    entry.origin = keys.required_text("origin", "where it comes from");
    entry.licence = keys.text("licence", "unknown", "as its origin states it");
    entry.problems = keys.integer("problems", 0, 0, "number of problems; 0: unknown");
    entry.content_hash = keys.text("content_hash", "", "SHA-256 of its problems");
    entry.verified = keys.boolean("verified", false, "the hash was taken from the origin's files");
    entry.note = keys.text("note", "", "for readers");
    keys.finish();
    if (!entry.content_hash.empty() && entry.content_hash.size() != 64) {
      throw harness::Error("{}: {}: content_hash: expected 64 hexadecimal digits, found {}", name, entry.name,
                           entry.content_hash);
    }
    entries.push_back(std::move(entry));
  }
  harness::ConfigReader(file).finish();
  return entries;
}

const std::vector<ManifestEntry>& manifest() {
  static const std::vector<ManifestEntry> entries = parse_manifest(kManifestText, "datasets/manifest.toml");
  return entries;
}

std::optional<ManifestEntry> find_entry(const std::string& name, const std::string& split) {
  for (const ManifestEntry& entry : manifest()) {
    if (entry.name == name && entry.split == split) return entry;
  }
  return std::nullopt;
}

const char* to_string(CheckResult result) {
  switch (result) {
    case CheckResult::matches:
      return "ok";
    case CheckResult::matches_unverified:
      return "ok (hash unverified)";
    case CheckResult::differs:
      return "differs";
    case CheckResult::unknown:
      break;
  }
  return "no hash known";
}

CheckResult check_set(const harness::ProblemSet& set, const ManifestEntry& entry) {
  if (entry.content_hash.empty()) return CheckResult::unknown;
  if (set.content_hash() != entry.content_hash) return CheckResult::differs;
  return entry.verified ? CheckResult::matches : CheckResult::matches_unverified;
}

}  // namespace datasets
