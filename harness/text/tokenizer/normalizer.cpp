#include "harness/text/tokenizer/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <functional>

#include "harness/core/utf8.h"
#include "harness/text/tokenizer/byte_level.h"
#include "harness/text/tokenizer/json_part.h"
#include "harness/text/tokenizer/text_pattern.h"
#include "harness/text/unicode/newer_characters.h"
#include "harness/text/unicode/properties.h"

namespace harness {

namespace {

// One rewriting as a function.
class Rewriting : public Normalizer {
 public:
  explicit Rewriting(std::function<std::string(std::string)> rewrite) : rewrite_(std::move(rewrite)) {}
  [[nodiscard]] std::string normalize(std::string text) const override { return rewrite_(std::move(text)); }

 private:
  std::function<std::string(std::string)> rewrite_;
};

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  [[nodiscard]] std::string normalize(std::string text) const override {
    const size_t before = text.size();
    for (const auto& step : steps_) {
      text = step->normalize(std::move(text));
      check_rewritten(text.size(), before);
    }
    return text;
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

bool is_ascii(std::string_view text) {
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) >= 0x80) return false;
  }
  return true;
}

std::string mapped_form(std::string_view text, utf8proc_option_t options) {
  if (text.empty()) return {};
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                               static_cast<utf8proc_ssize_t>(text.size()), &mapped, options);
  if (length < 0) throw Error("Unicode normalisation: {}", utf8proc_errmsg(length));
  std::string result(reinterpret_cast<const char*>(mapped), static_cast<size_t>(length));
  std::free(mapped);  // NOLINT: utf8proc allocates with malloc
  return result;
}

// Stretches between the characters that stay as they are.
std::string unicode_form(std::string text, utf8proc_option_t options) {
  if (is_ascii(text)) return text;
  static const CodePointSet whole(whole_ranges());
  std::string result;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    const size_t next = at + static_cast<size_t>(point.length);
    if (whole.contains(point.value)) {
      result += mapped_form(std::string_view(text).substr(begin, at - begin), options);
      result.append(text, at, next - at);
      begin = next;
    }
    at = next;
  }
  return result + mapped_form(std::string_view(text).substr(begin), options);
}

char32_t lower_of(char32_t value) {
  const auto pairs = newer_lower_cases();
  const auto found = std::lower_bound(pairs.begin(), pairs.end(), value,
                                      [](const LowerCase& pair, char32_t upper) { return pair.upper < upper; });
  if (found != pairs.end() && found->upper == value) return found->lower;
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(value)));
}

std::unique_ptr<Normalizer> form(int options) {
  const auto flags = static_cast<utf8proc_option_t>(options | UTF8PROC_STABLE);
  return std::make_unique<Rewriting>([flags](std::string text) { return unicode_form(std::move(text), flags); });
}

// The full lower case of a single character; only U+0130 becomes two.
std::string lower_case(std::string text) {
  std::string lowered;
  lowered.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    at += static_cast<size_t>(point.length);
    if (point.value == 0x130) {
      lowered += "i\xCC\x87";
    } else {
      append_utf8(lowered, lower_of(point.value));
    }
  }
  return lowered;
}

std::string without_marks(std::string text) {
  std::string kept;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (!is_mark(point.value)) kept.append(text, at, static_cast<size_t>(point.length));
    at += static_cast<size_t>(point.length);
  }
  return kept;
}

std::string strip(const std::string& text, bool left, bool right) {
  const std::u32string points = to_code_points(text);
  size_t begin = 0;
  size_t end = points.size();
  while (left && begin < end && is_white_space(points[begin])) ++begin;
  while (right && end > begin && is_white_space(points[end - 1])) --end;
  return to_utf8(std::u32string_view(points).substr(begin, end - begin));
}

std::unique_ptr<Normalizer> make(std::function<std::string(std::string)> rewrite) {
  return std::make_unique<Rewriting>(std::move(rewrite));
}

std::unique_ptr<Normalizer> make_sequence(const Json& part) {
  std::vector<std::unique_ptr<Normalizer>> steps;
  for (const Json& step : array_field(part, "normalizers")) steps.push_back(make_normalizer(step));
  return std::make_unique<NormalizerSequence>(std::move(steps));
}

}  // namespace

std::unique_ptr<Normalizer> make_normalizer(const Json& part) {
  if (part.is_null()) return nullptr;
  const std::string type = text_field(part, "type");
  if (type == "Sequence") return make_sequence(part);
  return with_context(type, [&]() -> std::unique_ptr<Normalizer> {
    if (type == "NFC") return form(UTF8PROC_COMPOSE);
    if (type == "NFD") return form(UTF8PROC_DECOMPOSE);
    if (type == "NFKC") return form(UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
    if (type == "NFKD") return form(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT);
    if (type == "Lowercase") return make(lower_case);
    if (type == "StripAccents") return make(without_marks);
    if (type == "Prepend") {
      return make([prefix = text_field(part, "prepend")](std::string text) { return text.empty() ? text : prefix + text; });
    }
    if (type == "Strip") {
      const bool left = bool_or(part, "strip_left", true);
      const bool right = bool_or(part, "strip_right", true);
      return make([left, right](const std::string& text) { return strip(text, left, right); });
    }
    if (type == "Replace") {
      return make([pattern = TextPattern(part), content = text_field(part, "content")](const std::string& text) {
        return pattern.replace_all(text, content);
      });
    }
    if (type == "ByteLevel") {
      return make([alphabet = ByteLevelAlphabet()](const std::string& text) { return alphabet.to_characters(text); });
    }
    throw Error(
        "expected Sequence, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Prepend, Strip, Replace or ByteLevel, found a type "
        "that is not supported");
  });
}

}  // namespace harness
