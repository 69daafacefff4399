// The parts of a step that are shared among the processes of a run: sampling, scoring, and the gradients of a mini-batch.
#pragma once

#include <vector>

#include "harness/ranks/ranks.h"
#include "harness/rl/loss.h"
#include "harness/rollout/generator.h"
#include "harness/train/settings.h"
#include "harness/train/step/memory_limits.h"

namespace harness {

// `generate` with as many rows at once as memory allows (no limits: as many as the settings say), by the processes of the run:
// each samples every size-th request, then all hold all responses. A request's responses depend on its prompt and streams alone
// (strict mode), so they are those that one process would sample. `ranks`: null: this process alone. `totals` are this
// process's own.
std::vector<std::vector<SampledResponse>> generate_over_ranks(Ranks* ranks, const Transformer& model,
                                                              const std::vector<GenerationRequest>& requests,
                                                              const GeneratorSettings& settings, GenerationTotals& totals,
                                                              MemoryLimits* limits = nullptr, const std::string& place = "");

// Rows of one micro-batch of a mini-batch of `rows`: as set, else equal shares of the processes (whole where the loss is a mean
// over micro-batches).
size_t micro_batch_rows(const TrainSettings& settings, size_t rows, int processes);

// The lists of every process, those of one after those of another.
std::vector<std::vector<float>> gather_lists(Ranks& ranks, const std::vector<std::vector<float>>& mine);

// Sums of every process become those of all, added in the order of ranks; `largest` becomes the largest.
void join_over_ranks(Ranks& ranks, LossSums& sums, const std::vector<double*>& totals, double& largest);

}  // namespace harness
