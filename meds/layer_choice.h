// Layer choice: which of a readout's layers make the fingerprint.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace meds {

// A choice as `layer_choice` reads it.
struct LayerChoice {
  enum class Kind { last, half, all };
  Kind kind = Kind::last;
  int64_t last = 14;         // of Kind::last; all where there are fewer
  bool differences = false;  // value_{l+1} - value_l instead of the values, before the last ones are taken
};

// "lastN" or "N" (N >= 1), "half" (the last floor(L / 2) of L layers), "all". Throws Error for another text.
LayerChoice layer_choice(const std::string& layers, bool differences = false);

// The fingerprint of a readout [L] (method.md, "Fingerprint of one response").
std::vector<float> choose_layers(std::span<const float> all_layers, const LayerChoice& choice);

}  // namespace meds
