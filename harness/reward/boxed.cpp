#include "harness/reward/boxed.h"

#include "harness/reward/text_edit.h"

namespace harness {
namespace {

constexpr std::string_view kBoxed = "\\boxed";
constexpr std::string_view kBoxedSpace = "\\boxed ";
constexpr std::string_view kBoxedBrace = "\\boxed{";
constexpr std::string_view kFbox = "\\fbox";

// The index after the first `}` that brings the count of open braces back to 0, counted from `begin` on; escapes are not seen.
std::optional<size_t> first_balance(std::string_view text, size_t begin) {
  int64_t open = 0;
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '{') ++open;
    if (text[i] == '}' && --open == 0) return i + 1;
  }
  return std::nullopt;
}

// The answer of the box whose command ends at `at`: braces, or one bare token.
std::optional<std::string> content_of_box(std::string_view text, size_t at) {
  while (at < text.size() && text[at] == ' ') ++at;
  if (at >= text.size()) return std::nullopt;
  if (text[at] == '{') {
    const std::optional<size_t> end = end_of_braces(text, at);
    if (!end) return std::nullopt;
    return std::string(text.substr(at + 1, *end - at - 2));
  }
  const size_t end = text.find_first_of(" $\n\t,;}", at);
  std::string token(text.substr(at, end == std::string_view::npos ? end : end - at));
  while (!token.empty() && token.back() == '.') token.pop_back();
  if (token.empty()) return std::nullopt;
  return token;
}

}  // namespace

std::optional<std::string> recipe_boxed_answer(std::string_view response) {
  const size_t spaced = response.rfind(kBoxedSpace);
  if (spaced != std::string_view::npos) {
    const std::string_view rest = response.substr(spaced + kBoxedSpace.size());
    return std::string(rest.substr(0, rest.find('$')));
  }
  size_t at = response.rfind(kBoxed);
  if (at == std::string_view::npos) at = response.rfind(kFbox);
  if (at == std::string_view::npos) return std::nullopt;
  const std::optional<size_t> end = first_balance(response, at);
  if (!end || response.substr(at, kBoxedBrace.size()) != kBoxedBrace) return std::nullopt;
  return std::string(response.substr(at + kBoxedBrace.size(), *end - at - kBoxedBrace.size() - 1));
}

std::optional<size_t> end_of_braces(std::string_view text, size_t open) {
  int64_t depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::nullopt;
}

std::optional<std::string> last_balanced_box(std::string_view response) {
  // Each unclosed box scans to the end of the text, so their number is bounded.
  constexpr int kMostBoxes = 64;
  size_t before = std::string_view::npos;
  for (int tries = 0; tries < kMostBoxes; ++tries) {
    const size_t boxed = response.rfind(kBoxed, before);
    const size_t fbox = response.rfind(kFbox, before);
    if (boxed == std::string_view::npos && fbox == std::string_view::npos) return std::nullopt;
    const bool take_fbox = boxed == std::string_view::npos || (fbox != std::string_view::npos && fbox > boxed);
    const size_t at = take_fbox ? fbox : boxed;
    const std::optional<std::string> content = content_of_box(response, at + (take_fbox ? kFbox : kBoxed).size());
    if (content) return content;
    if (at == 0) return std::nullopt;
    before = at - 1;
  }
  return std::nullopt;
}

}  // namespace harness
