#include "harness/reward/answer/boxed.h"

#include <algorithm>

#include "harness/core/text_edit.h"

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

namespace {

struct Box {
  size_t begin = 0;
  size_t end = 0;
  std::string content;
  bool braced = false;
};

// The end of one bare token of an answer at `at`: `42`, `\frac{1}{2}`, `A`; `at` where none begins.
size_t end_of_token(std::string_view text, size_t at) {
  const char first = at < text.size() ? text[at] : ' ';
  if (!is_letter(first) && !is_digit(first) && std::string_view("\\+-.([|").find(first) == std::string_view::npos) return at;
  bool closed = true;
  while (at < text.size() && std::string_view(" $\n\t,;}").find(text[at]) == std::string_view::npos) {
    const std::optional<size_t> braces = closed && text[at] == '{' ? end_of_braces(text, at) : std::nullopt;
    closed = closed && (text[at] != '{' || braces);
    at = braces ? *braces : at + 1;
  }
  return at;
}

// The box at `begin`, whose command ends at `at`: braces, or one bare token.
std::optional<Box> read_box(std::string_view text, size_t begin, size_t at) {
  if (at < text.size() && is_letter(text[at])) return std::nullopt;  // another command
  at = std::min(text.find_first_not_of(" \n\r\t", at), text.size());
  if (at < text.size() && text[at] == '{') {
    const std::optional<size_t> end = end_of_braces(text, at);
    if (!end) return std::nullopt;
    return Box{begin, *end, std::string(text.substr(at + 1, *end - at - 2)), true};
  }
  Box box{begin, end_of_token(text, at), {}, false};
  box.content = text.substr(at, box.end - at);
  while (!box.content.empty() && box.content.back() == '.') box.content.pop_back();
  if (box.content.empty()) return std::nullopt;
  return box;
}

// The last box that begins before `before`; boxes whose braces do not balance are passed over.
std::optional<Box> last_box_before(std::string_view response, size_t before) {
  // Each unclosed box scans to the end of the text, so their number is bounded.
  constexpr int kMostBoxes = 64;
  for (int tries = 0; tries < kMostBoxes; ++tries) {
    const size_t boxed = response.rfind(kBoxed, before);
    const size_t fbox = response.rfind(kFbox, before);
    if (boxed == std::string_view::npos && fbox == std::string_view::npos) return std::nullopt;
    const bool take_fbox = boxed == std::string_view::npos || (fbox != std::string_view::npos && fbox > boxed);
    const size_t at = take_fbox ? fbox : boxed;
    std::optional<Box> box = read_box(response, at, at + (take_fbox ? kFbox : kBoxed).size());
    if (box) return box;
    if (at == 0) return std::nullopt;
    before = at - 1;
  }
  return std::nullopt;
}

// Whether a box may be one that prose only names: "I used \boxed as you asked", `\boxed{}`.
bool may_be_prose(const Box& box) {
  if (box.braced) return trim(box.content).empty();
  return box.content.find_first_of("0123456789\\") == std::string::npos;
}

// The last box, or the last with something in braces where all behind it may be prose.
std::optional<Box> answer_box(std::string_view response) {
  constexpr int kMostProse = 16;
  const std::optional<Box> last = last_box_before(response, std::string_view::npos);
  std::optional<Box> box = last;
  for (int i = 0; i < kMostProse && box && may_be_prose(*box); ++i) {
    box = box->begin > 0 ? last_box_before(response, box->begin - 1) : std::nullopt;
  }
  return box && box->braced && !may_be_prose(*box) ? box : last;
}

bool are_neighbours(std::string_view between, const std::string& first, const std::string& second) {
  if (between.size() < 10) return true;
  if (between.size() >= 70 || first == second) return false;
  return contains(between, ",") || contains(between, ";") || contains(between, " and ") || contains(between, " or ");
}

}  // namespace

std::optional<std::string> last_balanced_box(std::string_view response) {
  const std::optional<Box> box = answer_box(response);
  if (!box) return std::nullopt;
  return box->content;
}

std::string neighbouring_boxes(std::string_view response) {
  constexpr int kMostNeighbours = 16;
  std::optional<Box> box = answer_box(response);
  if (!box) return {};
  std::string joined = box->content;
  for (int i = 0; i < kMostNeighbours && box->begin > 0; ++i) {
    std::optional<Box> earlier = last_box_before(response, box->begin - 1);
    if (!earlier || earlier->end > box->begin) break;
    if (!are_neighbours(response.substr(earlier->end, box->begin - earlier->end), earlier->content, box->content)) break;
    if (earlier->content != box->content) joined = earlier->content + "," + joined;
    box = std::move(earlier);
  }
  return joined;
}

}  // namespace harness
