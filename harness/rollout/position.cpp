#include "harness/rollout/position.h"

#include <algorithm>
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

}  // namespace harness
