#include "harness/train/supervised.h"

#include <torch/torch.h>

#include <cmath>
#include <filesystem>

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

void save(const SupervisedCheckpoint& checkpoint, const SupervisedStep& at, const Optimizer& optimizer) {
  replace_checkpoint(checkpoint.folder, [&](const std::string& temporary) {
    write_optimizer(temporary + "/state.safetensors", optimizer);
    const OrderedJson json{{"version", kCheckpointVersion}, {"identity", checkpoint.identity}, {"step", at.step},
                           {"smoothed_loss", at.smoothed_loss}, {"all_tokens", at.all_tokens}};
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
    read_optimizer(path + "/state.safetensors", optimizer, at.step);
  });
  return at;
}

}  // namespace

SupervisedStep train_supervised(Transformer& model, const SupervisedSettings& settings,
                                const std::function<SupervisedExample(uint64_t)>& example,
                                const std::function<void(const SupervisedStep&)>& on_step,
                                const SupervisedCheckpoint& checkpoint) {
  Optimizer optimizer(model, settings.optimizer);
  SupervisedStep at = load(checkpoint, optimizer);
  while (at.step < settings.steps) {
    if (interrupt_requested()) {
      if (!checkpoint.folder.empty() && at.step > 0) save(checkpoint, at, optimizer);
      throw Interrupted();
    }
    const int64_t step = at.step + 1;
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
    at = {step, loss, step == 1 ? loss : 0.98 * at.smoothed_loss + 0.02 * loss, tokens, at.all_tokens + tokens};
    if (!checkpoint.folder.empty() && step % checkpoint.every == 0) save(checkpoint, at, optimizer);
    if (on_step) on_step(at);
  }
  return at;
}

}  // namespace harness
