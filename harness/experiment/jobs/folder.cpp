#include "harness/experiment/jobs/folder.h"

#include <sys/resource.h>
#include <torch/version.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/experiment/jobs/start.h"
#include "harness/model/cpu/row_kernels.h"
#include "harness/model/out_of_memory.h"
#include "harness/model/transformer.h"

namespace harness {

void remove_leftovers(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code code;
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder, code)) {
    const std::string name = entry.path().filename().string();
    const size_t dot = name.find_last_of('.');
    const bool numbered =
        dot != std::string::npos && dot + 1 < name.size() && name.find_first_not_of("0123456789", dot + 1) == std::string::npos;
    const std::string stem = numbered ? name.substr(0, dot) : "";
    if (!stem.ends_with(".tmp") && stem != "progress.json") continue;
    // A sweep that is at work may be writing job.toml.
    const bool alive = ::kill(std::atoi(name.c_str() + dot + 1), 0) == 0 || errno != ESRCH;
    if (!alive) found.push_back(entry.path());
  }
  for (const fs::path& path : found) fs::remove_all(path, code);
}

std::string default_run_folder(const std::string& toml_file) {
  return "runs/" + std::filesystem::path(toml_file).stem().string();
}

void open_job_folder(const std::string& folder, const std::string& kind, const std::string& identity,
                     const Config::Entries& effective) {
  make_folder(folder);
  remove_leftovers(folder);
  write_file_atomically(folder + "/config.toml", to_toml(effective));
  const OrderedJson manifest{{"version", kJobVersion},    {"kind", kind},
                             {"identity", identity},      {"numerics_version", kNumericsVersion},
                             {"libtorch", TORCH_VERSION}, {"instruction_set", kernels::instruction_set()},
                             {"mkl_mode", mkl_mode()}};
  write_file_atomically(folder + "/manifest.json", manifest.dump(1) + "\n");
}

void write_done(const std::string& folder, const std::string& identity, const OrderedJson& facts) {
  OrderedJson done{{"version", kJobVersion}, {"identity", identity}};
  done.update(facts);
  write_file_atomically(folder + "/done.json", done.dump(1) + "\n");
}

std::optional<Json> read_done(const std::string& folder) {
  const std::string path = folder + "/done.json";
  if (!std::filesystem::exists(path)) return std::nullopt;
  return with_context(path, [&] {
    Json done = parse_json(read_file(path));
    const int64_t version = integer_field(done, "version");
    if (version > kJobVersion) throw Error("expected version <= {}, found {}", kJobVersion, version);
    return done;
  });
}

namespace {

// Peak resident memory of this process.
double peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

OrderedJson parts_json(const Seconds& seconds) {
  OrderedJson parts = OrderedJson::object();
  for (const auto& [name, value] : seconds) parts[name] = value;
  return parts;
}

}  // namespace

void write_timing(const std::string& folder, torch::Device device, const Seconds& seconds,
                  const std::vector<TimingWindow>& windows, const OrderedJson& rates) {
  OrderedJson timing{{"version", 1}, {"peak_memory_mib", peak_memory_mib()}};
  if (!device.is_cpu()) {
    timing["peak_device_memory_mib"] = static_cast<double>(peak_device_bytes(device)) / 1048576.0;
  }
  timing["seconds"] = parts_json(seconds);
  timing.update(rates);
  for (const TimingWindow& window : windows) {
    timing["windows"].push_back({{"first_step", window.first},
                                 {"last_step", window.last},
                                 {"method_share", method_share(window.seconds)},
                                 {"seconds", parts_json(window.seconds)}});
  }
  write_file_atomically(folder + "/timing.json", timing.dump(1) + "\n");
}

}  // namespace harness
