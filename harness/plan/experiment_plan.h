// ExperimentPlan: what an experiment will take before anything starts, and the difference that its seeds and samples can show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/experiment/experiment.h"
#include "harness/experiment/jobs/rates.h"
#include "harness/plan/job_cost.h"
#include "harness/plan/memory_plan.h"
#include "harness/verdicts/forecast.h"

namespace harness {

// The shape of a base model: from its folder, from the file that makes it, or from the `shape` that the experiment gives; none
// where nothing tells. Throws Error for a folder that holds no such model.
std::optional<ModelConfig> shape_of(const Experiment& experiment, const BaseModel& model, const Program& program);

// Memory of one base model: of its rows those whose training and whose evaluation need most.
struct ModelMemory {
  std::string model;
  double parameters = 0;
  std::optional<MemoryPlan> training;  // of one process; none where no row trains
  std::string training_row;
  MemorySettings settings;  // of that training
  MemoryPlan evaluation;
  bool cuda = false;
  // Of a worker at its peak, in bytes: on a GPU of each device.
  [[nodiscard]] double peak() const;
};

// Bytes of this machine's memory.
double memory_of_machine();

struct MachineFacts {
  double memory = 0;       // bytes
  NumericsKeys numerics;   // of the first row
  double matrix_rate = 0;  // of a CPU: operations a second of one matrix product, measured
  std::string gpu;         // of a GPU: the name of the one here, or of one that stands for it,
  bool gpu_is_here = false;
  RatePeak gpu_peak;  // and its peak rates
};

// What so many training seeds show of the average pass@1.
struct DetectableBySeeds {
  int64_t seeds = 0;
  double family = 0;  // smallest differences in points: where all comparisons of Holm's family are made,
  double column = 0;  // those of one column alone,
  double alone = 0;   // and a single one
};

// Differences in points of pass@1 that the planned seeds and samples show with `power`.
struct Detectable {
  double power = 0.8;
  double seed_deviation = 0;  // assumed, points of pass@1
  int64_t seeds = 1, samples = 0;
  int64_t comparisons = 0;  // in Holm's family; 0: no row names another to be compared with
  int64_t rows = 0;         // that are compared with another: the family of one column
  std::string column;       // "average pass@1"
  int64_t problems = 0, sets = 1;
  double points_of_set = 0;                 // over the problems of one set, all comparisons made
  std::vector<DetectableBySeeds> by_seeds;  // the planned number (where it is more than one) and some larger and smaller
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
  SeedRule rule;
  std::vector<RuleForecast> forecasts;  // of a rule that adds seeds or knows a margin, by true difference
  std::vector<std::string> also;        // experiment files run after this one

  // Of a worker at its peak, in bytes.
  [[nodiscard]] double peak() const;
};

// `seed_deviation`: assumed standard deviation between training seeds, points of pass@1. Measures this machine's CPU for a
// moment.
ExperimentPlan plan_experiment(const Experiment& experiment, const Program& program, double seed_deviation);

// For people.
std::string plan_text(const ExperimentPlan& plan);

}  // namespace harness
