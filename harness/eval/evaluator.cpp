#include "harness/eval/evaluator.h"

#include <numeric>

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/model/out_of_memory.h"
#include "harness/reward/all_graders.h"

namespace harness {

namespace {

double mean(const std::vector<float>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

class Recorder {
 public:
  Recorder(const EvalSettings& settings, const EvalInputs& inputs, int64_t layers)
      : settings_(settings),
        tokenizer_(inputs.prompts.tokenizer()),
        fingerprints_(inputs.prompts.tokenizer(), settings.fingerprint, layers),
        graders_(settings.graders) {}

  Outcome record(const Problem& problem, int64_t sample, const SampledResponse& response) const {
    Outcome outcome;
    outcome.set = problem.set;
    outcome.problem = problem.id;
    outcome.kind = problem.kind;
    outcome.seed = settings_.training_seed;
    outcome.sample = sample;
    std::vector<int64_t> ids = response.ids;
    if (response.stopped) ids.pop_back();  // the stop token is no part of the text
    outcome.text = tokenizer_.decode(ids);
    graders_.grade(outcome, problem);
    outcome.finish = response.stopped ? "stop" : "length";
    outcome.tokens = response.tokens();
    if (settings_.store_ids) outcome.ids = response.ids;
    outcome.mean_log_prob = mean(response.log_probs);
    outcome.mean_entropy = mean(response.entropies);
    if (settings_.fingerprints) outcome.fingerprint = fingerprints_.fingerprint(response.ids, response.readout);
    return outcome;
  }

 private:
  const EvalSettings& settings_;
  const Tokenizer& tokenizer_;
  FingerprintReader fingerprints_;
  Graders graders_;
};

using Responses = std::vector<std::vector<SampledResponse>>;

Responses generate_within_memory(const Transformer& model, const std::vector<GenerationRequest>& requests,
                                 GeneratorSettings& settings, const EvalInputs& inputs, const GenerationProgress& progress) {
  int64_t samples = 0;
  for (const GenerationRequest& request : requests) samples += static_cast<int64_t>(request.streams.size());
  for (;;) {
    Responses responses;
    const auto ended =
        out_of_memory_in(model.numerics().device, [&] { responses = generate(model, requests, settings, nullptr, progress); });
    if (!ended) return responses;
    const int64_t rows = std::min(settings.max_rows, samples);
    if (rows <= 1) throw Error("evaluation: expected memory for one row, found: {}", *ended);
    settings.max_rows = (rows + 1) / 2;
    if (inputs.on_warning) {
      inputs.on_warning(fmt::format("evaluation: out of memory with {} rows decoded at once, goes on with {}: {}", rows,
                                    settings.max_rows, *ended));
    }
  }
}

}  // namespace

std::vector<Outcome> evaluate(const Transformer& model, const std::vector<ProblemSet>& sets, const EvalSettings& settings,
                              const EvalInputs& inputs, int64_t first_sample) {
  const Recorder recorder(settings, inputs, model.config().layers);
  GeneratorSettings generator;
  generator.sampling = settings.sampling;
  generator.stop_ids = inputs.prompts.stop_ids();
  generator.max_rows = settings.max_rows;
  generator.readout = settings.fingerprints;
  generator.readout_from = first_layer(settings.fingerprint.layers, model.config().layers);
  generator.lens_norm_all = settings.fingerprint.lens_norm_all;
  const int64_t samples = settings.n - first_sample;
  MEDSBENCH_CHECK(samples >= 0, "n {} and first sample {}", settings.n, first_sample);
  int64_t total = 0, done = 0;
  for (const ProblemSet& set : sets) total += static_cast<int64_t>(set.problems.size()) * samples;
  const int64_t at_once = problems_at_once(settings.max_rows, samples);
  std::vector<Outcome> outcomes;
  for (const ProblemSet& set : sets) {
    const uint64_t set_hash = hash64(set.name);
    const auto problems = static_cast<int64_t>(set.problems.size());
    for (int64_t begin = 0; begin < problems && samples > 0; begin += at_once) {
      const int64_t end = std::min(problems, begin + at_once);
      std::vector<GenerationRequest> requests;
      for (int64_t i = begin; i < end; ++i) {
        const Problem& problem = set.problems[static_cast<size_t>(i)];
        GenerationRequest request{inputs.prompts.ids(problem.text), {}};
        for (int64_t s = first_sample; s < settings.n; ++s) {
          request.streams.emplace_back(
              "evaluation", std::initializer_list<uint64_t>{settings.seed, set_hash, problem.hash(), static_cast<uint64_t>(s)});
        }
        requests.push_back(std::move(request));
      }
      const Responses responses = generate_within_memory(model, requests, generator, inputs, [&](int64_t finished) {
        if (inputs.progress) inputs.progress(done + finished, total);
      });
      for (int64_t i = begin; i < end; ++i) {
        const auto& group = responses[static_cast<size_t>(i - begin)];
        for (size_t s = 0; s < group.size(); ++s) {
          outcomes.push_back(
              recorder.record(set.problems[static_cast<size_t>(i)], first_sample + static_cast<int64_t>(s), group[s]));
        }
        done += samples;
      }
    }
  }
  return outcomes;
}

}  // namespace harness
