// Training metrics as TensorBoard event files.
#pragma once

#include <cstdint>
#include <string>

namespace harness {

// Writes the event file of every training of a results folder to OUT/MODEL/ROW/seedN, or of the one run folder `folder` to OUT:
// TensorBoard shows each as a run of its own, named by its path. Returns their number. Throws Error for a folder that is
// neither, and for metrics that cannot be read.
int64_t export_events(const std::string& folder, const std::string& out);

}  // namespace harness
