// Fingerprint: the layer readout of a response's answer token, found by a rule of position and cut by a choice of layers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/core/config_reader.h"
#include "harness/text/tokenizer/tokenizer.h"

namespace harness {

// Where in a response the answer begins.
enum class PositionRule { reference, last_box };

// "reference" or "last_box". Throws Error for another name.
PositionRule position_rule(const std::string& name);

// The index p in the response of the token before the answer token, by the rule; none: no box, or the box ends the response
// so that there is no next token (then no fingerprint). The answer token is ids[p + 1].
//   ids          the sampled tokens, stop token included
//   token_texts  the text of each token as bytes, same length
//   boxed_ids    the ids of the tokenised text "\boxed{"
std::optional<int64_t> answer_position(PositionRule rule, std::span<const int64_t> ids,
                                       std::span<const std::string> token_texts, std::span<const int64_t> boxed_ids);

// Which of a readout's layers make the fingerprint.
struct LayerChoice {
  enum class Kind { last, half, all };
  Kind kind = Kind::last;
  int64_t last = 14;         // of Kind::last; all where there are fewer
  bool differences = false;  // value_{l+1} - value_l instead of the values, before the last ones are taken
};

// "lastN" or "N" (N >= 1), "half" (the last floor(L / 2) of L layers), "all". Throws Error for another text.
LayerChoice layer_choice(const std::string& layers, bool differences = false);
// The chosen values of a readout [L].
std::vector<float> choose_layers(std::span<const float> readout, const LayerChoice& choice);
// The lowest of `layers` layers that the choice reads: no value of a layer below changes what is chosen. `layers` if none is.
int64_t first_layer(const LayerChoice& choice, int64_t layers);

struct FingerprintSettings {
  PositionRule position = PositionRule::reference;
  LayerChoice layers;
  bool lens_norm_all = false;  // the readout is taken after the final norm in every layer, not in the last alone
};

// Reads fingerprint.*. Throws Error for a choice of layers that is none.
FingerprintSettings read_fingerprint_settings(ConfigReader& keys);

// Reads the fingerprints of responses of one model, for training, evaluation and the verbs alike.
class FingerprintReader {
 public:
  // `layers`: L of the model. The tokenizer outlives the reader.
  FingerprintReader(const Tokenizer& tokenizer, const FingerprintSettings& settings, int64_t layers);
  // answer_position by the settings' rule.
  [[nodiscard]] std::optional<int64_t> position(std::span<const int64_t> ids) const;
  // The row [L] of a response's readout [T, L] (SampledResponse) that belongs to its answer token; empty where there is no
  // answer token or the readout is empty.
  [[nodiscard]] std::span<const float> row(std::span<const int64_t> ids, std::span<const float> readout) const;
  // The chosen layers of that row, empty where it is.
  [[nodiscard]] std::vector<float> fingerprint(std::span<const int64_t> ids, std::span<const float> readout) const;

 private:
  const Tokenizer& tokenizer_;
  FingerprintSettings settings_;
  int64_t layers_;
  std::vector<int64_t> boxed_ids_;
};

}  // namespace harness
