// Rates: what the parts of a training did a second, and their share of what the device could at most.
#pragma once

#include <optional>
#include <string>

#include "harness/core/json.h"
#include "harness/cuda/peak.h"
#include "harness/model/transformer.h"
#include "harness/train/step/timing.h"

namespace harness {

// The peak rates of all devices of a training together; of one dtype.
struct RatePeak {
  double flops = 0, bytes = 0;  // a second
};
// None for the CPU, and for a device that is not known.
std::optional<RatePeak> rate_peak(const std::string& device_name, const Numerics& numerics, int64_t processes);

// "work" and "rates" of timing.json: for rollout, decode (within it), score and update, as far as there are any, tokens,
// operations and bytes; those of a second; `flop_utilisation` and (of decode) `bandwidth_share` where the peak is known.
OrderedJson rates_json(const Seconds& seconds, const Work& work, const std::optional<RatePeak>& peak);

// One line of a timing.json with rates for the end of `run`; "" for one without.
std::string rates_line(const Json& timing);

}  // namespace harness
