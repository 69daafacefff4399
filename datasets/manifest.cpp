#include "datasets/manifest.h"

#include "datasets/manifest_text.h"
#include "harness/core/config.h"
#include "harness/core/error.h"

namespace datasets {

std::vector<ManifestEntry> parse_manifest(std::string_view toml, const std::string& name) {
  harness::Config file = harness::Config::from_toml_text(toml, name);
  std::vector<ManifestEntry> entries;
  for (harness::Config& table : file.take_tables("set")) {
    ManifestEntry entry;
    entry.name = table.required_text("name");
    entry.split = table.required_text("split", {"train", "test"});
    entry.origin = table.required_text("origin");
    entry.licence = table.text("licence", "unknown");
    entry.problems = table.integer("problems", 0, 0);
    entry.content_hash = table.text("content_hash", "");
    entry.verified = table.boolean("verified", false);
    entry.note = table.text("note", "");
    table.finish();
    if (!entry.content_hash.empty() && entry.content_hash.size() != 64) {
      throw harness::Error("{}: {}: content_hash: expected 64 hexadecimal digits, found {}", name, entry.name,
                           entry.content_hash);
    }
    entries.push_back(std::move(entry));
  }
  file.finish();
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
