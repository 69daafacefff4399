// The tokenizer inside a GGUF file, as the files a Hugging Face folder has.
#pragma once

#include <string>

#include "harness/core/json.h"
#include "harness/model/gguf/gguf.h"

namespace harness {

// tokenizer.json of a byte-level BPE: GGUF holds tokens, merges and token types and only names the pre-tokenizer ("smollm",
// "gpt-2", "qwen2", "llama-bpe", "default"). Throws Error for another kind of tokenizer, a pre-tokenizer it does not know, and
// merges that do not fit the tokens.
OrderedJson gguf_tokenizer_json(const GgufFile& file);
// tokenizer_config.json: special tokens, chat template, longest input.
OrderedJson gguf_tokenizer_config(const GgufFile& file, int64_t max_positions);

}  // namespace harness
