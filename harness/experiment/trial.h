// What the trial of a base model showed, in words.
#pragma once

#include <string>

#include "harness/experiment/experiment.h"

namespace harness {

// One line where at least `share` of the responses are right; else what to change, with a response of each kind. Throws Error
// where the trial's folder does not hold its outcomes.
std::string trial_text(const BaseTrial& trial, double share);

}  // namespace harness
