#include "harness/rollout/fingerprint_settings.h"

namespace harness {

FingerprintSettings read_fingerprint_settings(ConfigReader& keys) {
  FingerprintSettings s;
  s.position = position_rule(
      keys.text("fingerprint.position", "reference", {"reference", "last_box"}, "which token of a response is read"));
  s.lens_norm_all = keys.text("fingerprint.lens_norm", "last", {"last", "all"},
                              "blocks whose output is normalised before the readout") == "all";
  return s;
}

}  // namespace harness
