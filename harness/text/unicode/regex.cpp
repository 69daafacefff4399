#include "harness/text/unicode/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "harness/core/error.h"
#include "harness/core/utf8.h"
#include "harness/text/unicode/newer_characters.h"

namespace harness {

namespace {

// Large enough for runs of a few million characters in nested groups; allocated only after the 32 kB of the machine stack
// did not suffice.
constexpr size_t kJitStackBytes = size_t{256} << 20;
// The same for patterns that the JIT compiler leaves to the interpreter, whose default is 20 GB.
constexpr uint32_t kHeapKibibytes = uint32_t{256} << 10;

struct MatchDataDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct ContextDeleter {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
struct StackDeleter {
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};

std::string pcre_message(int code) {
  unsigned char buffer[256] = {};
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

}  // namespace

struct Regex::Code {
  pcre2_code* code = nullptr;
  std::string shown;
  ~Code() { pcre2_code_free(code); }
};

Regex::Regex(std::string_view oniguruma_pattern) { compile(translate_oniguruma(oniguruma_pattern), oniguruma_pattern); }

Regex Regex::literal(std::string_view text) {
  std::string pattern;
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    if (value < 0x80 && std::isalnum(value) == 0) pattern += '\\';
    if (value < 0x20) {
      pattern += fmt::format("x{:02x}", value);
    } else {
      pattern += byte;
    }
  }
  Regex regex;
  regex.compile(pattern, text);
  return regex;
}

void Regex::compile(const std::string& pcre_pattern, std::string_view shown) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)> context(
      pcre2_compile_context_create(nullptr), &pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  auto code = std::make_shared<Code>();
  code->shown = shown;
  code->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pcre_pattern.data()), pcre_pattern.size(),
                             PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset, context.get());
  if (code->code == nullptr) {
    throw Error("expected a regular expression, found \"{}\" ({} near its character {})", shown, pcre_message(error), offset);
  }
  pcre2_jit_compile(code->code, PCRE2_JIT_COMPLETE);
  code_ = std::move(code);
}

void Regex::find_all(std::string_view text, std::vector<TextRange>& matches) const {
  const std::unique_ptr<pcre2_match_data, MatchDataDeleter> data(pcre2_match_data_create(1, nullptr));
  const std::unique_ptr<pcre2_match_context, ContextDeleter> context(pcre2_match_context_create(nullptr));
  pcre2_set_heap_limit(context.get(), kHeapKibibytes);
  std::unique_ptr<pcre2_jit_stack, StackDeleter> stack;
  // Character classes must know the characters that are newer than PCRE2's tables.
  std::string written;
  text = with_known_characters(text, written);
  const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  constexpr size_t kNone = static_cast<size_t>(-1);
  size_t last_end = kNone;
  for (size_t at = 0; at <= text.size();) {
    int found = pcre2_match(code_->code, subject, text.size(), at, PCRE2_NO_UTF_CHECK, data.get(), context.get());
    if (found == PCRE2_ERROR_JIT_STACKLIMIT && !stack) {
      stack.reset(pcre2_jit_stack_create(size_t{64} << 10, kJitStackBytes, nullptr));
      pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
      continue;
    }
    if (found == PCRE2_ERROR_NOMATCH) break;
    if (found < 0)
      throw Error("regular expression \"{}\": {} on a text of {} bytes", code_->shown, pcre_message(found), text.size());
    const size_t* range = pcre2_get_ovector_pointer(data.get());
    if (range[0] == range[1] && range[1] == last_end) {
      at = range[1] < text.size() ? range[1] + static_cast<size_t>(code_point_at(text, range[1]).length) : text.size() + 1;
      continue;
    }
    matches.push_back({range[0], range[1]});
    at = last_end = range[1];
  }
}

}  // namespace harness
