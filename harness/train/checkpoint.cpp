#include "harness/train/checkpoint.h"

#include <torch/types.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/safetensors.h"

namespace fs = std::filesystem;

namespace harness {

namespace {

std::string state_text(const std::string& identity, const RunState& state, const Optimizer& optimizer) {
  OrderedJson visits = OrderedJson::array();
  for (const auto& [problem, count] : state.cursor.visits) visits.push_back({problem, count});
  OrderedJson json{{"version", kCheckpointVersion},
                   {"identity", identity},
                   {"step", state.step},
                   {"updates", optimizer.updates()},
                   {"epoch", state.cursor.epoch},
                   {"index", state.cursor.index},
                   {"metrics_bytes", state.metrics_bytes},
                   {"tokens_generated", state.tokens_generated},
                   {"responses_generated", state.responses_generated},
                   {"responses_kept", state.responses_kept},
                   {"best_validation", state.best_validation},
                   {"best_step", state.best_step},
                   {"visits", visits}};
  if (state.memory.micro_batch > 0) json["micro_batch_responses"] = state.memory.micro_batch;
  if (state.memory.rows > 0) json["max_rows"] = state.memory.rows;
  if (optimizer.shard() != Shard::none) {
    json["shard"] = shard_name(optimizer.shard());
    json["processes"] = optimizer.ranks()->size();
  }
  return dump_line(json) + "\n";
}

// Shares fit the processes they were made for alone.
void check_shares(const Json& json, const Optimizer& optimizer) {
  const auto text = [](std::string_view shard, int64_t processes) {
    return shard == "none" ? std::string("whole states (train.shard = \"none\")")
                           : fmt::format("states shared by train.shard = \"{}\" among {} processes", shard, processes);
  };
  const std::string found = text(json.value("shard", "none"), json.value("processes", int64_t{1}));
  const std::string expected =
      text(shard_name(optimizer.shard()), optimizer.ranks() != nullptr ? optimizer.ranks()->size() : 1);
  if (found != expected) {
    throw Error("expected a checkpoint of {}, found one of {}; go on as it began, or give another --out folder", expected,
                found);
  }
}

std::string tensors_file(const std::string& folder, const Optimizer& optimizer) {
  return optimizer.shares() == nullptr ? folder + "/state.safetensors"
                                       : fmt::format("{}/state_{}.safetensors", folder, optimizer.ranks()->rank());
}

// Writes this process's share where the first process makes the folder. All end with an error that one of them finds.
void write_share(const std::string& temporary, const Optimizer& optimizer, const std::function<void()>& rest) {
  Ranks& ranks = *optimizer.ranks();
  ranks.agree("");  // the folder is there
  std::string error;
  try {
    const DeferredSync deferred;  // synced by the first process, which puts the folder in place
    write_optimizer(tensors_file(temporary, optimizer), optimizer);
    if (rest) rest();
  } catch (const std::exception& found) {
    error = found.what();
  }
  ranks.agree(error);
}

}  // namespace

void write_optimizer(const std::string& path, const Optimizer& optimizer) {
  std::vector<torch::Tensor> kept;  // CPU copies stay alive until written
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, tensor] : optimizer.state()) {
    kept.push_back(tensor.to(torch::kCPU).contiguous());
    entries.push_back({name,
                       "F32",
                       kept.back().sizes().vec(),
                       {static_cast<const std::byte*>(kept.back().data_ptr()), kept.back().nbytes()}});
  }
  write_safetensors(path, std::move(entries));
}

void read_optimizer(const std::string& path, Optimizer& optimizer, int64_t updates) {
  std::map<std::string, torch::Tensor> tensors;
  const SafetensorsFile file(path);
  for (const SafetensorsEntry& entry : file.entries()) {
    tensors[entry.name] = torch::from_blob(const_cast<std::byte*>(entry.bytes.data()), entry.shape, torch::kFloat32).clone();
  }
  with_context(path, [&] { optimizer.restore(tensors, updates); });
}

void replace_checkpoint(const std::string& folder, const std::function<void(const std::string& temporary)>& write) {
  const std::string path = folder + "/checkpoint", temporary = path + ".tmp";
  std::error_code ignored;
  fs::remove_all(temporary, ignored);
  try {
    const DeferredSync deferred;
    make_folder(temporary);
    write(temporary);
  } catch (...) {
    fs::remove_all(temporary, ignored);
    throw;
  }
  replace_folder(temporary, path);
}

double save_checkpoint(const std::string& folder, const std::string& identity, const RunState& state,
                       const Optimizer& optimizer, const MethodStack& methods) {
  double method_seconds = 0;
  const std::string path = folder + "/checkpoint";
  if (optimizer.shares() != nullptr && !optimizer.ranks()->first()) {
    write_share(path + ".tmp", optimizer, {});
    return 0;
  }
  replace_checkpoint(folder, [&](const std::string& temporary) {
    const auto rest = [&] {
      make_folder(temporary + "/methods");
      const auto begin = std::chrono::steady_clock::now();
      methods.save_state(temporary + "/methods", path + "/methods");
      method_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      write_file_atomically(temporary + "/state.json", state_text(identity, state, optimizer));
    };
    if (optimizer.shares() != nullptr) return write_share(temporary, optimizer, rest);
    write_optimizer(tensors_file(temporary, optimizer), optimizer);
    rest();
  });
  return method_seconds;
}

bool load_checkpoint(const std::string& folder, const std::string& identity, RunState& state, Optimizer& optimizer,
                     MethodStack& methods) {
  const std::string path = folder + "/checkpoint";
  recover_folder(path);
  if (!fs::exists(path)) return false;
  const std::string file = path + "/state.json";
  with_context(file, [&] {
    const Json json = parse_json(read_file(file));
    const int64_t version = integer_field(json, "version");
    if (version > kCheckpointVersion) throw Error("expected version <= {}, found {}", kCheckpointVersion, version);
    check_shares(json, optimizer);
    if (text_field(json, "identity") != identity) {
      throw Error("expected a checkpoint of configuration {}, found one of {}; give another --out folder or remove this one",
                  identity.substr(0, 12), text_field(json, "identity").substr(0, 12));
    }
    state.step = integer_field(json, "step");
    state.cursor.epoch = integer_field(json, "epoch");
    state.cursor.index = integer_field(json, "index");
    state.metrics_bytes = integer_field(json, "metrics_bytes");
    state.tokens_generated = integer_field(json, "tokens_generated");
    state.responses_generated = integer_field(json, "responses_generated");
    state.responses_kept = integer_field(json, "responses_kept");
    state.best_validation = number_field(json, "best_validation");
    state.best_step = integer_field(json, "best_step");
    state.memory = {json.value("micro_batch_responses", int64_t{0}), json.value("max_rows", int64_t{0})};
    state.cursor.visits.clear();
    for (const Json& visit : json.at("visits")) state.cursor.visits[visit.at(0).get<uint64_t>()] = visit.at(1).get<int64_t>();
    read_optimizer(tensors_file(path, optimizer), optimizer, integer_field(json, "updates"));
  });
  methods.load_state(path + "/methods");
  return true;
}

}  // namespace harness
