// Overlong shaping (DAPO, arXiv 2503.14476, equation 13): a soft penalty for responses that come near the length limit.
#pragma once

#include <algorithm>
#include <cstdint>

namespace harness {

// min(-(length - (max_tokens - buffer)) / buffer * factor, 0): 0 up to max_tokens - buffer tokens, -factor at max_tokens.
// buffer <= 0: off, 0. Added to the reward; it never changes whether a response is correct.
inline double overlong_penalty(int64_t length, int64_t max_tokens, int64_t buffer, double factor) {
  if (buffer <= 0) return 0;
  const auto excess = static_cast<double>(length - (max_tokens - buffer));
  return std::min(-excess / static_cast<double>(buffer) * factor, 0.0);
}

}  // namespace harness
