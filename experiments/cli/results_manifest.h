// experiment.json of a results folder: what an experiment's cells hold, from where `medsbench table` makes everything again.
#pragma once

#include "experiments/cli/experiment.h"

namespace experiments {

// As `cell_done`; a done.json that cannot be read counts as none.
bool is_finished(const PlannedCell& planned);

// Writes it where it says something new; it keeps the commit that made it, so a run again with nothing new rewrites nothing.
void write_manifest_once(const Experiment& experiment);

}  // namespace experiments
