#include "meds/layer_choice.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "harness/core/error.h"

namespace meds {

LayerChoice layer_choice(const std::string& layers, bool differences) {
  LayerChoice choice;
  choice.differences = differences;
  if (layers == "half" || layers == "all") {
    choice.kind = layers == "half" ? LayerChoice::Kind::half : LayerChoice::Kind::all;
    return choice;
  }
  std::string_view digits = layers;
  if (digits.starts_with("last")) digits.remove_prefix(4);
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), choice.last);
  if (code != std::errc() || end != digits.data() + digits.size() || choice.last < 1) {
    throw harness::Error("layers: expected lastN (N >= 1), half or all, found \"{}\"", layers);
  }
  return choice;
}

std::vector<float> choose_layers(std::span<const float> all_layers, const LayerChoice& choice) {
  std::vector<float> values(all_layers.begin(), all_layers.end());
  if (choice.differences) {
    for (size_t l = 0; l + 1 < values.size(); ++l) values[l] = values[l + 1] - values[l];
    if (!values.empty()) values.pop_back();
  }
  const auto layers = static_cast<int64_t>(values.size());
  int64_t kept = layers;
  if (choice.kind == LayerChoice::Kind::half) kept = static_cast<int64_t>(all_layers.size()) / 2;
  if (choice.kind == LayerChoice::Kind::last) kept = choice.last;
  values.erase(values.begin(), values.end() - std::min(kept, layers));
  return values;
}

}  // namespace meds
