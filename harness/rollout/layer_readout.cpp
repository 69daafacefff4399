#include "harness/rollout/layer_readout.h"

#include <torch/types.h>

#include "harness/model/ops/gpu.h"
#include "harness/model/ops/ops.h"

namespace harness {

namespace {

// [rows, L] on the CPU.
torch::Tensor readout_on_device(const Transformer& model, const std::vector<int64_t>& tokens,
                                const std::vector<torch::Tensor>& layers) {
  const torch::Tensor index = torch::tensor(tokens, torch::kInt64).to(model.numerics().device);
  if (const auto gpu = ops::gpu::kernels_for(model.head()); gpu && layers.size() <= cuda::kMostLayers) {
    return ops::gpu::readout(*gpu, model.head(), index, layers).to(torch::kCPU);
  }
  const torch::Tensor w = model.head().index_select(0, index).to(torch::kFloat32);
  std::vector<torch::Tensor> values;
  for (const torch::Tensor& layer : layers) values.push_back((layer.slice(0, 0, w.size(0)).to(torch::kFloat32) * w).sum(-1));
  return torch::stack(values, 1).to(torch::kCPU).contiguous();
}

template <typename T>
void record_on_cpu(const kernels::Table<T>& table, const Transformer& model, int64_t from,
                   const std::vector<SampledResponse*>& responses, const std::vector<int64_t>& tokens,
                   const std::vector<torch::Tensor>& layers) {
  const int64_t width = model.config().width;
  const T* head = static_cast<const T*>(model.head().data_ptr());
  std::vector<const T*> hidden;
  for (const torch::Tensor& layer : layers) hidden.push_back(static_cast<const T*>(layer.data_ptr()));
  const size_t first = static_cast<size_t>(from), few = hidden.size() * 64;  // 64 tokens
  for (size_t i = 0; i < responses.size(); ++i) {
    const T* w = head + tokens[i] * width;
    std::vector<float>& readout = responses[i]->readout;
    if (readout.empty()) readout.reserve(few);
    const size_t begin = readout.size();
    readout.resize(begin + hidden.size());
    for (size_t l = first; l < hidden.size(); ++l) {
      readout[begin + l] = table.dot(w, hidden[l] + static_cast<int64_t>(i) * width, width);
    }
  }
}

}  // namespace

void record_readout(const Transformer& model, const GeneratorSettings& settings, const std::vector<SampledResponse*>& responses,
                    const std::vector<int64_t>& tokens, std::vector<torch::Tensor>& layers) {
  if (settings.lens_norm_all) {
    for (size_t l = 0; l + 1 < layers.size(); ++l) {
      layers[l] = ops::rms_norm(layers[l], model.final_norm(), model.config().norm_eps);
    }
  }
  if (!model.numerics().device.is_cpu()) {
    const torch::Tensor all = readout_on_device(model, tokens, layers);
    for (size_t i = 0; i < responses.size(); ++i) {
      const float* value = all.data_ptr<float>() + static_cast<int64_t>(i) * all.size(1);
      responses[i]->readout.insert(responses[i]->readout.end(), value, value + all.size(1));
    }
  } else if (model.numerics().dtype == torch::kFloat32) {
    record_on_cpu(kernels::table_fp32(), model, settings.readout_from, responses, tokens, layers);
  } else {
    record_on_cpu(kernels::table_bf16(), model, settings.readout_from, responses, tokens, layers);
  }
}

std::vector<float> layer_readout(const Transformer& model, const std::vector<int64_t>& prompt,
                                 const std::vector<int64_t>& response, bool lens_norm_all) {
  const torch::NoGradGuard no_grad;
  // Tokens with one before them. The last is read at the one before and need not be fed.
  const std::vector<int64_t> read(response.begin() + (prompt.empty() && !response.empty() ? 1 : 0), response.end());
  SampledResponse out;
  out.readout.assign((response.size() - read.size()) * static_cast<size_t>(model.config().layers), 0.0f);
  if (read.empty()) return out.readout;
  PackedBatch batch;
  const int64_t prefix = prompt.empty() ? -1 : batch.add(prompt);
  if (response.size() > 1) batch.add({response.begin(), response.end() - 1}, prefix);
  std::vector<torch::Tensor> layers;
  model.forward(batch, nullptr, false, &layers);
  for (torch::Tensor& layer : layers) layer = layer.slice(0, batch.rows() - std::ssize(read), batch.rows());
  GeneratorSettings settings;
  settings.lens_norm_all = lens_norm_all;
  record_readout(model, settings, std::vector<SampledResponse*>(read.size(), &out), read, layers);
  return out.readout;
}

}  // namespace harness
