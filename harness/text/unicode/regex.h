// Regex: Oniguruma's (Ruby) syntax, which tokenizer.json files are written in, matched by PCRE2 with its JIT compiler.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace harness {

struct TextRange {
  size_t begin = 0;
  size_t end = 0;
};

// The same pattern in PCRE2's syntax, character classes as Oniguruma's Unicode tables have them. Throws Error for a
// construct that means something else or nothing there (class intersection, nested classes with a complement).
std::string translate_oniguruma(std::string_view pattern);

class Regex {
 public:
  // Throws Error for a pattern that does not compile.
  explicit Regex(std::string_view oniguruma_pattern);
  static Regex literal(std::string_view text);

  // Every match from left to right in `text` (valid UTF-8); an empty match right behind the one before is left out.
  void find_all(std::string_view text, std::vector<TextRange>& matches) const;

 private:
  struct Code;
  Regex() = default;
  void compile(const std::string& pcre_pattern, std::string_view shown);

  std::shared_ptr<const Code> code_;
};

}  // namespace harness
