#include "harness/train/supervised.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/model/token_statistics.h"
#include "harness/train/checkpoint.h"

namespace fs = std::filesystem;

namespace harness {

namespace {

struct SupervisedBatch {
  PackedBatch packed;
  std::vector<int64_t> source, targets;
};

SupervisedBatch pack(std::span<const SupervisedExample> examples) {
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

void save(const SupervisedCheckpoint& checkpoint, const SupervisedStep& at, const Optimizer& optimizer) {
  replace_checkpoint(checkpoint.folder, [&](const std::string& temporary) {
    write_optimizer(temporary + "/state.safetensors", optimizer);
    OrderedJson json{{"version", kCheckpointVersion},
                     {"identity", checkpoint.identity},
                     {"step", at.step},
                     {"smoothed_loss", at.smoothed_loss},
                     {"all_tokens", at.all_tokens}};
    if (at.micro_batch > 0) json["micro_batch_responses"] = at.micro_batch;
    write_file_atomically(temporary + "/state.json", dump_line(json) + "\n");
  });
}

// The step to go on from; 0 where nothing of this identity is kept.
SupervisedStep load(const SupervisedCheckpoint& checkpoint, Optimizer& optimizer) {
  SupervisedStep at;
  const std::string path = checkpoint.folder + "/checkpoint";
  if (checkpoint.folder.empty()) return at;
  recover_folder(path);
  if (!fs::exists(path)) return at;
  with_context(path + "/state.json", [&] {
    const Json json = parse_json(read_file(path + "/state.json"));
    const int64_t version = integer_field(json, "version");
    if (version > kCheckpointVersion) throw Error("expected version <= {}, found {}", kCheckpointVersion, version);
    if (text_field(json, "identity") != checkpoint.identity) return;
    at.smoothed_loss = number_field(json, "smoothed_loss");
    at.all_tokens = integer_field(json, "all_tokens");
    at.step = integer_field(json, "step");
    at.micro_batch = json.value("micro_batch_responses", int64_t{0});
    read_optimizer(path + "/state.safetensors", optimizer, at.step);
  });
  return at;
}

// Forward and backward pass of some examples of a batch of `tokens` response tokens: adds to the gradients of the mean over
// those. Returns the sum of the log-probs, nats.
double add_gradients(Transformer& model, std::span<const SupervisedExample> examples, int64_t tokens, bool recompute) {
  const SupervisedBatch batch = pack(examples);
  Tape tape;
  const torch::Tensor hidden = model.forward(batch.packed, &tape, recompute);
  const torch::Tensor source = torch::tensor(batch.source, torch::kInt64).to(model.numerics().device);
  const torch::Tensor chosen = hidden.index_select(0, source);
  const TokenStatistics statistics = token_statistics(model, chosen, batch.targets, 1.0);
  const torch::Tensor gradient =
      torch::full({static_cast<int64_t>(batch.targets.size())}, -1.0 / static_cast<double>(tokens), torch::kFloat32);
  const torch::Tensor dchosen = token_statistics_backward(model, chosen, batch.targets, 1.0, gradient, {});
  torch::Tensor dhidden = torch::zeros_like(hidden);
  dhidden.index_copy_(0, source, dchosen);  // no place stands twice here
  model.backward(batch.packed, tape, dhidden);
  return statistics.log_probs.sum(torch::kFloat64).item<double>();
}

// Gradients of the mean cross-entropy over the batch's response tokens, micro-batch by micro-batch; that mean, nats.
double pass_batch(Transformer& model, const SupervisedSettings& settings, const std::vector<SupervisedExample>& examples,
                  int64_t tokens, MemoryLimits& limits, const std::string& place) {
  const auto all = static_cast<int64_t>(examples.size());
  double sum = 0;
  limits.fit(Pass::update, settings.micro_batch > 0 ? std::min(settings.micro_batch, all) : all, place, [&](int64_t size) {
    model.zero_grad();
    sum = 0;
    for (int64_t begin = 0; begin < all; begin += size) {
      const int64_t count = std::min(size, all - begin);
      limits.begin(Pass::update, count);
      sum += add_gradients(model, std::span(examples).subspan(static_cast<size_t>(begin), static_cast<size_t>(count)), tokens,
                           settings.recompute_activations);
    }
  });
  return -sum / static_cast<double>(tokens);
}

}  // namespace

SupervisedStep train_supervised(Transformer& model, const SupervisedSettings& settings,
                                const std::function<SupervisedExample(uint64_t)>& example,
                                const std::function<void(const SupervisedStep&)>& on_step,
                                const SupervisedCheckpoint& checkpoint, const MemoryLimits::Hooks& hooks) {
  Optimizer optimizer(model, settings.optimizer);
  SupervisedStep at = load(checkpoint, optimizer);
  MemorySizes sizes{at.micro_batch, 0};
  MemoryLimits limits({}, model.numerics().device, nullptr, sizes, hooks);
  while (at.step < settings.steps) {
    if (interrupt_requested()) {
      if (!checkpoint.folder.empty() && at.step > 0) save(checkpoint, at, optimizer);
      throw Interrupted();
    }
    const int64_t step = at.step + 1;
    std::vector<SupervisedExample> examples;
    int64_t tokens = 0;
    for (int64_t i = 0; i < settings.batch; ++i) {
      examples.push_back(example(static_cast<uint64_t>((step - 1) * settings.batch + i)));
      tokens += static_cast<int64_t>(examples.back().response.size());
    }
    const double loss = pass_batch(model, settings, examples, tokens, limits, fmt::format("supervised step {}", step));
    const double norm = optimizer.gradient_norm();
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      throw Error("supervised step {}: expected a finite loss and gradient, found loss {} and gradient norm {}", step, loss,
                  norm);
    }
    optimizer.apply(norm);
    const double smoothed = step == 1 ? loss : 0.98 * at.smoothed_loss + 0.02 * loss;
    at = {step, loss, smoothed, tokens, at.all_tokens + tokens, sizes.micro_batch};
    if (!checkpoint.folder.empty() && step % checkpoint.every == 0) save(checkpoint, at, optimizer);
    if (on_step) on_step(at);
  }
  return at;
}

}  // namespace harness
