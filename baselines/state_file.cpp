#include "baselines/state_file.h"

#include "harness/core/error.h"
#include "harness/core/files.h"

namespace baselines {

inline constexpr int64_t kStateVersion = 1;

namespace {

std::string state_path(const std::string& folder, const std::string& name) { return folder + "/" + name + ".json"; }

}  // namespace

void write_state(const std::string& folder, const std::string& name, harness::Json state) {
  state["version"] = kStateVersion;
  harness::write_file_atomically(state_path(folder, name), harness::dump_line(state) + "\n");
}

harness::Json read_state(const std::string& folder, const std::string& name) {
  const std::string path = state_path(folder, name);
  const std::string text = harness::read_file(path);
  return harness::with_context(path, [&] {
    harness::Json state = harness::parse_json(text);
    const int64_t version = harness::integer_field(state, "version");
    if (version > kStateVersion) {
      throw harness::Error("expected version {} or older, found {}", kStateVersion, version);
    }
    return state;
  });
}

}  // namespace baselines
