// inspect logits and inspect fingerprint: what a model computes on given tokens.
#include <torch/types.h>

#include <iostream>

#include "experiments/lines/lines.h"
#include "experiments/lines/model_lines.h"
#include "harness/core/error.h"
#include "harness/model/token_statistics.h"
#include "harness/rollout/fingerprint.h"
#include "harness/rollout/layer_readout.h"

namespace experiments {

namespace {

using harness::Error;
using harness::OrderedJson;

// Of each row of `hidden` [T, D] the K most probable next ids with their log-probs; equal ones by rising id. [T] lists.
OrderedJson top_tokens(const harness::Transformer& model, const torch::Tensor& hidden, int64_t rows, int64_t count) {
  constexpr int64_t kRowsAtOnce = 64;
  OrderedJson top = OrderedJson::array();
  const int64_t kept = std::min(count, model.config().vocab_size);
  for (int64_t begin = 0; begin < rows; begin += kRowsAtOnce) {
    const int64_t end = std::min(rows, begin + kRowsAtOnce);
    const torch::Tensor logits = model.logits(hidden.slice(0, begin, end)).slice(0, 0, end - begin);
    const torch::Tensor log_probs = torch::log_softmax(logits.to(torch::kFloat32), -1);
    const auto [values, ids] = log_probs.topk(kept, -1);
    const torch::Tensor v = values.to(torch::kCPU).contiguous(), i = ids.to(torch::kCPU).contiguous();
    for (int64_t row = 0; row < end - begin; ++row) {
      std::vector<std::pair<float, int64_t>> pairs;
      for (int64_t k = 0; k < kept; ++k)
        pairs.emplace_back(-v.data_ptr<float>()[row * kept + k], i.data_ptr<int64_t>()[row * kept + k]);
      std::sort(pairs.begin(), pairs.end());
      OrderedJson list = OrderedJson::array();
      for (const auto& [negative, id] : pairs) list.push_back(OrderedJson::array({id, harness::json_float(-negative)}));
      top.push_back(std::move(list));
    }
  }
  return top;
}

OrderedJson answer_logits(AskedModel& asked, int64_t top, const OrderedJson& line) {
  if (!line.contains("ids") && !line.contains("text"))
    throw Error("expected one of the fields \"ids\" and \"text\", found none");
  const torch::NoGradGuard no_grad;
  harness::PackedBatch batch;
  batch.add(line.contains("ids") ? asked.ids_field(line, "ids") : asked.encoded_field(line, "text"));
  const int64_t rows = batch.rows();
  if (rows == 0) throw Error("expected at least one token, found none");
  const torch::Tensor hidden = asked.model().forward(batch);
  std::vector<int64_t> targets(batch.ids.begin() + 1, batch.ids.end());
  targets.push_back(0);  // nothing follows the last token; its entropy is asked for all the same
  const harness::TokenStatistics statistics = harness::token_statistics(asked.model(), hidden, targets, 1.0);
  OrderedJson out{{"logprobs", json_floats(statistics.log_probs.data_ptr<float>(), rows - 1)},
                  {"entropy", json_floats(statistics.entropies.data_ptr<float>(), rows)}};
  if (top > 0) out["top"] = top_tokens(asked.model(), hidden, rows, top);
  return out;
}

class FingerprintAnswer {
 public:
  explicit FingerprintAnswer(const FingerprintOptions& options)
      : settings_{harness::position_rule(options.position), harness::layer_choice(options.layers, options.differences),
                  options.lens_norm == "all"},
        asked_(options.model),
        reader_(asked_.tokenizer(), settings_, asked_.model().config().layers) {}

  void operator()(const OrderedJson& line, const EmitLine& emit) {
    const bool texts = line.contains("prompt") && line.contains("response");
    if (!texts && !(line.contains("prompt_ids") && line.contains("response_ids"))) {
      throw Error("expected the fields \"prompt\" and \"response\" or \"prompt_ids\" and \"response_ids\", found neither pair");
    }
    const auto prompt = texts ? asked_.encoded_field(line, "prompt") : asked_.ids_field(line, "prompt_ids");
    const auto response = texts ? asked_.encoded_field(line, "response") : asked_.ids_field(line, "response_ids");
    const std::optional<int64_t> position = reader_.position(response);
    if (!position) {
      emit(OrderedJson{{"position", nullptr}, {"answer_token", nullptr}, {"fingerprint", nullptr}});
      return;
    }
    const std::vector<float> fingerprint =
        reader_.fingerprint(response, harness::layer_readout(asked_.model(), prompt, response, settings_.lens_norm_all));
    emit(OrderedJson{{"position", *position},
                     {"answer_token", response[static_cast<size_t>(*position + 1)]},
                     {"fingerprint", json_floats(fingerprint.data(), static_cast<int64_t>(fingerprint.size()))}});
  }

 private:
  harness::FingerprintSettings settings_;
  AskedModel asked_;
  harness::FingerprintReader reader_;
};

}  // namespace

int logit_lines(const ModelOptions& options, int64_t top) {
  AskedModel asked(options);
  return answer_model_lines(std::cin, std::cout,
                            [&](const OrderedJson& line, const EmitLine& emit) { emit(answer_logits(asked, top, line)); });
}

std::string layers_problem(const std::string& layers) {
  try {
    harness::layer_choice(layers);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

int fingerprint_lines(const FingerprintOptions& options) {
  FingerprintAnswer answer(options);
  return answer_model_lines(std::cin, std::cout, std::ref(answer));
}

}  // namespace experiments
