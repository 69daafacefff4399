// The trial of a base model before rows are trained on it: its job, and what it showed in words.
#pragma once

#include <string>

#include "harness/core/config.h"
#include "harness/experiment/experiment.h"

namespace harness {

// Plans a trial for the row (`config`: what its training, read as `train`, and its evaluation are read from), or adds the row
// to that of an earlier row which samples and grades alike. Nothing where experiment.trial asks for none.
void add_trial(Experiment& experiment, const PlannedRow& row, Config config, const TrainJob& train, const Program& program);

// One line where at least `share` of the responses are right; else what to change, with a response of each kind. Throws Error
// where the trial's folder does not hold its outcomes.
std::string trial_text(const BaseTrial& trial, double share);

}  // namespace harness
