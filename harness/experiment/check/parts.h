// The parts of check_experiment, a source each.
#pragma once

#include <algorithm>

#include "harness/experiment/check/check_experiment.h"

namespace harness {

// Columns, Holm's family, what rows are compared with, files beside the experiment.
void check_table(const Experiment& experiment, FindingList& found);
// What is trained and how: batches, groups, rewards, graders, the schedule.
void check_trainings(const Experiment& experiment, const Program& program, FindingList& found);
// Problem sets: names, splits, files, what training and evaluation share, how often a problem comes back.
void check_problems(const Experiment& experiment, FindingList& found);
// Base models: whether they are there, their positions, tokenizers and chat templates.
void check_models(const Experiment& experiment, const Program& program, FindingList& found);
// Devices, threads and memory.
void check_machine(const Experiment& experiment, const Program& program, const CheckOptions& options, FindingList& found);

// Whether any of a row's trainings, or of its evaluations, is still to be run.
template <typename Jobs>
bool unfinished(const Jobs& jobs) {
  return std::any_of(jobs.begin(), jobs.end(), [](const auto& entry) { return !readable_result_of(entry.second); });
}

}  // namespace harness
