#include "harness/train/step/update.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "harness/core/error.h"
#include "harness/model/token_statistics.h"
#include "harness/train/step/over_ranks.h"

namespace harness {

namespace {

// Values of the rows laid side by side as [B, T], 0 beyond each row's end.
torch::Tensor padded_rows(const std::vector<TrainRow>& rows, const std::vector<const std::vector<float>*>& values) {
  int64_t longest = 0;
  for (const TrainRow& row : rows) longest = std::max(longest, row.response->tokens());
  torch::Tensor out = torch::zeros({static_cast<int64_t>(rows.size()), longest}, torch::kFloat32);
  for (size_t b = 0; b < rows.size(); ++b) {
    if (values[b] == nullptr) continue;
    std::copy(values[b]->begin(), values[b]->end(), out.data_ptr<float>() + static_cast<int64_t>(b) * longest);
  }
  return out;
}

template <typename Get>
torch::Tensor padded(const std::vector<TrainRow>& rows, Get&& get) {
  std::vector<const std::vector<float>*> values;
  for (size_t b = 0; b < rows.size(); ++b) values.push_back(&get(b));
  return padded_rows(rows, values);
}

torch::Tensor token_mask(const std::vector<TrainRow>& rows) {
  int64_t longest = 0;
  for (const TrainRow& row : rows) longest = std::max(longest, row.response->tokens());
  torch::Tensor mask = torch::zeros({static_cast<int64_t>(rows.size()), longest}, torch::kFloat32);
  for (size_t b = 0; b < rows.size(); ++b) {
    if (rows[b].counts) mask[static_cast<int64_t>(b)].slice(0, 0, rows[b].response->tokens()).fill_(1);
  }
  return mask;
}

// [M] of the rows begin .. end - 1 <-> [b, T].
torch::Tensor flat_index(const PackedRows& packed, int64_t width) {
  std::vector<int64_t> index;
  for (size_t b = 0; b < packed.lengths.size(); ++b) {
    for (int64_t t = 0; t < packed.lengths[b]; ++t) index.push_back(static_cast<int64_t>(b) * width + t);
  }
  return torch::tensor(index, torch::kInt64);
}

}  // namespace

PackedRows pack_rows(const std::vector<TrainRow>& rows, size_t begin, size_t end) {
  PackedRows packed;
  int64_t group = -1, prefix = -1;
  for (size_t b = begin; b < end; ++b) {
    const TrainRow& row = rows[b];
    if (row.group != group || prefix < 0) prefix = packed.batch.add(*row.prompt);
    group = row.group;
    const PackedSequence& prompt = packed.batch.sequences[static_cast<size_t>(prefix)];
    const int64_t last_prompt_row = prompt.begin + prompt.length - 1;
    // The last token is never fed: nothing follows it.
    const std::vector<int64_t> fed(row.response->ids.begin(), row.response->ids.end() - 1);
    const int64_t first = packed.batch.rows();
    if (!fed.empty()) packed.batch.add(fed, prefix);
    for (int64_t t = 0; t < row.response->tokens(); ++t) {
      packed.source.push_back(t == 0 ? last_prompt_row : first + t - 1);
      packed.targets.push_back(row.response->ids[static_cast<size_t>(t)]);
    }
    packed.lengths.push_back(row.response->tokens());
  }
  return packed;
}

TokenWork work_of(const std::vector<TrainRow>& rows) {
  TokenWork work;
  for (size_t b = 0; b < rows.size(); ++b) {
    const auto prompt = static_cast<int64_t>(rows[b].prompt->size());
    if (b == 0 || rows[b].group != rows[b - 1].group) work.add(0, prompt);
    work.add(prompt, rows[b].response->tokens() - 1);
    work.logits += static_cast<double>(rows[b].response->tokens());
  }
  return work;
}

namespace {

// Tells the hooks what a scoring pass tells them: for a process that has no rows left while others have.
void score_nothing(const Transformer& model) {
  const auto layers = static_cast<size_t>(model.config().layers);
  for (size_t unit = 0; unit <= 1 + layers; ++unit) HeldUnit(model.hooks(), unit);  // forward
  HeldUnit(model.hooks(), model.head_unit());                                       // token_statistics
}

// Rows first .. last - 1 in as many passes of `step` rows as `most` rows need.
RowStatistics score_in_passes(const Transformer& model, const std::vector<TrainRow>& rows, size_t first, size_t last,
                              double temperature, size_t step, size_t most, const MemoryLimits* limits) {
  RowStatistics out;
  for (size_t done = 0; done < most; done += step) {
    const size_t begin = first + done, end = std::min(last, begin + step);
    if (begin >= last) {
      score_nothing(model);
      continue;
    }
    if (limits != nullptr) limits->begin(Pass::scoring, static_cast<int64_t>(end - begin));
    const PackedRows packed = pack_rows(rows, begin, end);
    const torch::Tensor index = torch::tensor(packed.source, torch::kInt64).to(model.numerics().device);
    const torch::Tensor hidden = model.forward(packed.batch).index_select(0, index);
    const TokenStatistics statistics = token_statistics(model, hidden, packed.targets, temperature);
    const float* log_probs = statistics.log_probs.data_ptr<float>();
    const float* entropies = statistics.entropies.data_ptr<float>();
    for (const int64_t length : packed.lengths) {
      out.log_probs.emplace_back(log_probs, log_probs + length);
      out.entropies.emplace_back(entropies, entropies + length);
      log_probs += length;
      entropies += length;
    }
  }
  return out;
}

// Rows of one pass: as asked for (0: all) and no more than there are.
int64_t rows_of_pass(int64_t asked, size_t rows) {
  const auto all = static_cast<int64_t>(rows);
  return asked > 0 ? std::min(asked, all) : all;
}

}  // namespace

RowStatistics score_rows(const Transformer& model, const std::vector<TrainRow>& rows, double temperature, int64_t micro_batch) {
  const auto step = static_cast<size_t>(rows_of_pass(micro_batch, rows.size()));
  return score_in_passes(model, rows, 0, rows.size(), temperature, step, rows.size(), nullptr);
}

RowStatistics score_rows(const Transformer& model, const std::vector<TrainRow>& rows, const TrainSettings& settings,
                         MemoryLimits* limits, const std::string& place, Ranks* ranks) {
  const auto size = static_cast<size_t>(ranks != nullptr ? ranks->size() : 1);
  const size_t share = (rows.size() + size - 1) / size;
  const size_t first = std::min(rows.size(), share * static_cast<size_t>(ranks != nullptr ? ranks->rank() : 0));
  const size_t last = std::min(rows.size(), first + share);
  RowStatistics out;
  fit_memory(limits, Pass::scoring, rows_of_pass(settings.micro_batch_responses, share), place, [&](int64_t step) {
    out = {};
    out = score_in_passes(model, rows, first, last, settings.sampling.temperature, static_cast<size_t>(step), share, limits);
  });
  if (ranks == nullptr) return out;
  return {gather_lists(*ranks, out.log_probs), gather_lists(*ranks, out.entropies)};
}

namespace {

TokenBatch make_token_batch(const Transformer& policy, const Needs& needs, const TrainSettings& settings,
                            const std::vector<TrainRow>& rows, int64_t update, MemoryLimits* limits, const std::string& place,
                            Ranks* ranks) {
  TokenBatch batch;
  batch.mask = token_mask(rows);
  batch.old_log_probs = padded(rows, [&](size_t b) -> const std::vector<float>& { return rows[b].old_log_probs; });
  if (needs.sampling_entropies) {
    batch.sampling_entropies = padded(rows, [&](size_t b) -> const std::vector<float>& { return rows[b].response->entropies; });
  }
  if (needs.current_log_probs || needs.current_entropies) {
    const RowStatistics now = score_rows(policy, rows, settings, limits, place, ranks);
    if (needs.current_log_probs) {
      batch.current_log_probs = padded(rows, [&](size_t b) -> const std::vector<float>& { return now.log_probs[b]; });
    }
    if (needs.current_entropies) {
      batch.current_entropies = padded(rows, [&](size_t b) -> const std::vector<float>& { return now.entropies[b]; });
    }
  }
  torch::Tensor advantages = torch::zeros({static_cast<int64_t>(rows.size()), 1}, torch::kFloat32);
  for (size_t b = 0; b < rows.size(); ++b) {
    advantages[static_cast<int64_t>(b)][0] = static_cast<float>(rows[b].advantage);
    batch.row_keys.push_back(rows[b].key);
  }
  batch.advantages = advantages * batch.mask;
  batch.update = update;
  return batch;
}

struct PartResult {
  double loss = 0, entropy_sum = 0, largest_log_ratio = 0;
};

// Forward, loss and backward of rows begin .. end - 1; adds to the policy's gradients.
PartResult add_gradients(Transformer& policy, const MethodStack& methods, const TrainSettings& settings, const Needs& needs,
                         const std::vector<TrainRow>& rows, size_t begin, size_t end, const TokenBatch& whole,
                         const torch::Tensor& selected, const Denominators& global, LossSums& sums) {
  const PackedRows packed = pack_rows(rows, begin, end);
  const torch::Tensor source = torch::tensor(packed.source, torch::kInt64).to(policy.numerics().device);
  Tape tape;
  const torch::Tensor hidden = policy.forward(packed.batch, &tape, settings.recompute_activations);
  const torch::Tensor chosen = hidden.index_select(0, source);
  const TokenStatistics now = token_statistics(policy, chosen, packed.targets, settings.sampling.temperature);

  const auto first = static_cast<int64_t>(begin), last = static_cast<int64_t>(end);
  const int64_t width = whole.mask.size(1);
  const torch::Tensor index = flat_index(packed, width);
  const auto to_rows = [&](const torch::Tensor& flat) {
    return torch::zeros({(last - first) * width}, torch::kFloat32).index_put({index}, flat).view({last - first, width});
  };
  LossInputs inputs;
  inputs.mask = whole.mask.slice(0, first, last);
  inputs.log_probs = to_rows(now.log_probs).requires_grad_(true);
  inputs.old_log_probs = whole.old_log_probs.slice(0, first, last);
  inputs.advantages = whole.advantages.slice(0, first, last);
  if (selected.defined()) inputs.selected = selected.slice(0, first, last);
  if (needs.entropy_gradient) inputs.entropies = to_rows(now.entropies).requires_grad_(true);
  if (settings.loss.kl_coef > 0 || needs.reference_log_probs) {
    inputs.ref_log_probs =
        padded(rows, [&](size_t b) -> const std::vector<float>& { return rows[b].ref_log_probs; }).slice(0, first, last);
  }
  torch::Tensor loss;
  {
    const torch::AutoGradMode enabled(true);
    loss = methods.loss(settings.loss, inputs, global, sums);
    loss.backward();
  }
  PartResult result;
  result.loss = loss.item<double>();
  const torch::Tensor mask = inputs.mask;
  result.entropy_sum = (to_rows(now.entropies) * mask).sum(torch::kFloat64).item<double>();
  const torch::Tensor difference = ((inputs.log_probs.detach() - inputs.old_log_probs) * mask).abs();
  result.largest_log_ratio = difference.max().item<double>();
  // Back through the log-probs to the hidden states, then through the network. Without a gradient nothing counts.
  const auto flat = [&](const torch::Tensor& grad) {
    return grad.defined() ? grad.view({-1}).index_select(0, index) : torch::zeros({index.size(0)}, torch::kFloat32);
  };
  const torch::Tensor dentropy = needs.entropy_gradient ? flat(inputs.entropies.grad()) : torch::Tensor();
  const torch::Tensor dchosen = token_statistics_backward(policy, chosen, packed.targets, settings.sampling.temperature,
                                                          flat(inputs.log_probs.grad()), dentropy);
  torch::Tensor dhidden = torch::zeros_like(hidden);
  if (dhidden.device().is_cpu() && dhidden.scalar_type() == torch::kFloat32) {  // rows in their order: the same bytes always
    const int64_t depth = hidden.size(1);
    const torch::Tensor contiguous = dchosen.contiguous();
    for (size_t m = 0; m < packed.source.size(); ++m) {
      float* out = dhidden.data_ptr<float>() + packed.source[m] * depth;
      const float* in = contiguous.data_ptr<float>() + static_cast<int64_t>(m) * depth;
      for (int64_t d = 0; d < depth; ++d) out[d] += in[d];
    }
  } else if (dhidden.is_cuda()) {  // sorts and adds in order; index_add_ would use atomics
    dhidden.index_put_({source}, dchosen, true);
  } else {
    dhidden.index_add_(0, source, dchosen);
  }
  policy.backward(packed.batch, tape, dhidden);
  return result;
}

}  // namespace

Metrics update_mini_batch(Transformer& policy, Optimizer& optimizer, MethodStack& methods, const TrainSettings& settings,
                          const std::vector<TrainRow>& rows, int64_t update, const std::string& place, MemoryLimits* limits) {
  const Needs needs = methods.needs();
  TokenBatch batch = make_token_batch(policy, needs, settings, rows, update, limits, place, optimizer.ranks());
  methods.shape_token_advantages(batch);
  const torch::Tensor selected = methods.select_tokens(batch);
  if (settings.importance_cap > 0) {
    batch.advantages = batch.advantages * padded(rows, [&](size_t b) -> const std::vector<float>& { return rows[b].weights; });
  }
  Ranks* ranks = optimizer.ranks();
  Denominators global;
  global.tokens = batch.mask.sum(torch::kFloat64).item<double>();
  global.responses = (batch.mask.sum(1) > 0).sum().item<double>();
  Metrics metrics;
  if (global.tokens == 0) return metrics;  // every response masked: nothing to learn from

  LossSums sums;
  PartResult total;
  const int64_t wanted = rows_of_pass(static_cast<int64_t>(micro_batch_rows(settings, rows.size(), ranks)), rows.size());
  fit_memory(limits, Pass::update, wanted, place, [&](int64_t size) {
    const auto step = static_cast<size_t>(size);
    global.micro_batches = static_cast<double>((rows.size() + step - 1) / step);
    sums.clear();
    total = {};
    optimizer.begin_update();
    const size_t together = step * static_cast<size_t>(ranks != nullptr ? ranks->size() : 1);
    for (size_t round = 0; round < rows.size(); round += together) {  // a micro-batch for each process
      const size_t begin = round + step * static_cast<size_t>(ranks != nullptr ? ranks->rank() : 0);
      if (begin >= rows.size()) {
        policy.pass_without_rows();
        continue;
      }
      const size_t end = std::min(rows.size(), begin + step);
      if (limits != nullptr) limits->begin(Pass::update, static_cast<int64_t>(end - begin));
      const PartResult part = add_gradients(policy, methods, settings, needs, rows, begin, end, batch, selected, global, sums);
      total.loss += part.loss;
      total.entropy_sum += part.entropy_sum;
      total.largest_log_ratio = std::max(total.largest_log_ratio, part.largest_log_ratio);
    }
  });
  optimizer.join_gradients();
  if (ranks != nullptr) join_over_ranks(*ranks, sums, {&total.loss, &total.entropy_sum}, total.largest_log_ratio);
  const double norm = optimizer.gradient_norm();
  if (!std::isfinite(total.loss) || !std::isfinite(norm)) {
    throw Error("{}: expected a finite loss and gradient, found loss {} and gradient norm {}", place, total.loss, norm);
  }
  metrics["lr"] = optimizer.current_lr();
  optimizer.apply(norm);
  metrics["loss"] = total.loss;
  metrics["grad_norm"] = norm;
  metrics["entropy"] = total.entropy_sum / global.tokens;
  metrics["largest_log_ratio"] = total.largest_log_ratio;
  for (const auto& [name, sum] : sums) metrics[name] = sum / global.tokens;
  methods.after_update(metrics);
  return metrics;
}

}  // namespace harness
