#include "harness/model/token_statistics.h"

#include <torch/types.h>

#include <algorithm>

#include "harness/core/error.h"
#include "harness/model/cpu/parallel.h"
#include "harness/model/token_statistics_gpu.h"

namespace harness {

namespace {

template <typename Body>
void by_dtype(const torch::Tensor& tensor, Body&& body) {
  if (tensor.scalar_type() == torch::kFloat32) {
    body(float{}, kernels::table_fp32());
  } else {
    body(Bf16{}, kernels::table_bf16());
  }
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

namespace {

// Log-probs [M, K] of the tokens with these ids, of logits [M, V].
torch::Tensor log_probs_of(const torch::Tensor& logits, const torch::Tensor& ids, double temperature) {
  if (!logits.is_cpu()) return torch::log_softmax(logits.to(torch::kFloat32) / temperature, -1).gather(1, ids);
  torch::Tensor out = torch::empty(ids.sizes(), torch::kFloat32);
  const auto inverse = static_cast<float>(1.0 / temperature);
  const int64_t vocabulary = logits.size(1), columns = ids.size(1);
  by_dtype(logits, [&](auto tag, const auto& table) {
    using T = decltype(tag);
    for (int64_t i = 0; i < ids.size(0); ++i) {
      const T* row = static_cast<const T*>(logits.data_ptr()) + i * vocabulary;
      const auto statistics = table.logit_statistics(row, vocabulary, inverse);
      for (int64_t k = i * columns; k < (i + 1) * columns; ++k) {
        out.data_ptr<float>()[k] = statistics.log_prob(to_float(row[ids.data_ptr<int64_t>()[k]]) * inverse);
      }
    }
  });
  return out;
}

}  // namespace

TopTokens top_tokens(const Transformer& model, const torch::Tensor& hidden, int64_t count, double temperature) {
  const torch::NoGradGuard no_grad;
  const int64_t rows = hidden.size(0), chunk = chunk_rows(model), columns = std::min(count, model.config().vocab_size);
  std::vector<torch::Tensor> ids, log_probs;
  const HeldUnit held(model.hooks(), model.head_unit());
  for (int64_t begin = 0; begin < rows; begin += chunk) {
    const int64_t end = std::min(rows, begin + chunk);
    const torch::Tensor logits = model.logits(hidden.slice(0, begin, end)).slice(0, 0, end - begin).contiguous();
    const torch::Tensor found = std::get<1>(logits.to(torch::kFloat32).topk(columns)).contiguous();
    log_probs.push_back(log_probs_of(logits, found, temperature).to(torch::kCPU));
    ids.push_back(found.to(torch::kCPU));
  }
  return {torch::cat(ids), torch::cat(log_probs)};
}

namespace {

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

}  // namespace

torch::Tensor token_statistics_backward(Transformer& model, const torch::Tensor& hidden, const std::vector<int64_t>& targets,
                                        double temperature, const torch::Tensor& log_prob_gradient,
                                        const torch::Tensor& entropy_gradient) {
  torch::Tensor hidden_gradient;
  add_to_unit(model.hooks(), model.head_unit(), true, [&] {
    hidden_gradient = hidden.device().is_cpu()
                          ? add_head_gradient(model, hidden, targets, temperature, log_prob_gradient, entropy_gradient)
                          : add_head_gradient_by(kernels_of(model, hidden), model, hidden, targets, temperature,
                                                 log_prob_gradient, entropy_gradient);
  });
  return hidden_gradient;
}

}  // namespace harness
