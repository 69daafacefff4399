// Where in a response the answer begins: the position whose hidden state and next token make the fingerprint (docs/method.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace harness {

enum class PositionRule { reference, last_box };

// "reference" or "last_box". Throws Error for another name.
PositionRule position_rule(const std::string& name);

// The index p in the response of the token before the answer token, by the rule; none: no box, or the box ends the response
// so that there is no next token (then no fingerprint). The answer token is ids[p + 1].
//   ids          the sampled tokens, stop token included
//   token_texts  the text of each token as bytes, same length
//   boxed_ids    the ids of the tokenised text "\boxed{"
std::optional<int64_t> answer_position(PositionRule rule, std::span<const int64_t> ids,
                                       std::span<const std::string> token_texts, std::span<const int64_t> boxed_ids);

}  // namespace harness
