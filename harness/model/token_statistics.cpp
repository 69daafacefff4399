#include "harness/model/token_statistics.h"

#include <torch/types.h>

#include <algorithm>
#include <tuple>

#include "harness/core/error.h"
#include "harness/model/cpu/parallel.h"
#include "harness/model/files/work.h"
#include "harness/model/ops/gpu.h"

namespace harness {

namespace {

int64_t chunk_rows(const Transformer& model) {
  return logit_chunk_rows(model.config().vocab_size, !model.numerics().device.is_cpu());
}

template <typename Body>
void by_dtype(const torch::Tensor& tensor, Body&& body) {
  if (tensor.scalar_type() == torch::kFloat32) {
    body(float{}, kernels::table_fp32());
  } else {
    body(Bf16{}, kernels::table_bf16());
  }
}

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

// Kernels for hidden states on a GPU; none where they do not hold the vocabulary.
std::optional<ops::gpu::Kernels> kernels_of(const Transformer& model, const torch::Tensor& hidden) {
  return ops::gpu::fits_vocabulary(model.config().vocab_size) ? ops::gpu::kernels_for(hidden) : std::nullopt;
}

}  // namespace

TokenStatistics token_statistics(const Transformer& model, const torch::Tensor& hidden, const std::vector<int64_t>& targets,
                                 double temperature) {
  const torch::NoGradGuard no_grad;
  const auto rows = static_cast<int64_t>(targets.size());
  MEDSBENCH_CHECK(hidden.size(0) >= rows, "{} hidden rows for {} targets", hidden.size(0), rows);
  if (!hidden.device().is_cpu()) return token_statistics_by(kernels_of(model, hidden), model, hidden, targets, temperature);
  const auto options = torch::TensorOptions().dtype(torch::kFloat32);
  TokenStatistics out{torch::empty({rows}, options), torch::empty({rows}, options)};
  const int64_t vocabulary = model.config().vocab_size, chunk = chunk_rows(model);
  const auto inverse = static_cast<float>(1.0 / temperature);
  const HeldUnit held(model.hooks(), model.head_unit());
  for (int64_t begin = 0; begin < rows; begin += chunk) {
    const int64_t end = std::min(rows, begin + chunk);
    const torch::Tensor logits = model.logits(hidden.slice(0, begin, end));
    by_dtype(logits, [&](auto tag, const auto& table) {
      using T = decltype(tag);
      const T* z = static_cast<const T*>(logits.data_ptr());
      parallel_for(0, end - begin, std::max<int64_t>(1, 65536 / vocabulary), [&](int64_t from, int64_t to) {
        for (int64_t i = from; i < to; ++i) {
          const T* row = z + i * vocabulary;
          const auto statistics = table.logit_statistics(row, vocabulary, inverse);
          const float logit = to_float(row[targets[static_cast<size_t>(begin + i)]]);
          out.log_probs.data_ptr<float>()[begin + i] = statistics.log_prob(logit * inverse);
          out.entropies.data_ptr<float>()[begin + i] = statistics.entropy();
        }
      });
    });
  }
  return out;
}

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

namespace {

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

torch::Tensor add_head_gradient(Transformer& model, const torch::Tensor& hidden, const std::vector<int64_t>& targets,
                                double temperature, const torch::Tensor& log_prob_gradient,
                                const torch::Tensor& entropy_gradient) {
  const torch::NoGradGuard no_grad;
  const auto rows = static_cast<int64_t>(targets.size());
  torch::Tensor hidden_gradient = torch::zeros({rows, hidden.size(1)}, hidden.options());
  const int64_t vocabulary = model.config().vocab_size, chunk = chunk_rows(model);
  const auto inverse = static_cast<float>(1.0 / temperature);
  const torch::Tensor dlog_prob = log_prob_gradient.to(torch::kCPU, torch::kFloat32).contiguous();
  const torch::Tensor dentropy =
      entropy_gradient.defined() ? entropy_gradient.to(torch::kCPU, torch::kFloat32).contiguous() : torch::Tensor();
  for (int64_t begin = 0; begin < rows; begin += chunk) {
    const int64_t end = std::min(rows, begin + chunk);
    torch::Tensor logits = model.logits(hidden.slice(0, begin, end));  // becomes its own gradient
    if (logits.size(0) > end - begin) logits.slice(0, end - begin).zero_();
    by_dtype(logits, [&](auto tag, const auto& table) {
      using T = decltype(tag);
      T* z = static_cast<T*>(logits.data_ptr());
      parallel_for(0, end - begin, std::max<int64_t>(1, 65536 / vocabulary), [&](int64_t from, int64_t to) {
        for (int64_t i = from; i < to; ++i) {
          T* row = z + i * vocabulary;
          const auto statistics = table.logit_statistics(row, vocabulary, inverse);
          table.logit_gradient(row, vocabulary, inverse, statistics, targets[static_cast<size_t>(begin + i)],
                               dlog_prob.data_ptr<float>()[begin + i],
                               dentropy.defined() ? dentropy.data_ptr<float>()[begin + i] : 0.0f);
        }
      });
    });
    const torch::Tensor part = model.logits_backward(hidden.slice(0, begin, end), logits);
    hidden_gradient.slice(0, begin, end).copy_(part.slice(0, 0, end - begin));
  }
  return hidden_gradient;
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

}  // namespace

torch::Tensor token_statistics_backward(Transformer& model, const torch::Tensor& hidden, const std::vector<int64_t>& targets,
                                        double temperature, const torch::Tensor& log_prob_gradient,
                                        const torch::Tensor& entropy_gradient) {
  if (!hidden.device().is_cpu()) {
    return token_statistics_backward_by(kernels_of(model, hidden), model, hidden, targets, temperature, log_prob_gradient,
                                        entropy_gradient);
  }
  torch::Tensor hidden_gradient;
  add_to_unit(model.hooks(), model.head_unit(), true, [&] {
    hidden_gradient = add_head_gradient(model, hidden, targets, temperature, log_prob_gradient, entropy_gradient);
  });
  return hidden_gradient;
}

torch::Tensor token_statistics_backward_by(const std::optional<ops::gpu::Kernels>& kernels, Transformer& model,
                                           const torch::Tensor& hidden, const std::vector<int64_t>& targets, double temperature,
                                           const torch::Tensor& log_prob_gradient, const torch::Tensor& entropy_gradient) {
  torch::Tensor hidden_gradient;
  add_to_unit(model.hooks(), model.head_unit(), true, [&] {
    hidden_gradient = add_head_gradient_by(kernels, model, hidden, targets, temperature, log_prob_gradient, entropy_gradient);
  });
  return hidden_gradient;
}

}  // namespace harness
