#include "harness/reward/recipe/hendrycks.h"

#include <utility>
#include <vector>

#include "harness/core/text_edit.h"
#include "harness/core/utf8.h"
#include "harness/reward/answer/latex_edit.h"

namespace harness {
namespace {

using Edit = std::pair<std::string_view, std::string_view>;  // from, to
constexpr Edit kFirstEdits[] = {{"\n", ""},     {"\\!", ""},     {"\\\\", "\\"},    {"tfrac", "frac"}, {"dfrac", "frac"},
                                {"\\left", ""}, {"\\right", ""}, {"^{\\circ}", ""}, {"^\\circ", ""},   {"\\$", ""}};
constexpr Edit kEditsAfterUnits[] = {{"\\\\%", ""}, {"\\%", ""}, {" .", " 0."}, {"{.", "{0."}};

// `\sqrt3` -> `\sqrt{3}`; none for a `\sqrt` that nothing follows.
std::optional<std::string> brace_single_roots(const std::string& text) {
  const std::vector<std::string> parts = split_text(text, "\\sqrt");
  std::string result = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    if (part.empty()) return std::nullopt;
    if (part[0] == '{') {
      result += "\\sqrt" + part;
    } else {
      const size_t size = character_size(part, 0);
      result += "\\sqrt{" + part.substr(0, size) + "}" + part.substr(size);
    }
  }
  return result;
}

}  // namespace

std::optional<std::string> hendrycks_normalise(std::string_view answer) {
  std::string text(answer);
  for (const auto& [from, to] : kFirstEdits) text = replace_all(std::move(text), from, to);
  const std::vector<std::string> around_unit = split_text(text, "\\text{ ");
  if (around_unit.size() > 2) return std::nullopt;
  text = around_unit[0];
  for (const auto& [from, to] : kEditsAfterUnits) text = replace_all(std::move(text), from, to);
  if (text.empty()) return text;
  if (text[0] == '.') text.insert(0, "0");
  const std::vector<std::string> sides = split_text(text, "=");
  if (sides.size() == 2 && character_count(sides[0]) <= 2) text = sides[1];
  const std::optional<std::string> rooted = brace_single_roots(text);
  if (!rooted) return std::nullopt;
  const std::optional<std::string> divided = brace_fractions(replace_all(*rooted, " ", ""));
  if (!divided) return std::nullopt;
  return slash_to_fraction(*divided == "0.5" ? "\\frac{1}{2}" : *divided);
}

}  // namespace harness
