#include "harness/model/token_statistics_gpu.h"

#include <torch/types.h>

#include <algorithm>
#include <tuple>

namespace harness {

namespace {

struct PlainStatistics {
  torch::Tensor log_softmax, log_probs, entropies;
};

PlainStatistics plain_statistics(const torch::Tensor& logits, const torch::Tensor& targets, double temperature) {
  const auto log_softmax = torch::log_softmax(logits.to(torch::kFloat32) / temperature, -1);
  return {log_softmax, log_softmax.gather(1, targets.unsqueeze(1)).squeeze(1), -(log_softmax.exp() * log_softmax).sum(-1)};
}

torch::Tensor sent(const std::vector<int64_t>& targets, torch::Device device) {
  return torch::tensor(targets, torch::kInt64).to(device);
}

// d loss / d logits of some rows, by plain operations.
torch::Tensor plain_gradient(const torch::Tensor& logits, const torch::Tensor& index, double temperature,
                             const torch::Tensor& dlog_prob, const torch::Tensor& dentropy) {
  const PlainStatistics part = plain_statistics(logits, index, temperature);
  const torch::Tensor p = part.log_softmax.exp(), g = dlog_prob.unsqueeze(1);
  torch::Tensor gradient = -p * g;
  if (dentropy.defined()) gradient -= p * (part.log_softmax + part.entropies.unsqueeze(1)) * dentropy.unsqueeze(1);
  gradient.scatter_add_(1, index.unsqueeze(1), g);
  return (gradient / temperature).to(logits.dtype());
}

}  // namespace

// The targets go to the device before the first chunk and the numbers come back after the last: no chunk waits for another's.
TokenStatistics token_statistics_by(const std::optional<ops::gpu::Kernels>& kernels, const Transformer& model,
                                    const torch::Tensor& hidden, const std::vector<int64_t>& targets, double temperature) {
  const torch::NoGradGuard no_grad;
  const auto rows = static_cast<int64_t>(targets.size());
  const auto options = hidden.options().dtype(torch::kFloat32);
  TokenStatistics out{torch::empty({rows}, options), torch::empty({rows}, options)};
  const torch::Tensor index = sent(targets, hidden.device());
  const int64_t chunk = chunk_rows(model);
  const HeldUnit held(model.hooks(), model.head_unit());
  for (int64_t begin = 0; begin < rows; begin += chunk) {
    const int64_t end = std::min(rows, begin + chunk);
    const torch::Tensor logits = model.logits(hidden.slice(0, begin, end)), part_index = index.slice(0, begin, end);
    torch::Tensor log_probs, entropies;
    if (kernels) {
      std::tie(log_probs, entropies) = ops::gpu::token_log_probs(*kernels, logits, part_index, temperature);
    } else {
      const PlainStatistics part = plain_statistics(logits.slice(0, 0, end - begin), part_index, temperature);
      log_probs = part.log_probs, entropies = part.entropies;
    }
    out.log_probs.slice(0, begin, end).copy_(log_probs);
    out.entropies.slice(0, begin, end).copy_(entropies);
  }
  return {out.log_probs.to(torch::kCPU), out.entropies.to(torch::kCPU)};
}

torch::Tensor add_head_gradient_by(const std::optional<ops::gpu::Kernels>& kernels, Transformer& model,
                                   const torch::Tensor& hidden, const std::vector<int64_t>& targets, double temperature,
                                   const torch::Tensor& log_prob_gradient, const torch::Tensor& entropy_gradient) {
  const torch::NoGradGuard no_grad;
  const auto rows = static_cast<int64_t>(targets.size());
  torch::Tensor hidden_gradient = torch::zeros({rows, hidden.size(1)}, hidden.options());
  const torch::Tensor index = sent(targets, hidden.device());
  const auto there = [&](const torch::Tensor& all) {
    return all.defined() ? all.to(hidden.device(), torch::kFloat32).contiguous() : torch::Tensor();
  };
  const auto part_of = [](const torch::Tensor& all, int64_t begin, int64_t end) {
    return all.defined() ? all.slice(0, begin, end) : torch::Tensor();
  };
  const torch::Tensor dlog_prob = there(log_prob_gradient), dentropy = there(entropy_gradient);
  const int64_t chunk = chunk_rows(model);
  for (int64_t begin = 0; begin < rows; begin += chunk) {
    const int64_t end = std::min(rows, begin + chunk);
    torch::Tensor logits = model.logits(hidden.slice(0, begin, end));  // becomes its own gradient
    const torch::Tensor part_index = index.slice(0, begin, end), g = part_of(dlog_prob, begin, end),
                        h = part_of(dentropy, begin, end);
    if (kernels) {
      if (logits.size(0) > end - begin) logits.slice(0, end - begin).zero_();
      ops::gpu::logit_gradient(*kernels, logits, part_index, g, h, temperature);
    } else {
      logits = plain_gradient(logits.slice(0, 0, end - begin), part_index, temperature, g, h);
    }
    const torch::Tensor part = model.logits_backward(hidden.slice(0, begin, end), logits);
    hidden_gradient.slice(0, begin, end).copy_(part.slice(0, 0, end - begin));
  }
  return hidden_gradient;
}

}  // namespace harness
