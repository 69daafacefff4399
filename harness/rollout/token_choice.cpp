#include "harness/rollout/token_choice.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/core/bf16.h"

namespace harness {

namespace {

template <typename T>
int64_t largest(const T* logits, int64_t vocabulary) {
  int64_t best = 0;
  for (int64_t i = 1; i < vocabulary; ++i) {
    if (to_float(logits[i]) > to_float(logits[best])) best = i;
  }
  return best;
}

// Tokens by falling logit (lowest id first among equals), cut by top-k, then by top-p: the smallest head whose probability
// under the cut distribution reaches top_p, as transformers' warpers do.
template <typename T>
int64_t draw_filtered(const T* logits, int64_t vocabulary, const SamplingSettings& settings, double uniform) {
  std::vector<int64_t> order(static_cast<size_t>(vocabulary));
  for (int64_t i = 0; i < vocabulary; ++i) order[static_cast<size_t>(i)] = i;
  const auto before = [&](int64_t a, int64_t b) {
    const float x = to_float(logits[a]), y = to_float(logits[b]);
    return x != y ? x > y : a < b;
  };
  size_t kept = order.size();
  if (settings.top_k > 0) kept = std::min(kept, static_cast<size_t>(settings.top_k));
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(), before);
  std::vector<double> weights(kept);
  double total = 0;
  const double max = static_cast<double>(to_float(logits[order[0]]));
  for (size_t i = 0; i < kept; ++i) {
    weights[i] = std::exp((static_cast<double>(to_float(logits[order[i]])) - max) / settings.temperature);
    total += weights[i];
  }
  if (settings.top_p < 1.0) {
    double head = 0;
    size_t count = 0;
    while (count < kept && (count == 0 || head < settings.top_p * total)) head += weights[count++];
    kept = count;
    total = head;
  }
  double sum = 0;
  for (size_t i = 0; i < kept; ++i) {
    sum += weights[i];
    if (sum > uniform * total) return order[i];
  }
  return order[kept - 1];
}

}  // namespace

template <typename T>
TokenChoice choose_token(const kernels::Table<T>& table, const T* logits, int64_t vocabulary, const SamplingSettings& settings,
                         double uniform, bool unit_temperature) {
  const float inverse = settings.greedy ? 1.0f : static_cast<float>(1.0 / settings.temperature);
  const kernels::LogitStatistics statistics = table.logit_statistics(logits, vocabulary, inverse);
  TokenChoice choice;
  if (settings.greedy) {
    choice.token = largest(logits, vocabulary);
  } else if (settings.top_p < 1.0 || (settings.top_k > 0 && settings.top_k < vocabulary)) {
    choice.token = draw_filtered(logits, vocabulary, settings, uniform);
  } else {
    choice.token = table.draw(logits, vocabulary, inverse, statistics, uniform);
  }
  const float report = unit_temperature ? 1.0f : inverse;
  const auto reported = report == inverse ? statistics : table.logit_statistics(logits, vocabulary, report);
  choice.log_prob = reported.log_prob(to_float(logits[choice.token]) * report);
  choice.entropy = reported.entropy();
  return choice;
}

template TokenChoice choose_token<float>(const kernels::Table<float>&, const float*, int64_t, const SamplingSettings&, double,
                                         bool);
template TokenChoice choose_token<Bf16>(const kernels::Table<Bf16>&, const Bf16*, int64_t, const SamplingSettings&, double,
                                        bool);

}  // namespace harness
