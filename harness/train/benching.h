// Rows of a mini-batch for the benchmarks of this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/rollout/benching.h"
#include "harness/train/step/update.h"

namespace harness {

// Responses sampled from the model with advantages of both signs. [groups * samples] Where `stop_every` is not 0, each such id
// of the vocabulary ends a response: with random weights their lengths are about geometric with that mean, cut at new_tokens.
struct BenchRows {
  BenchRows(const Transformer& model, int64_t groups, int64_t samples, int64_t prompt, int64_t new_tokens,
            int64_t max_rows = 256, int64_t stop_every = 0) {
    GeneratorSettings settings;
    settings.max_rows = max_rows;
    settings.sampling.max_new_tokens = new_tokens;
    for (int64_t id = 0; stop_every > 0 && id < model.config().vocab_size; id += stop_every) settings.stop_ids.push_back(id);
    for (int64_t g = 0; g < groups; ++g) requests.push_back(bench_request(model, prompt, samples));
    responses = generate(model, requests, settings);
    for (size_t g = 0; g < responses.size(); ++g) {
      for (size_t s = 0; s < responses[g].size(); ++s) {
        TrainRow row;
        row.prompt = &requests[g].prompt;
        row.group = static_cast<int64_t>(g);
        row.response = &responses[g][s];
        row.advantage = s % 2 == 0 ? 1 : -1;
        row.key = rows.size();
        row.old_log_probs = row.response->log_probs;
        tokens += row.response->tokens();
        rows.push_back(std::move(row));
      }
    }
  }
  std::vector<GenerationRequest> requests;
  std::vector<std::vector<SampledResponse>> responses;
  std::vector<TrainRow> rows;
  int64_t tokens = 0;
};

}  // namespace harness
