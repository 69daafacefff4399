#include "harness/train/step/update.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "harness/core/error.h"
#include "harness/model/token_statistics.h"
#include "harness/train/step/batch_loss.h"
#include "harness/train/step/over_ranks.h"

namespace harness {

namespace {

int64_t longest_of(const std::vector<TrainRow>& rows) {
  int64_t longest = 0;
  for (const TrainRow& row : rows) longest = std::max(longest, row.response->tokens());
  return longest;
}

// The values [T] that `of` finds for each row, side by side: [B, T], 0 beyond a row's end.
template <typename Of>
torch::Tensor padded(const std::vector<TrainRow>& rows, const Of& of) {
  torch::Tensor out = torch::zeros({static_cast<int64_t>(rows.size()), longest_of(rows)}, torch::kFloat32);
  for (size_t b = 0; b < rows.size(); ++b) {
    const std::vector<float>& values = of(b);
    std::copy(values.begin(), values.end(), out.data_ptr<float>() + static_cast<int64_t>(b) * out.size(1));
  }
  return out;
}

torch::Tensor token_mask(const std::vector<TrainRow>& rows) {
  torch::Tensor mask = torch::zeros({static_cast<int64_t>(rows.size()), longest_of(rows)}, torch::kFloat32);
  for (size_t b = 0; b < rows.size(); ++b) {
    if (rows[b].counts) mask[static_cast<int64_t>(b)].slice(0, 0, rows[b].response->tokens()).fill_(1);
  }
  return mask;
}

// The log-probs of the most likely tokens [B, T, K], 0 beyond a row's end, and whether each token is the first of its place.
void add_top_tokens_of(const std::vector<TrainRow>& rows, TokenBatch& batch) {
  const int64_t width = longest_of(rows);
  const auto columns = static_cast<int64_t>(rows.front().top_ids.size()) / rows.front().response->tokens();
  batch.old_top_log_probs = torch::zeros({static_cast<int64_t>(rows.size()), width, columns}, torch::kFloat32);
  batch.most_likely = torch::zeros_like(batch.mask);
  for (size_t b = 0; b < rows.size(); ++b) {
    const TrainRow& row = rows[b];
    std::copy(row.top_log_probs.begin(), row.top_log_probs.end(),
              batch.old_top_log_probs.data_ptr<float>() + static_cast<int64_t>(b) * width * columns);
    for (int64_t t = 0; t < row.response->tokens(); ++t) {
      const auto first = static_cast<int64_t>(row.top_ids[static_cast<size_t>(t * columns)]);
      if (first == row.response->ids[static_cast<size_t>(t)]) batch.most_likely[static_cast<int64_t>(b)][t] = 1;
    }
  }
}

// What the token seams see, with the numbers that the methods and the settings ask for.
TokenBatch make_token_batch(const Transformer& policy, const Needs& needs, const MiniBatch& of, int64_t update) {
  const std::vector<TrainRow>& rows = of.rows;
  using Values = const std::vector<float>&;
  TokenBatch batch;
  batch.mask = token_mask(rows);
  batch.old_log_probs = padded(rows, [&](size_t b) -> Values { return rows[b].old_log_probs; });
  if (of.settings.loss.kl_coef > 0 || needs.reference_log_probs) {
    batch.ref_log_probs = padded(rows, [&](size_t b) -> Values { return rows[b].ref_log_probs; });
  }
  if (needs.sampling_entropies) {
    batch.sampling_entropies = padded(rows, [&](size_t b) -> Values { return rows[b].response->entropies; });
  }
  if (needs.current_log_probs || needs.current_entropies) {
    const RowStatistics now = score_rows(policy, of);
    if (needs.current_log_probs) batch.current_log_probs = padded(rows, [&](size_t b) -> Values { return now.log_probs[b]; });
    if (needs.current_entropies) batch.current_entropies = padded(rows, [&](size_t b) -> Values { return now.entropies[b]; });
  }
  if (needs.top_tokens > 0) add_top_tokens_of(rows, batch);
  if (needs.stored_samples > 0) {
    batch.stored = torch::zeros_like(batch.mask);
    for (size_t b = 0; b < rows.size(); ++b) {
      if (rows[b].stored) batch.stored[static_cast<int64_t>(b)].copy_(batch.mask[static_cast<int64_t>(b)]);
    }
  }
  torch::Tensor advantages = torch::zeros({static_cast<int64_t>(rows.size()), 1}, torch::kFloat32);
  for (size_t b = 0; b < rows.size(); ++b) {
    advantages[static_cast<int64_t>(b)][0] = static_cast<float>(rows[b].advantage);
    batch.row_keys.push_back(rows[b].key);
  }
  batch.advantages = advantages * batch.mask;
  if (!rows.front().weights.empty()) batch.weights = padded(rows, [&](size_t b) -> Values { return rows[b].weights; });
  batch.update = update;
  return batch;
}

// Sums over micro-batches.
struct Totals {
  double loss = 0, entropy_sum = 0, largest_log_ratio = 0;
  LossSums sums;
};

// Adds row m of `added` [M, D] to row source[m] of `rows` [R, D].
void add_rows(torch::Tensor& rows, const torch::Tensor& source, const torch::Tensor& added) {
  if (rows.device().is_cpu() && rows.scalar_type() == torch::kFloat32) {  // in their order: the same bytes always
    const int64_t depth = rows.size(1);
    const torch::Tensor contiguous = added.contiguous();
    for (int64_t m = 0; m < source.numel(); ++m) {
      float* out = rows.data_ptr<float>() + source.data_ptr<int64_t>()[m] * depth;
      const float* in = contiguous.data_ptr<float>() + m * depth;
      for (int64_t d = 0; d < depth; ++d) out[d] += in[d];
    }
  } else if (rows.is_cuda()) {  // sorts and adds in order; index_add_ would use atomics
    rows.index_put_({source}, added, true);
  } else {
    rows.index_add_(0, source, added);
  }
}

// Forward, loss and backward of rows begin .. end - 1; adds to the policy's gradients and to the totals.
void add_gradients(Transformer& policy, const MiniBatch& batch, size_t begin, size_t end, const BatchLoss& loss,
                   Totals& totals) {
  const double temperature = batch.settings.sampling.temperature;
  const PackedRows packed = pack_rows(batch.rows, begin, end);
  const torch::Tensor source = torch::tensor(packed.source, torch::kInt64).to(policy.numerics().device);
  Tape tape;
  const torch::Tensor hidden = policy.forward(packed.batch, &tape, batch.settings.recompute_activations);
  // Rows and targets of the M tokens, then of the K most likely tokens of each place where a method asks for their gradient.
  torch::Tensor places_of = source;
  std::vector<int64_t> targets = packed.targets;
  const auto tokens = static_cast<int64_t>(targets.size());
  const int64_t columns = loss.needs_top() ? loss.batch().old_top_log_probs.size(2) : 0;
  if (columns > 0) {
    for (size_t b = begin; b < end; ++b)
      targets.insert(targets.end(), batch.rows[b].top_ids.begin(), batch.rows[b].top_ids.end());
    places_of = torch::cat({source, source.repeat_interleave(columns)});
  }
  const torch::Tensor chosen = hidden.index_select(0, places_of);
  const TokenStatistics now = token_statistics(policy, chosen, targets, temperature);

  // [M] of the rows begin .. end - 1 <-> [b, T].
  const auto first = static_cast<int64_t>(begin), last = static_cast<int64_t>(end);
  const torch::Tensor mask = loss.batch().mask.slice(0, first, last);
  const int64_t width = mask.size(1);
  std::vector<int64_t> places;
  for (size_t b = 0; b < packed.lengths.size(); ++b) {
    for (int64_t t = 0; t < packed.lengths[b]; ++t) places.push_back(static_cast<int64_t>(b) * width + t);
  }
  const torch::Tensor index = torch::tensor(places, torch::kInt64);
  const auto to_rows = [&](const torch::Tensor& flat) {
    return torch::zeros({(last - first) * width}, torch::kFloat32).index_put({index}, flat).view({last - first, width});
  };
  const auto to_flat = [&](const torch::Tensor& rows) { return rows.view({-1}).index_select(0, index); };

  const torch::Tensor log_probs = to_rows(now.log_probs.slice(0, 0, tokens));
  const torch::Tensor entropies = to_rows(now.entropies.slice(0, 0, tokens));
  torch::Tensor top;  // [b, T, K]
  if (columns > 0) {
    top = torch::zeros({(last - first) * width, columns}, torch::kFloat32)
              .index_put({index}, now.log_probs.slice(0, tokens).view({tokens, columns}))
              .view({last - first, width, columns});
  }
  const BatchLoss::Part part = loss.of_rows(first, last, log_probs, entropies, top);
  torch::Tensor log_ratio = ((log_probs - loss.batch().old_log_probs.slice(0, first, last)) * mask).abs();
  if (loss.batch().stored.defined()) log_ratio = log_ratio * (1 - loss.batch().stored.slice(0, first, last));
  totals.loss += part.loss;
  totals.entropy_sum += (entropies * mask).sum(torch::kFloat64).item<double>();
  totals.largest_log_ratio = std::max(totals.largest_log_ratio, log_ratio.max().item<double>());
  for (const auto& [name, sum] : part.sums) totals.sums[name] += sum;

  // Back through the log-probs and entropies to the hidden states, then through the network.
  torch::Tensor dlog_probs = to_flat(part.by_log_probs);
  torch::Tensor dentropies = part.by_entropies.defined() ? to_flat(part.by_entropies) : torch::Tensor();
  if (columns > 0) {
    dlog_probs = torch::cat({dlog_probs, part.by_top.view({-1, columns}).index_select(0, index).view({-1})});
    if (dentropies.defined()) dentropies = torch::cat({dentropies, torch::zeros({tokens * columns}, torch::kFloat32)});
  }
  torch::Tensor dhidden = torch::zeros_like(hidden);
  add_rows(dhidden, places_of, token_statistics_backward(policy, chosen, targets, temperature, dlog_probs, dentropies));
  policy.backward(packed.batch, tape, dhidden);
}

}  // namespace

std::optional<Metrics> update_mini_batch(Transformer& policy, Optimizer& optimizer, MethodStack& methods,
                                         const MiniBatch& batch) {
  const std::vector<TrainRow>& rows = batch.rows;
  Ranks* ranks = batch.ranks;
  MEDSBENCH_CHECK(ranks == optimizer.ranks(), "{}: other processes than those of the optimiser", batch.place);
  if (std::none_of(rows.begin(), rows.end(), [](const TrainRow& row) { return row.counts; })) return std::nullopt;
  BatchLoss loss(methods, batch.settings.loss, make_token_batch(policy, methods.needs(), batch, optimizer.updates()));

  Totals totals;
  const auto wanted = static_cast<int64_t>(
      std::min(rows.size(), micro_batch_rows(batch.settings, rows.size(), ranks == nullptr ? 1 : ranks->size())));
  fit_memory(batch.limits, Pass::update, wanted, batch.place, [&](int64_t size) {
    const auto step = static_cast<size_t>(size);
    loss.set_parts(static_cast<int64_t>((rows.size() + step - 1) / step));
    totals = {};
    optimizer.begin_update();
    const size_t together = step * static_cast<size_t>(ranks != nullptr ? ranks->size() : 1);
    for (size_t round = 0; round < rows.size(); round += together) {  // a micro-batch for each process
      const size_t begin = round + step * static_cast<size_t>(ranks != nullptr ? ranks->rank() : 0);
      if (begin >= rows.size()) {
        policy.pass_without_rows();
        continue;
      }
      const size_t end = std::min(rows.size(), begin + step);
      if (batch.limits != nullptr) batch.limits->begin(Pass::update, static_cast<int64_t>(end - begin));
      add_gradients(policy, batch, begin, end, loss, totals);
    }
  });
  optimizer.join_gradients();
  if (ranks != nullptr) join_over_ranks(*ranks, totals.sums, {&totals.loss, &totals.entropy_sum}, totals.largest_log_ratio);
  const double norm = optimizer.gradient_norm();
  if (!std::isfinite(totals.loss) || !std::isfinite(norm)) {
    throw Error("{}: expected a finite loss and gradient, found loss {} and gradient norm {}", batch.place, totals.loss, norm);
  }
  Metrics metrics;
  metrics["lr"] = optimizer.current_lr();
  optimizer.apply(norm);
  metrics["loss"] = totals.loss;
  metrics["grad_norm"] = norm;
  metrics["entropy"] = totals.entropy_sum / loss.tokens();
  metrics["largest_log_ratio"] = totals.largest_log_ratio;
  for (const auto& [name, sum] : totals.sums) metrics[name] = sum / loss.tokens();
  methods.after_update(metrics);
  return metrics;
}

}  // namespace harness
