// experiment.json of a results folder: what an experiment's jobs hold, from where `medsbench table` makes everything again.
#pragma once

#include "harness/experiment/experiment.h"

namespace harness {

// Writes it where it says something new; it keeps the commit that made it, so a run again with nothing new rewrites nothing.
void write_record(const Experiment& experiment, const Program& program);

}  // namespace harness
