// Checkpoint evaluations: a training's policy evaluated after some of its steps too (eval.checkpoints).
#pragma once

#include "harness/experiment/experiment.h"

namespace harness {

// Plans them for every trained row that asks: PlannedRow::checkpoints. What there is already is not evaluated twice: the last
// step is the row's own evaluation, and step 0 that of the untrained row of the base model where there is one of these keys,
// else one evaluation of it that all rows and seeds share. Throws Error where the responses of another row are graded
// (regrade_of).
void add_checkpoint_evaluations(Experiment& experiment);

}  // namespace harness
