#include "harness/rollout/fingerprint.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "harness/core/error.h"
#include "harness/core/text_edit.h"

namespace harness {
namespace {

// The published recipe looks for the brace in the token that says "boxed" and the next nine.
constexpr size_t kBraceWindow = 10;

// The last token of the last exact occurrence of `boxed_ids`.
std::optional<size_t> last_exact_match(std::span<const int64_t> ids, std::span<const int64_t> boxed_ids) {
  if (boxed_ids.empty()) return std::nullopt;
  const auto at = std::find_end(ids.begin(), ids.end(), boxed_ids.begin(), boxed_ids.end());
  if (at == ids.end()) return std::nullopt;
  return static_cast<size_t>(at - ids.begin()) + boxed_ids.size() - 1;
}

std::optional<size_t> last_inexact_match(std::span<const std::string> token_texts) {
  for (size_t i = token_texts.size(); i-- > 0;) {
    if (!contains(lower_ascii(token_texts[i]), "boxed")) continue;
    const size_t end = std::min(i + kBraceWindow, token_texts.size());
    for (size_t j = i; j < end; ++j) {
      if (contains(token_texts[j], "{")) return j;
    }
  }
  return std::nullopt;
}

std::optional<size_t> token_of_last_brace(std::span<const std::string> token_texts) {
  constexpr std::string_view kBox = "\\boxed{";
  std::string text;
  for (const std::string& token : token_texts) text += token;
  const size_t at = text.rfind(kBox);
  if (at == std::string::npos) return std::nullopt;
  const size_t brace = at + kBox.size() - 1;
  size_t end = 0;
  for (size_t i = 0; i < token_texts.size(); ++i) {
    end += token_texts[i].size();
    if (brace < end) return i;
  }
  return std::nullopt;
}

}  // namespace

PositionRule position_rule(const std::string& name) {
  if (name == "reference") return PositionRule::reference;
  if (name == "last_box") return PositionRule::last_box;
  throw Error("fingerprint.position: expected \"reference\" or \"last_box\", found \"{}\"", name);
}

std::optional<int64_t> answer_position(PositionRule rule, std::span<const int64_t> ids,
                                       std::span<const std::string> token_texts, std::span<const int64_t> boxed_ids) {
  MEDSBENCH_CHECK(ids.size() == token_texts.size(), "{} ids and {} token texts", ids.size(), token_texts.size());
  std::optional<size_t> position;
  if (rule == PositionRule::reference) {
    position = last_exact_match(ids, boxed_ids);
    if (!position) position = last_inexact_match(token_texts);
  } else {
    position = token_of_last_brace(token_texts);
  }
  if (!position || *position + 1 >= ids.size()) return std::nullopt;
  return static_cast<int64_t>(*position);
}

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
    throw Error("layers: expected lastN (N >= 1), half or all, found \"{}\"", layers);
  }
  return choice;
}

int64_t first_layer(const LayerChoice& choice, int64_t layers) {
  const int64_t values = choice.differences ? std::max<int64_t>(0, layers - 1) : layers;
  int64_t kept = values;
  if (choice.kind == LayerChoice::Kind::half) kept = layers / 2;
  if (choice.kind == LayerChoice::Kind::last) kept = choice.last;
  kept = std::min(kept, values);
  return kept == 0 ? layers : values - kept;
}

std::vector<float> choose_layers(std::span<const float> readout, const LayerChoice& choice) {
  const std::span<const float> read = readout.subspan(static_cast<size_t>(first_layer(choice, std::ssize(readout))));
  if (!choice.differences) return {read.begin(), read.end()};
  std::vector<float> values;
  for (size_t l = 0; l + 1 < read.size(); ++l) values.push_back(read[l + 1] - read[l]);
  return values;
}

FingerprintSettings read_fingerprint_settings(ConfigReader& keys) {
  FingerprintSettings s;
  s.position = position_rule(
      keys.text("fingerprint.position", "reference", {"reference", "last_box"}, "which token of a response is read"));
  s.lens_norm_all = keys.text("fingerprint.lens_norm", "last", {"last", "all"},
                              "blocks whose output is normalised before the readout") == "all";
  const std::string layers = keys.text("fingerprint.layers", "last14", "layers of a fingerprint: lastN, half or all");
  const bool differences = keys.boolean("fingerprint.layer_diff", false, "differences of neighbouring layers");
  s.layers = with_context("fingerprint.layers", [&] { return layer_choice(layers, differences); });
  return s;
}

FingerprintReader::FingerprintReader(const Tokenizer& tokenizer, const FingerprintSettings& settings, int64_t layers)
    : tokenizer_(tokenizer), settings_(settings), layers_(layers), boxed_ids_(tokenizer.encode("\\boxed{")) {}

std::optional<int64_t> FingerprintReader::position(std::span<const int64_t> ids) const {
  std::vector<std::string> texts;
  texts.reserve(ids.size());
  for (const int64_t id : ids) texts.push_back(tokenizer_.token_bytes(id));
  return answer_position(settings_.position, ids, texts, boxed_ids_);
}

std::span<const float> FingerprintReader::row(std::span<const int64_t> ids, std::span<const float> readout) const {
  if (readout.empty()) return {};
  const std::optional<int64_t> p = position(ids);
  if (!p) return {};
  // Row t belongs to token t; the fingerprint's token is the one after p.
  return readout.subspan(static_cast<size_t>((*p + 1) * layers_), static_cast<size_t>(layers_));
}

std::vector<float> FingerprintReader::fingerprint(std::span<const int64_t> ids, std::span<const float> readout) const {
  return choose_layers(row(ids, readout), settings_.layers);
}

}  // namespace harness
