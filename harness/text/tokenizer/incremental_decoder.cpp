#include "harness/core/utf8.h"
#include "harness/text/tokenizer/token_decoder.h"
#include "harness/text/tokenizer/tokenizer.h"

namespace harness {

// Bytewise tokenizers: bytes wait until their character is complete. Others: the text of a window of ids that begins at the
// last id whose text is certain; a run of <0x..> tokens is certain only once another token ends it.

std::string IncrementalDecoder::push(int64_t id) {
  if (tokenizer_->decodes_bytewise()) {
    pending_ += tokenizer_->token_bytes(id);
    const size_t certain = complete_prefix(pending_);
    std::string text = to_valid_utf8(std::string_view(pending_).substr(0, certain));
    pending_.erase(0, certain);
    return text;
  }
  ids_.push_back(id);
  if (tokenizer_->is_byte_token(id)) return {};
  return take_window();
}

std::string IncrementalDecoder::take_window() {
  const std::string whole = tokenizer_->decode(ids_);
  const std::string before = tokenizer_->decode(std::span(ids_).first(settled_));
  // The last id stays as the context of the next; a token that gave no text keeps the one before it.
  std::string text = whole.substr(std::min(before.size(), whole.size()));
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<ptrdiff_t>(ids_.size() - 1));
  settled_ = 1;
  return text;
}

std::string IncrementalDecoder::finish() {
  std::string text;
  if (tokenizer_->decodes_bytewise()) {
    text = to_valid_utf8(pending_);
  } else if (ids_.size() > settled_) {
    text = take_window();
  }
  pending_.clear();
  ids_.clear();
  settled_ = 0;
  return text;
}

}  // namespace harness
