#include "harness/rollout/draw.h"

#include <torch/types.h>

#include <algorithm>

#include "harness/model/cpu/parallel.h"
#include "harness/rollout/token_choice.h"

namespace harness {

namespace {

void append(SampledResponse& response, int64_t token, float log_prob, float entropy) {
  response.ids.push_back(token);
  response.log_probs.push_back(log_prob);
  response.entropies.push_back(entropy);
}

double uniform(const RowToDraw& row) { return row.stream->uniform(static_cast<uint64_t>(row.response->tokens())); }

void draw_by_kernels(const ops::gpu::Kernels& kernels, const torch::Tensor& logits, const std::vector<RowToDraw>& rows,
                     const GeneratorSettings& settings) {
  std::vector<double> uniforms;
  for (const RowToDraw& row : rows) {
    if (!settings.sampling.greedy) uniforms.push_back(uniform(row));
  }
  const double temperature = settings.sampling.greedy ? 1.0 : settings.sampling.temperature;
  const ops::gpu::DrawnTokens drawn =
      ops::gpu::draw_tokens(kernels, logits.slice(0, 0, std::ssize(rows)), uniforms, temperature,
                            settings.unit_temperature_log_probs ? 1.0 : temperature);
  for (size_t i = 0; i < rows.size(); ++i) {
    append(*rows[i].response, drawn.tokens.data_ptr<int64_t>()[i], drawn.log_probs.data_ptr<float>()[i],
           drawn.entropies.data_ptr<float>()[i]);
  }
}

template <typename T>
void draw_on_cpu(const kernels::Table<T>& table, const torch::Tensor& logits, const std::vector<RowToDraw>& rows,
                 const GeneratorSettings& settings) {
  const int64_t vocabulary = logits.size(1);
  const T* z = static_cast<const T*>(logits.data_ptr());
  parallel_for(0, std::ssize(rows), std::max<int64_t>(1, 65536 / vocabulary), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const RowToDraw& row = rows[static_cast<size_t>(i)];
      const TokenChoice choice = choose_token<T>(table, z + i * vocabulary, vocabulary, settings.sampling, uniform(row),
                                                 settings.unit_temperature_log_probs);
      append(*row.response, choice.token, choice.log_prob, choice.entropy);
    }
  });
}

}  // namespace

bool drawn_by_kernels(const SamplingSettings& settings, int64_t vocabulary) {
  const bool filtered = settings.top_p < 1.0 || (settings.top_k > 0 && settings.top_k < vocabulary);
  return ops::gpu::fits_vocabulary(vocabulary) && (settings.greedy || !filtered);
}

void draw_next(const torch::Tensor& logits, const std::vector<RowToDraw>& rows, const GeneratorSettings& settings,
               const std::optional<ops::gpu::Kernels>& kernels) {
  if (kernels && drawn_by_kernels(settings.sampling, logits.size(1))) {
    draw_by_kernels(*kernels, logits, rows, settings);
  } else if (const torch::Tensor here = logits.to(torch::kCPU); here.scalar_type() == torch::kFloat32) {
    draw_on_cpu(kernels::table_fp32(), here, rows, settings);
  } else {
    draw_on_cpu(kernels::table_bf16(), here, rows, settings);
  }
}

}  // namespace harness
