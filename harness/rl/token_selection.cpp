#include "harness/rl/token_selection.h"

#include <fmt/ranges.h>
#include <torch/types.h>

#include <algorithm>
#include <tuple>

#include "harness/core/error.h"
#include "harness/core/random.h"

namespace harness {

namespace {

template <typename Value>
struct Token {
  Value value;  // smallest first
  uint64_t row_key;
  int64_t row, position;
  bool operator<(const Token& other) const {
    return std::tie(value, row_key, position) < std::tie(other.value, other.row_key, other.position);
  }
};

// Calls visit(row, position) for each token that is not 0 in `eligible` [B, T].
template <typename Visit>
void for_each_token(const torch::Tensor& eligible, const std::vector<uint64_t>& row_keys, Visit&& visit) {
  MEDSBENCH_CHECK(eligible.dim() == 2 && eligible.size(0) == static_cast<int64_t>(row_keys.size()),
                  "[{}] tokens against {} row keys", fmt::join(eligible.sizes(), "x"), row_keys.size());
  const torch::Tensor flags = eligible.ne(0).to(torch::kCPU).contiguous();
  const auto view = flags.accessor<bool, 2>();
  for (int64_t row = 0; row < flags.size(0); ++row) {
    for (int64_t position = 0; position < flags.size(1); ++position) {
      if (view[row][position]) visit(row, position);
    }
  }
}

template <typename Value>
torch::Tensor take_first(std::vector<Token<Value>> tokens, int64_t count, const torch::Tensor& like) {
  count = std::min<int64_t>(count, static_cast<int64_t>(tokens.size()));
  std::nth_element(tokens.begin(), tokens.begin() + count, tokens.end());
  torch::Tensor selected = torch::zeros(like.sizes(), torch::kDouble);
  auto view = selected.accessor<double, 2>();
  for (int64_t i = 0; i < count; ++i) view[tokens[static_cast<size_t>(i)].row][tokens[static_cast<size_t>(i)].position] = 1;
  return selected.to(like.options());
}

}  // namespace

torch::Tensor select_largest(const torch::Tensor& values, const torch::Tensor& eligible, int64_t count,
                             const std::vector<uint64_t>& row_keys) {
  const torch::Tensor plain = values.detach().to(torch::kCPU, torch::kDouble).contiguous();
  const auto view = plain.accessor<double, 2>();
  std::vector<Token<double>> tokens;
  for_each_token(eligible, row_keys, [&](int64_t row, int64_t position) {
    tokens.push_back({-view[row][position], row_keys[static_cast<size_t>(row)], row, position});
  });
  return take_first(std::move(tokens), count, values);
}

torch::Tensor select_random(const torch::Tensor& eligible, int64_t count, const std::vector<uint64_t>& row_keys,
                            const std::string& purpose, int64_t update) {
  std::vector<RandomStream> streams;
  for (const uint64_t key : row_keys)
    streams.emplace_back(purpose, std::initializer_list<uint64_t>{key, static_cast<uint64_t>(update)});
  std::vector<Token<uint64_t>> tokens;
  for_each_token(eligible, row_keys, [&](int64_t row, int64_t position) {
    tokens.push_back({streams[static_cast<size_t>(row)].bits(static_cast<uint64_t>(position)),
                      row_keys[static_cast<size_t>(row)], row, position});
  });
  return take_first(std::move(tokens), count, eligible);
}

int64_t share_rounded_down(double share, int64_t tokens) {
  if (share <= 0) return 0;
  return std::max<int64_t>(1, static_cast<int64_t>(share * static_cast<double>(tokens)));
}

int64_t share_rounded_up(double share, int64_t tokens) {
  if (share <= 0) return 0;
  return std::max<int64_t>(1, static_cast<int64_t>(share * static_cast<double>(tokens) + 0.9999));
}

torch::Tensor token_covariance(const torch::Tensor& advantages, const torch::Tensor& log_probs, const torch::Tensor& mask) {
  const torch::Tensor tokens = mask.sum().clamp_min(1);
  const torch::Tensor kept_advantages = advantages.detach().masked_fill(mask == 0, 0);
  const torch::Tensor kept_log_probs = log_probs.detach().masked_fill(mask == 0, 0);
  const torch::Tensor advantage_gap = kept_advantages - kept_advantages.sum() / tokens;
  const torch::Tensor log_prob_gap = kept_log_probs - kept_log_probs.sum() / tokens;
  return (advantage_gap * log_prob_gap).masked_fill(mask == 0, 0);
}

}  // namespace harness
