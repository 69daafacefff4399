// FingerprintSettings: which token of a response and which layers make its fingerprint.
#pragma once

#include "harness/core/config_reader.h"
#include "harness/rollout/position.h"

namespace harness {

struct FingerprintSettings {
  PositionRule position = PositionRule::reference;
  bool lens_norm_all = false;  // every block's output is normalised before the readout, not the last one's alone
};

// Reads fingerprint.position and fingerprint.lens_norm.
FingerprintSettings read_fingerprint_settings(ConfigReader& keys);

}  // namespace harness
