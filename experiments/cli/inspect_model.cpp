// inspect logits and inspect fingerprint: what a model computes on given tokens.
#include <torch/types.h>

#include <iostream>

#include "experiments/cli/model_lines.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/model/ops/ops.h"
#include "harness/model/token_statistics.h"
#include "harness/train/step/collect.h"
#include "meds/layer_choice.h"

namespace experiments {

namespace {

using harness::Error;
using harness::OrderedJson;

struct LogitsOptions {
  ModelOptions model;
  int64_t top = 0;
};

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

struct FingerprintOptions {
  ModelOptions model;
  std::string layers = "last14";
  bool differences = false;
  std::string lens_norm = "last";
  std::string position = "reference";
};

// What is wrong with a choice of layers; "": nothing.
std::string layers_problem(const std::string& layers) {
  try {
    meds::layer_choice(layers);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

class FingerprintAnswer {
 public:
  explicit FingerprintAnswer(const FingerprintOptions& options)
      : choice_(meds::layer_choice(options.layers, options.differences)),
        lens_norm_all_(options.lens_norm == "all"),
        asked_(options.model),
        reader_(asked_.tokenizer(), harness::position_rule(options.position), asked_.model().config().layers) {}

  void operator()(int64_t, const OrderedJson& line, const EmitLine& emit) {
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
    const int64_t answer = response[static_cast<size_t>(*position + 1)];
    const std::vector<float> fingerprint = meds::choose_layers(readout(prompt, response, *position, answer), choice_);
    emit(OrderedJson{{"position", *position},
                     {"answer_token", answer},
                     {"fingerprint", json_floats(fingerprint.data(), static_cast<int64_t>(fingerprint.size()))}});
  }

 private:
  // value_l = <W_lm[answer], h_l> at that place of the response (docs/method.md, "Fingerprint"), [L].
  std::vector<float> readout(const std::vector<int64_t>& prompt, const std::vector<int64_t>& response, int64_t position,
                             int64_t answer) const {
    const torch::NoGradGuard no_grad;
    const harness::Transformer& model = asked_.model();
    std::vector<int64_t> ids = prompt;
    ids.insert(ids.end(), response.begin(), response.begin() + position + 1);  // what comes later is not attended to
    harness::PackedBatch batch;
    batch.add(ids);
    std::vector<torch::Tensor> layers;
    model.forward(batch, nullptr, false, &layers);
    const torch::Tensor head = model.head()[answer].to(torch::kFloat64);
    const int64_t row = batch.rows() - 1;
    std::vector<float> values;
    for (size_t l = 0; l < layers.size(); ++l) {
      torch::Tensor hidden = layers[l].slice(0, row, row + 1).contiguous();
      if (lens_norm_all_ && l + 1 < layers.size()) {
        hidden = harness::ops::rms_norm(hidden, model.final_norm(), model.config().norm_eps);
      }
      values.push_back(static_cast<float>((hidden[0].to(torch::kFloat64) * head).sum().item<double>()));
    }
    return values;
  }

  meds::LayerChoice choice_;
  bool lens_norm_all_;
  AskedModel asked_;
  harness::FingerprintReader reader_;
};

}  // namespace

void add_inspect_logits(CLI::App& inspect, Chosen& chosen) {
  const auto options = std::make_shared<LogitsOptions>();
  CLI::App* verb = inspect.add_subcommand("logits", "log-probs, entropies and most probable next tokens (JSON lines)");
  add_model_options(*verb, options->model);
  verb->add_option("--top", options->top, "so many most probable next tokens of each position")->check(CLI::NonNegativeNumber);
  verb->callback([options, &chosen] {
    chosen = [options] {
      AskedModel asked(options->model);
      return answer_model_lines(std::cin, std::cout, [&](int64_t, const OrderedJson& line, const EmitLine& emit) {
        emit(answer_logits(asked, options->top, line));
      });
    };
  });
}

void add_inspect_fingerprint(CLI::App& inspect, Chosen& chosen) {
  const auto options = std::make_shared<FingerprintOptions>();
  CLI::App* verb = inspect.add_subcommand("fingerprint", "answer position and layer readout of a response (JSON lines)");
  add_model_options(*verb, options->model);
  verb->add_option("--layers", options->layers, "lastN, half or all")->check(&layers_problem)->capture_default_str();
  verb->add_flag("--diff", options->differences, "differences of neighbouring layers, taken before the last ones are chosen");
  verb->add_option("--lens-norm", options->lens_norm, "blocks whose output is normalised before the readout")
      ->check(CLI::IsMember({"last", "all"}))
      ->capture_default_str();
  verb->add_option("--position", options->position, "rule of the answer position")
      ->check(CLI::IsMember({"reference", "last_box"}))
      ->capture_default_str();
  verb->callback([options, &chosen] {
    chosen = [options] {
      FingerprintAnswer answer(*options);
      return answer_model_lines(std::cin, std::cout, std::ref(answer));
    };
  });
}

}  // namespace experiments
