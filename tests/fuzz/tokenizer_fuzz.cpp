// Fuzz target: any bytes as a tokenizer.json, and as a text for it (behind the first zero byte; else the first bytes of the
// file).
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "harness/core/error.h"
#include "harness/text/tokenizer/tokenizer.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void use(const std::shared_ptr<const harness::Tokenizer>& tokenizer, std::string_view text) {
  const auto ids = tokenizer->encode(text);
  check(tokenizer->encode(text) == ids);
  for (const int64_t id : ids) check(id >= 0 && id < tokenizer->size());
  (void)tokenizer->encode(text, {.plain = true, .add_special = true});
  (void)tokenizer->decode(ids);
  (void)tokenizer->decode(ids, true);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view whole(reinterpret_cast<const char*>(data), size);
  const size_t cut = whole.find('\0');
  const std::string_view text = cut == std::string_view::npos ? whole.substr(0, 256) : whole.substr(cut + 1);
  try {
    use(harness::Tokenizer::from_json_text(whole.substr(0, cut), "tokenizer.json"), text);
  } catch (const harness::Error&) {
    // bad input is answered, not a finding
  }
  return 0;
}
