// ExperimentPlan: what an experiment will take before anything starts, and the difference that its seeds and samples can show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/experiment/experiment.h"
#include "harness/plan/job_cost.h"
#include "harness/plan/memory_plan.h"

namespace harness {

// Prompt and response of a row that do not fit the positions of its model.
struct TooFewPositions {
  std::string row, model;
  int64_t prompt_tokens = 0, response_tokens = 0, positions = 0;
};

// Memory of one base model: of its rows those whose training and whose evaluation need most.
struct ModelMemory {
  std::string model;
  double parameters = 0;
  std::optional<MemoryPlan> training;  // of one process; none where no row trains
  std::string training_row;
  MemorySettings settings;  // of that training
  MemoryPlan evaluation;
  bool cuda = false;
  std::vector<TooFewPositions> too_few_positions;
  // Of a worker at its peak, in bytes: on a GPU of each device.
  [[nodiscard]] double peak() const;
};

struct MachineFacts {
  double memory = 0;       // bytes
  bool has_device = true;  // the device of the first row is here
  double matrix_rate = 0;  // operations a second of one matrix product; 0 where the device is not here
  NumericsKeys numerics;   // of the first row
};

// Differences in points of pass@1 that the planned seeds and samples show with `power`.
struct Detectable {
  double power = 0.8;
  double seed_deviation = 0;  // assumed, points of pass@1
  int64_t seeds = 1, samples = 0;
  int64_t comparisons = 0;  // in Holm's family; 0: no row names another to be compared with
  int64_t problems = 0, sets = 1;
  double points = 0;         // over all problems
  double points_alone = 0;   // if it were the only comparison
  double points_of_set = 0;  // over the problems of one set
};

struct ExperimentPlan {
  std::string scale_note;  // "" at scale 1
  int64_t jobs = 0, done = 0, workers = 1;
  ProblemCount train, test;
  std::vector<ModelMemory> models;
  std::vector<std::string> unknown_models;  // whose folder is not there yet: not counted
  JobCosts costs;
  MachineFacts machine;
  double visits = 0;  // of a training problem, before refills
  Detectable detectable;
  std::vector<std::string> also;  // experiment files run after this one

  // Of a worker at its peak, in bytes.
  [[nodiscard]] double peak() const;
};

// `seed_deviation`: assumed standard deviation between training seeds, points of pass@1. Measures this machine for a moment.
ExperimentPlan plan_experiment(const Experiment& experiment, const Program& program, double seed_deviation);

// For people.
std::string plan_text(const ExperimentPlan& plan);

}  // namespace harness
