#include "harness/model/ops/gpu.h"

#include <torch/types.h>

#include <cmath>

#include "harness/core/error.h"
#include "harness/model/ops/gpu_tensors.h"
#ifdef MEDSBENCH_CUDA
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace harness::ops::gpu {

std::optional<Kernels> kernels_for(const torch::Tensor& tensor) {
#ifdef MEDSBENCH_CUDA
  if (tensor.is_cuda()) {
    c10::cuda::set_device(tensor.device().index());  // kernels start on the current device
    return Kernels{cuda::gpu_table<float>(), cuda::gpu_table<Bf16>(),
                   c10::cuda::getCurrentCUDAStream(tensor.device().index()).stream()};
  }
#else
  (void)tensor;
#endif
  return std::nullopt;
}

bool fits(kernels::HeadShape shape) { return shape.dim <= 256 && shape.heads / shape.kv_heads <= 16; }
bool fits_vocabulary(int64_t vocabulary) { return vocabulary <= cuda::kLargestVocabulary; }

torch::Tensor rms_norm(const Kernels& kernels, const torch::Tensor& x, const torch::Tensor& w, double eps,
                       torch::Tensor* rstd) {
  torch::Tensor y = torch::empty_like(x);
  if (rstd != nullptr) *rstd = torch::empty({x.size(0)}, fp32_like(x));
  by_dtype(kernels, x, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    cuda::RmsNorm<T> a;
    a.x = data<T>(x);
    a.weight = data<T>(w);
    a.y = data<T>(y);
    a.rstd = rstd != nullptr ? data<float>(*rstd) : nullptr;
    a.rows = x.size(0);
    a.width = x.size(1);
    a.eps = static_cast<float>(eps);
    table.rms_norm(a, kernels.stream);
  });
  return y;
}

void rms_norm_backward(const Kernels& kernels, const torch::Tensor& dy, const torch::Tensor& x, const torch::Tensor& w,
                       const torch::Tensor& rstd, torch::Tensor& dx, torch::Tensor& dw) {
  const int64_t rows = x.size(0), width = x.size(1);
  const torch::Tensor gradient = dy.to(x.dtype()).contiguous();
  const torch::Tensor workspace = torch::empty({cuda::norm_chunks(rows), width}, fp32_like(x));
  by_dtype(kernels, x, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    table.rms_norm_backward({data<T>(gradient), data<T>(x), data<T>(w), data<float>(rstd), data<T>(dx), data<float>(dw),
                             data<float>(workspace), rows, width},
                            kernels.stream);
  });
}

std::pair<torch::Tensor, torch::Tensor> split_rotate(const Kernels& kernels, const torch::Tensor& qkv, const HeadNorms& norms,
                                                     const Rotary& rotary, const torch::Tensor& positions,
                                                     kernels::HeadShape shape, const SentTasks* tasks, int64_t store_layer) {
  const int64_t rows = qkv.size(0);
  torch::Tensor q = torch::empty({rows, shape.heads * shape.dim}, qkv.options());
  torch::Tensor k = torch::empty({rows, shape.kv_heads * shape.dim}, qkv.options());
  by_dtype(kernels, qkv, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    cuda::SplitRotate<T> a;
    a.qkv = data<T>(qkv);
    a.q_norm = data<T>(norms.q);
    a.k_norm = data<T>(norms.k);
    a.cosine = data<float>(rotary.cosine);
    a.sine = data<float>(rotary.sine);
    a.positions = data<int64_t>(positions);
    a.q = data<T>(q);
    a.k = data<T>(k);
    if (tasks != nullptr) {
      a.key_places = tasks->key_places;
      a.value_places = tasks->value_places;
      a.layer_bytes = tasks->layer_bytes;
      a.layer = store_layer;
    }
    a.rows = rows;
    a.shape = heads_of(shape);
    a.eps = static_cast<float>(norms.eps);
    table.split_rotate(a, kernels.stream);
  });
  return {q, k};
}

torch::Tensor swiglu(const Kernels& kernels, const torch::Tensor& gate_up) {
  const int64_t rows = gate_up.size(0), width = gate_up.size(1) / 2;
  torch::Tensor y = torch::empty({rows, width}, gate_up.options());
  by_dtype(kernels, gate_up, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    table.swiglu({data<T>(gate_up), nullptr, data<T>(y), nullptr, rows, width}, kernels.stream);
  });
  return y;
}

torch::Tensor swiglu_backward(const Kernels& kernels, const torch::Tensor& dy, const torch::Tensor& gate_up) {
  torch::Tensor out = torch::empty_like(gate_up);
  const torch::Tensor gradient = dy.contiguous();
  by_dtype(kernels, gate_up, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    table.swiglu({data<T>(gate_up), data<T>(gradient), nullptr, data<T>(out), gate_up.size(0), gate_up.size(1) / 2},
                 kernels.stream);
  });
  return out;
}

DrawnTokens draw_tokens(const Kernels& kernels, const torch::Tensor& logits, const std::vector<double>& uniforms,
                        double temperature, double report_temperature) {
  const int64_t rows = logits.size(0), vocabulary = logits.size(1);
  MEDSBENCH_CHECK(uniforms.empty() || static_cast<int64_t>(uniforms.size()) == rows, "{} uniforms for {} rows", uniforms.size(),
                  rows);
  torch::Tensor draws;
  if (!uniforms.empty()) draws = torch::tensor(uniforms, torch::kFloat64).to(logits.device());
  // Tokens and the numbers beside them come back in one copy: int64 [R], then fp32 [2, R].
  const torch::Tensor packed = torch::empty({rows * 2}, logits.options().dtype(torch::kInt64));
  const torch::Tensor sums = torch::empty({rows, cuda::kTileSums, cuda::logit_tiles(vocabulary)}, fp32_like(logits));
  by_dtype(kernels, logits, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    auto* numbers = reinterpret_cast<float*>(data<int64_t>(packed) + rows);
    table.sample_tokens(
        {data<T>(logits), data<double>(draws), data<int64_t>(packed), numbers, numbers + rows, rows, vocabulary,
         static_cast<float>(1.0 / temperature), static_cast<float>(1.0 / report_temperature), data<float>(sums)},
        kernels.stream);
  });
  const torch::Tensor back = packed.to(torch::kCPU);
  const torch::Tensor numbers = back.slice(0, rows).view(torch::kFloat32);
  return {back.slice(0, 0, rows), numbers.slice(0, 0, rows), numbers.slice(0, rows)};
}

std::pair<torch::Tensor, torch::Tensor> token_log_probs(const Kernels& kernels, const torch::Tensor& logits,
                                                        const torch::Tensor& targets, double temperature) {
  const int64_t rows = targets.size(0);
  torch::Tensor log_probs = torch::empty({rows}, fp32_like(logits)), entropies = torch::empty({rows}, fp32_like(logits));
  by_dtype(kernels, logits, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    table.token_log_probs({data<T>(logits), data<int64_t>(targets), data<float>(log_probs), data<float>(entropies), rows,
                           logits.size(1), static_cast<float>(1.0 / temperature)},
                          kernels.stream);
  });
  return {log_probs, entropies};
}

void logit_gradient(const Kernels& kernels, torch::Tensor& logits, const torch::Tensor& targets,
                    const torch::Tensor& log_prob_gradient, const torch::Tensor& entropy_gradient, double temperature) {
  by_dtype(kernels, logits, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    table.logit_gradient(
        {data<T>(logits), data<int64_t>(targets), data<float>(log_prob_gradient), data<float>(entropy_gradient),
         targets.size(0), logits.size(1), static_cast<float>(1.0 / temperature)},
        kernels.stream);
  });
}

torch::Tensor readout(const Kernels& kernels, const torch::Tensor& head, const torch::Tensor& tokens,
                      const std::vector<torch::Tensor>& layers) {
  const auto count = static_cast<int64_t>(layers.size());
  MEDSBENCH_CHECK(count <= cuda::kMostLayers, "{} layers", count);
  torch::Tensor values = torch::empty({tokens.size(0), count}, fp32_like(head));
  by_dtype(kernels, head, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    cuda::Readout<T> a;
    a.head = data<T>(head);
    a.tokens = data<int64_t>(tokens);
    for (int64_t l = 0; l < count; ++l) a.hidden[l] = data<T>(layers[static_cast<size_t>(l)]);
    a.values = data<float>(values);
    a.rows = tokens.size(0);
    a.layers = count;
    a.width = head.size(1);
    table.readout(a, kernels.stream);
  });
  return values;
}

void adamw(const Kernels& kernels, torch::Tensor& master, torch::Tensor& first, torch::Tensor& second,
           const torch::Tensor& gradient, torch::Tensor& parameter, const AdamWSettings& s) {
  const bool own = parameter.data_ptr() != master.data_ptr();
  by_dtype(kernels, parameter, [&](const auto& table, auto tag) {
    using T = decltype(tag);
    cuda::AdamW<T> a;
    a.master = data<float>(master);
    a.first = data<float>(first);
    a.second = data<float>(second);
    a.gradient = data<float>(gradient);
    a.parameter = own ? data<T>(parameter) : nullptr;
    a.count = master.numel();
    a.lr = static_cast<float>(s.lr);
    a.beta1 = static_cast<float>(s.beta1);
    a.beta2 = static_cast<float>(s.beta2);
    a.eps = static_cast<float>(s.eps);
    a.weight_decay = static_cast<float>(s.weight_decay);
    a.gradient_scale = static_cast<float>(s.gradient_scale);
    a.correction1 = static_cast<float>(1 - std::pow(s.beta1, static_cast<double>(s.step)));
    a.correction2_root = static_cast<float>(std::sqrt(1 - std::pow(s.beta2, static_cast<double>(s.step))));
    table.adamw(a, kernels.stream);
  });
}

}  // namespace harness::ops::gpu
