// Trainings of the toy policy by several ranks, each a process: for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/ranks/testing.h"
#include "harness/train/test_policy.h"

namespace harness {

// Runs body(ranks) as `size` ranks and waits for all.
inline void run_as_ranks(const std::string& name, int size, const std::function<void(Ranks&)>& body) {
  const ScratchFolder folder;
  run_as_processes(size, [&](int rank) { body(*Ranks::meet(folder.path(name), rank, size)); });
}

// Trains as `size` ranks in the run folder given; the policies of all ranks afterwards.
inline std::vector<std::unique_ptr<Transformer>> train_as_ranks(const ToyRun& toy, const std::string& run, int size,
                                                                const Numerics& numerics = {},
                                                                const Validation& validate = {}) {
  const TrainerInputs inputs = toy.inputs(run);
  const auto folder_of = [&](int rank) { return fmt::format("{}_policy_{}", inputs.folder, rank); };
  run_as_ranks(std::filesystem::path(inputs.folder).filename().string(), size, [&](Ranks& ranks) {
    const auto policy = Transformer::load(toy.model_folder(), numerics);
    TrainerInputs mine = inputs;
    mine.ranks = &ranks;
    mine.validate = validate;
    toy.train_policy(*policy, mine, true);
    policy->save(folder_of(ranks.rank()));
  });
  std::vector<std::unique_ptr<Transformer>> policies;
  for (int rank = 0; rank < size; ++rank) policies.push_back(Transformer::load(folder_of(rank), {}));
  return policies;
}

inline double largest_difference(const Transformer& a, const Transformer& b) {
  double largest = 0;
  for (size_t i = 0; i < a.parameters().size(); ++i) {
    largest = std::max(largest, (a.parameters()[i].value - b.parameters()[i].value).abs().max().item<double>());
  }
  return largest;
}

// Of every file in a folder.
inline std::map<std::string, std::string> bytes_of(const std::string& folder) {
  std::map<std::string, std::string> bytes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      bytes[std::filesystem::relative(entry.path(), folder).string()] = read_file(entry.path().string());
    }
  }
  return bytes;
}

// A training whose last digits would show in its bytes.
inline ToyRun toy_run(const std::string& name, int64_t layers = 2) {
  ToyRun toy(name, layers);
  toy.settings.filter.enabled = true;
  toy.settings.loss.kl_coef = 0.05;
  toy.settings.optimizer.lr = 1e-4;
  return toy;
}

}  // namespace harness
