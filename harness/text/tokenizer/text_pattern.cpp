#include "harness/text/tokenizer/text_pattern.h"

#include "harness/text/tokenizer/json_part.h"

namespace harness {

namespace {

Regex read_pattern(const Json& part) {
  const auto pattern = part.find("pattern");
  const bool one = pattern != part.end() && pattern->is_object() && pattern->size() == 1;
  if (one && pattern->contains("Regex")) return Regex(text_field(*pattern, "Regex"));
  if (one && pattern->contains("String")) return Regex::literal(text_field(*pattern, "String"));
  throw Error("pattern: expected {{\"Regex\": ...}} or {{\"String\": ...}}, found {}",
              pattern == part.end() ? "none" : dump_line(*pattern));
}

}  // namespace

void check_rewritten(size_t bytes, size_t before) {
  const size_t most = (size_t{4} << 20) + 16 * before;
  if (bytes > most) throw Error("expected steps that make at most {} bytes of a text of {}, found more", most, before);
}

TextPattern::TextPattern(const Json& part) : regex_(read_pattern(part)) {}

std::string TextPattern::replace_all(std::string_view text, std::string_view content) const {
  std::vector<TextRange> matches;
  regex_.find_all(text, matches);
  std::string replaced;
  size_t last = 0;
  for (const TextRange& match : matches) {
    replaced += text.substr(last, match.begin - last);
    replaced += content;
    check_rewritten(replaced.size(), text.size());
    last = match.end;
  }
  replaced += text.substr(last);
  return replaced;
}

}  // namespace harness
