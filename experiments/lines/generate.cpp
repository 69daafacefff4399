// generate: text in, text out: samples from a model folder.
#include <iostream>
#include <map>

#include "experiments/lines/lines.h"
#include "experiments/lines/model_lines.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/rollout/generator.h"
#include "harness/text/jinja/chat_template.h"

namespace experiments {

namespace {

using harness::Error;
using harness::OrderedJson;

class GenerateAnswer {
 public:
  explicit GenerateAnswer(const GenerateOptions& options) : options_(options), asked_(options.model) {
    settings_.sampling = options.sampling;
    if (!options.ignore_stop) settings_.stop_ids = asked_.model().config().eos_ids;
    if (options.add_bos && asked_.model().config().bos_id < 0) {
      throw Error("{}: expected bos_token_id in config.json (--add-bos), found none", asked_.folder());
    }
    settings_.max_rows = options.max_rows;
    settings_.unit_temperature_log_probs = true;
  }

  void operator()(const OrderedJson& line, const EmitLine& emit) {
    harness::GenerationRequest request{prompt_ids(line), {}};
    if (request.prompt.empty()) throw Error("expected a prompt of at least one token, found an empty one");
    const auto* bytes = reinterpret_cast<const char*>(request.prompt.data());
    const uint64_t prompt = harness::hash64({bytes, request.prompt.size() * sizeof(int64_t)});
    const uint64_t before = times_asked_[prompt]++;
    for (int64_t sample = 0; sample < options_.n; ++sample) {
      request.streams.emplace_back(
          "generate", std::initializer_list<uint64_t>{options_.seed, prompt, before, static_cast<uint64_t>(sample)});
    }
    harness::GeneratorSettings settings = settings_;
    if (!options_.new_tokens_given) settings.sampling.max_new_tokens = room_after(request.prompt);
    harness::GenerationTotals totals;
    const auto responses = harness::generate(asked_.model(), {request}, settings, &totals);
    if (options_.timing) {
      std::cerr << harness::dump_line(OrderedJson{{"prompt_tokens", totals.prompt_tokens},
                                                  {"prompt_seconds", totals.prompt_seconds},
                                                  {"decoded_tokens", totals.tokens},
                                                  {"decode_seconds", totals.decode_seconds}})
                << '\n';
    }
    for (size_t sample = 0; sample < responses[0].size(); ++sample) emit(response_line(line, sample, responses[0][sample]));
  }

 private:
  std::vector<int64_t> prompt_ids(const OrderedJson& line) {
    if (line.contains("ids")) return asked_.ids_field(line, "ids");
    if (line.contains("messages")) return conversation_ids(line);
    if (line.contains("prompt")) {
      std::vector<int64_t> ids = asked_.encoded_field(line, "prompt");
      if (options_.add_bos) ids.insert(ids.begin(), asked_.model().config().bos_id);
      return ids;
    }
    throw Error("expected one of the fields \"prompt\", \"messages\" and \"ids\", found none");
  }

  std::vector<int64_t> conversation_ids(const OrderedJson& line) {
    if (template_ == nullptr) template_ = harness::ChatTemplate::from_model_folder(asked_.folder());
    if (template_ == nullptr) {
      throw Error("{}: expected a chat template in tokenizer_config.json or chat_template.jinja, found none", asked_.folder());
    }
    OrderedJson arguments = OrderedJson::object();
    if (line.contains("template_args") && !line.at("template_args").is_null()) arguments = line.at("template_args");
    if (!arguments.is_object()) throw Error("\"template_args\": expected an object, found {}", arguments.type_name());
    return asked_.encoded_field({{"messages", template_->render(line.at("messages"), true, arguments)}}, "messages");
  }

  // The default length, less where the model's positions end before it.
  [[nodiscard]] int64_t room_after(const std::vector<int64_t>& prompt) const {
    const int64_t room = asked_.model().config().max_positions - static_cast<int64_t>(prompt.size());
    return room < 1 ? options_.sampling.max_new_tokens : std::min(options_.sampling.max_new_tokens, room);
  }

  OrderedJson response_line(const OrderedJson& line, size_t sample, const harness::SampledResponse& response) {
    OrderedJson out = OrderedJson::object();
    if (line.contains("id")) out["id"] = line.at("id");
    out["sample"] = sample;
    out["ids"] = response.ids;
    std::vector<int64_t> spoken = response.ids;
    if (response.stopped) spoken.pop_back();  // the stop token is no part of the text
    out["text"] = asked_.has_tokenizer() ? OrderedJson(asked_.tokenizer().decode(spoken)) : OrderedJson(nullptr);
    out["finish"] = response.stopped ? "stop" : "length";
    out["logprobs"] = json_floats(response.log_probs.data(), response.tokens());
    return out;
  }

  const GenerateOptions& options_;
  AskedModel asked_;
  harness::GeneratorSettings settings_;
  std::shared_ptr<const harness::ChatTemplate> template_;
  std::map<uint64_t, uint64_t> times_asked_;  // each prompt: the order and the company of lines change no sample
};

}  // namespace

int generate_lines(const GenerateOptions& options) {
  GenerateAnswer answer(options);
  return answer_model_lines(std::cin, std::cout, std::ref(answer));
}

}  // namespace experiments
