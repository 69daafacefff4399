// The identity of a job: what its results follow from. A folder whose identity differs is begun anew.
#pragma once

#include <string>

#include "harness/core/config.h"

namespace harness {

// SHA-256 of the effective keys that change results, and of the numerics version. `kind`: "train" or "pretrain".
// Left out are keys that say where things lie or how fast they are made: folders, threads, rows decoded at once (these two
// where numerics.strict = true only), processes, shares and offloading. Kept of them is what adds numbers in another order:
// more than one process, shared gradients, AdamW on the CPU beside a GPU.
std::string job_identity(const Config::Entries& effective, const std::string& kind);
// Of an evaluation: the number of samples is left out too, since more samples add to what is there.
std::string eval_identity(const Config::Entries& effective);

}  // namespace harness
