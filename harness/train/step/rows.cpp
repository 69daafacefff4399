#include "harness/train/step/rows.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "harness/model/token_statistics.h"
#include "harness/train/step/over_ranks.h"

namespace harness {

std::vector<TrainRow> make_rows(const Collected& collected, const TrainSettings& settings) {
  std::vector<TrainRow> rows;
  for (const RolloutGroup& group : collected.groups) {
    for (size_t k = 0; k < group.responses.size(); ++k) {
      TrainRow row;
      row.prompt = &group.prompt;
      row.group = group.samples[k].group;
      row.response = &group.responses[k];
      row.counts = !(settings.mask_truncated && !group.responses[k].stopped);
      row.key = group.samples[k].key;
      row.stored = group.samples[k].stored;
      row.old_log_probs = group.responses[k].log_probs;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

ScoringDifference replace_old_log_probs(std::vector<TrainRow>& rows, std::vector<std::vector<float>> now, double cap) {
  ScoringDifference found;
  double squares = 0, perplexities = 0, tokens = 0;
  for (size_t b = 0; b < rows.size(); ++b) {
    TrainRow& row = rows[b];
    if (row.stored) continue;
    double sum = 0;
    for (size_t t = 0; t < now[b].size(); ++t) {
      const float difference = now[b][t] - row.old_log_probs[t];
      found.largest = std::max(found.largest, static_cast<double>(std::abs(difference)));
      squares += std::expm1(2.0 * difference);
      sum += difference;
      if (cap > 0) row.weights.push_back(std::min(std::exp(difference), static_cast<float>(cap)));
    }
    const auto length = static_cast<double>(now[b].size());
    perplexities += length > 0 ? std::exp(-sum / length) : 1.0;
    tokens += length;
    row.old_log_probs = std::move(now[b]);
  }
  if (tokens > 0) found.chi_square = squares / tokens;
  if (!rows.empty()) found.perplexity_ratio = perplexities / static_cast<double>(rows.size());
  return found;
}

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

// Of all tokens of rows of these lengths, to the lists of each row.
void add_top_tokens(const TopTokens& top, const std::vector<int64_t>& lengths, RowStatistics& out) {
  const torch::Tensor ids = top.ids.to(torch::kFloat32);
  const int64_t columns = ids.size(1);
  const float *id = ids.data_ptr<float>(), *log_prob = top.log_probs.data_ptr<float>();
  for (const int64_t length : lengths) {
    out.top_ids.emplace_back(id, id + length * columns);
    out.top_log_probs.emplace_back(log_prob, log_prob + length * columns);
    id += length * columns;
    log_prob += length * columns;
  }
}

// Rows first .. last - 1 in as many passes of `step` rows as `most` rows need.
RowStatistics score_in_passes(const Transformer& model, const MiniBatch& mini_batch, size_t first, size_t last, size_t step,
                              size_t most, int64_t top) {
  RowStatistics out;
  for (size_t done = 0; done < most; done += step) {
    const size_t begin = first + done, end = std::min(last, begin + step);
    if (begin >= last) {
      model.forward_without_rows();
      continue;
    }
    if (mini_batch.limits != nullptr) mini_batch.limits->begin(Pass::scoring, static_cast<int64_t>(end - begin));
    const PackedRows packed = pack_rows(mini_batch.rows, begin, end);
    const torch::Tensor index = torch::tensor(packed.source, torch::kInt64).to(model.numerics().device);
    const torch::Tensor hidden = model.forward(packed.batch).index_select(0, index);
    const TokenStatistics statistics =
        token_statistics(model, hidden, packed.targets, mini_batch.settings.sampling.temperature);
    const float* log_probs = statistics.log_probs.data_ptr<float>();
    const float* entropies = statistics.entropies.data_ptr<float>();
    for (const int64_t length : packed.lengths) {
      out.log_probs.emplace_back(log_probs, log_probs + length);
      out.entropies.emplace_back(entropies, entropies + length);
      log_probs += length;
      entropies += length;
    }
    if (top > 0) add_top_tokens(top_tokens(model, hidden, top, mini_batch.settings.sampling.temperature), packed.lengths, out);
  }
  return out;
}

}  // namespace

RowStatistics score_rows(const Transformer& model, const MiniBatch& batch, int64_t top) {
  const std::vector<TrainRow>& rows = batch.rows;
  const auto size = static_cast<size_t>(batch.ranks != nullptr ? batch.ranks->size() : 1);
  const size_t share = (rows.size() + size - 1) / size;
  const size_t first = std::min(rows.size(), share * static_cast<size_t>(batch.ranks != nullptr ? batch.ranks->rank() : 0));
  const size_t last = std::min(rows.size(), first + share);
  RowStatistics out;
  const int64_t asked = batch.settings.micro_batch_responses, all = static_cast<int64_t>(share);
  const int64_t wanted = asked > 0 ? std::min(asked, all) : all;
  fit_memory(batch.limits, Pass::scoring, wanted, batch.place, [&](int64_t step) {
    out = {};
    out = score_in_passes(model, batch, first, last, static_cast<size_t>(step), share, top);
  });
  if (batch.ranks == nullptr) return out;
  const auto gathered = [&](const std::vector<std::vector<float>>& lists) { return gather_lists(*batch.ranks, lists); };
  RowStatistics whole{gathered(out.log_probs), gathered(out.entropies), {}, {}};
  if (top > 0) whole.top_ids = gathered(out.top_ids), whole.top_log_probs = gathered(out.top_log_probs);
  return whole;
}

}  // namespace harness
