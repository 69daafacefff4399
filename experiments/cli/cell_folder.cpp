#include "experiments/cli/cell_folder.h"

#include <torch/version.h>

#include <filesystem>

#include "experiments/cli/cell.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/model/kernels.h"

namespace experiments {

using harness::OrderedJson;

void open_cell_folder(const std::string& folder, const std::string& kind, const std::string& identity,
                      const harness::Config& config) {
  harness::make_folder(folder);
  harness::write_file_atomically(folder + "/config.toml", config.effective_toml());
  const OrderedJson manifest{{"version", kCellVersion},
                             {"kind", kind},
                             {"identity", identity},
                             {"numerics_version", harness::kNumericsVersion},
                             {"libtorch", TORCH_VERSION},
                             {"instruction_set", harness::kernels::instruction_set()}};
  harness::write_file_atomically(folder + "/manifest.json", manifest.dump(1) + "\n");
}

void write_done(const std::string& folder, const std::string& identity, const OrderedJson& facts) {
  OrderedJson done{{"version", kCellVersion}, {"identity", identity}};
  done.update(facts);
  harness::write_file_atomically(folder + "/done.json", done.dump(1) + "\n");
}

std::optional<harness::Json> read_done(const std::string& folder) {
  const std::string path = folder + "/done.json";
  if (!std::filesystem::exists(path)) return std::nullopt;
  return harness::with_context(path, [&] {
    harness::Json done = harness::parse_json(harness::read_file(path));
    const int64_t version = harness::integer_field(done, "version");
    if (version > kCellVersion) throw harness::Error("expected version <= {}, found {}", kCellVersion, version);
    return done;
  });
}

void write_timing(const std::string& folder, const std::map<std::string, double>& seconds) {
  OrderedJson timing{{"version", 1}, {"peak_memory_mib", peak_memory_mib()}};
  OrderedJson parts = OrderedJson::object();
  for (const auto& [name, value] : seconds) parts[name] = value;
  timing["seconds"] = parts;
  harness::write_file_atomically(folder + "/timing.json", timing.dump(1) + "\n");
}

}  // namespace experiments
