#include "harness/train/supervised.h"

#include <torch/torch.h>

#include <cmath>

#include "harness/core/error.h"
#include "harness/model/token_statistics.h"

namespace harness {

namespace {

struct SupervisedBatch {
  PackedBatch packed;
  std::vector<int64_t> source, targets;
};

SupervisedBatch pack(const std::vector<SupervisedExample>& examples) {
  SupervisedBatch batch;
  for (const SupervisedExample& example : examples) {
    std::vector<int64_t> fed = example.prompt;
    fed.insert(fed.end(), example.response.begin(), example.response.end() - 1);  // nothing follows the last token
    const int64_t first = batch.packed.rows() + static_cast<int64_t>(example.prompt.size()) - 1;
    batch.packed.add(fed);
    for (size_t t = 0; t < example.response.size(); ++t) {
      batch.source.push_back(first + static_cast<int64_t>(t));
      batch.targets.push_back(example.response[t]);
    }
  }
  return batch;
}

}  // namespace

void train_supervised(Transformer& model, const SupervisedSettings& settings,
                      const std::function<SupervisedExample(uint64_t)>& example,
                      const std::function<void(const SupervisedStep&)>& on_step) {
  Optimizer optimizer(model, settings.optimizer);
  for (int64_t step = 1; step <= settings.steps; ++step) {
    check_interrupt();
    std::vector<SupervisedExample> examples;
    for (int64_t i = 0; i < settings.batch; ++i) {
      examples.push_back(example(static_cast<uint64_t>((step - 1) * settings.batch + i)));
    }
    const SupervisedBatch batch = pack(examples);
    const auto tokens = static_cast<int64_t>(batch.targets.size());
    model.zero_grad();
    Tape tape;
    const torch::Tensor hidden = model.forward(batch.packed, &tape, settings.recompute_activations);
    const torch::Tensor source = torch::tensor(batch.source, torch::kInt64).to(model.numerics().device);
    const torch::Tensor chosen = hidden.index_select(0, source);
    const TokenStatistics statistics = token_statistics(model, chosen, batch.targets, 1.0);
    const double loss = -statistics.log_probs.mean(torch::kFloat64).item<double>();
    const torch::Tensor gradient = torch::full({tokens}, -1.0 / static_cast<double>(tokens), torch::kFloat32);
    const torch::Tensor dchosen = token_statistics_backward(model, chosen, batch.targets, 1.0, gradient, {});
    torch::Tensor dhidden = torch::zeros_like(hidden);
    dhidden.index_copy_(0, source, dchosen);  // no place stands twice here
    model.backward(batch.packed, tape, dhidden);
    const double norm = optimizer.gradient_norm();
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      throw Error("supervised step {}: expected a finite loss and gradient, found loss {} and gradient norm {}", step, loss, norm);
    }
    optimizer.apply(norm);
    if (on_step) on_step({step, loss, tokens});
  }
}

}  // namespace harness
