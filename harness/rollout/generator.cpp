#include "harness/rollout/generator.h"

#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>

#include "harness/core/error.h"
#include "harness/model/fused_decoder.h"
#include "harness/model/ops/gpu.h"
#include "harness/rollout/draw.h"
#include "harness/rollout/kernel_generator.h"
#include "harness/rollout/layer_readout.h"
#include "harness/rollout/static_decoder.h"

namespace harness {

namespace {

// A prompt being sampled from: its keys and values and the hidden states of its last token live until its last row begins.
struct Prompt {
  KvStore store;
  torch::Tensor hidden;               // [1, D]
  std::vector<torch::Tensor> layers;  // [L][1, D] where the readout is recorded
  int64_t length = 0;
  int64_t rows_left = 0;  // samples not finished yet
};

struct Row {
  size_t request = 0, sample = 0;
  int64_t slot = 0;
  Prompt* prompt = nullptr;
  SampledResponse* response = nullptr;
};

// Rows whose keys and values stay in a processor's cache beside a small model's weights from step to step.
constexpr int64_t kRowsInCache = 72;

class Session {
 public:
  // `kernels`: none on the CPU but in tests.
  Session(const Transformer& model, const std::vector<GenerationRequest>& requests, const GeneratorSettings& settings,
          std::vector<std::vector<SampledResponse>>& responses, std::optional<ops::gpu::Kernels> kernels)
      : model_(model),
        requests_(requests),
        settings_(settings),
        responses_(responses),
        prompts_(requests.size()),
        kernels_(kernels) {
    int64_t samples = 0;
    for (size_t r = 0; r < requests.size(); ++r) {
      for (size_t s = 0; s < requests[r].streams.size(); ++s) waiting_.push_back({r, s, 0, nullptr, nullptr});
      samples += static_cast<int64_t>(requests[r].streams.size());
    }
    if (!kernels_ && FusedDecoder::fits(model)) fused_ = std::make_unique<FusedDecoder>(model);
    const int64_t most = fused_ != nullptr ? std::min(settings.max_rows, kRowsInCache) : settings.max_rows;
    const int64_t rows = std::min(most, samples);
    store_ = KvStore(model.config().layers, std::vector<int64_t>(static_cast<size_t>(rows), settings.sampling.max_new_tokens),
                     model.heads(), model.numerics().dtype, model.numerics().device, kernels_.has_value());
    make_decoder(rows);
    started_tokens_.assign(static_cast<size_t>(rows), 0);
    last_place_.assign(static_cast<size_t>(rows), 0);
    for (int64_t slot = rows - 1; slot >= 0; --slot) free_slots_.push_back(slot);
  }

  void run(GenerationTotals& totals, const GenerationProgress& progress) {
    int64_t finished = 0;
    while (!waiting_.empty() || !active_.empty()) {
      check_interrupt();
      // Refilling costs a prefill: wait until an eighth of the rows is free.
      const size_t free = free_slots_.size(), whole = free + active_.size();
      const auto begin = std::chrono::steady_clock::now();
      if (!waiting_.empty() && (active_.empty() || free * 8 >= whole)) refill(totals);
      const auto middle = std::chrono::steady_clock::now();
      if (decoder_ != nullptr) {
        static_step(totals);
      } else {
        step(totals);
      }
      totals.prompt_seconds += std::chrono::duration<double>(middle - begin).count();
      totals.decode_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - middle).count();
      finished += retire();
      if (progress) progress(finished);
    }
  }

 private:
  // Static steps where kernels draw the tokens. Its buffers and recordings last for one rollout: the logits of all rows alone
  // are max_rows x V numbers, which the update needs for itself, and a shape is recorded only when it comes back.
  void make_decoder(int64_t rows) {
    if (!kernels_ || !drawn_by_kernels(settings_.sampling, model_.config().vocab_size) || settings_.sampling.max_new_tokens < 2)
      return;
    StaticDecoderSettings s;
    s.max_rows = rows;
    for (const GenerationRequest& request : requests_) {
      s.longest_prefix = std::max(s.longest_prefix, static_cast<int64_t>(request.prompt.size()));
    }
    s.longest_own = settings_.sampling.max_new_tokens;
    s.greedy = settings_.sampling.greedy;
    s.temperature = s.greedy ? 1.0 : settings_.sampling.temperature;
    s.report_temperature = settings_.unit_temperature_log_probs ? 1.0 : s.temperature;
    s.readout = settings_.readout;
    s.readout_from = settings_.readout_from;
    s.lens_norm_all = settings_.lens_norm_all;
    if (StaticDecoder::fits(model_, s)) decoder_ = std::make_unique<StaticDecoder>(model_, *kernels_, s);
  }

  // Takes waiting rows into free slots; prompts seen for the first time are computed together, and the first token of each new
  // row is drawn from its prompt's last hidden state.
  void refill(GenerationTotals& totals) {
    std::vector<size_t> fresh;
    std::vector<Row> started;
    while (!waiting_.empty() && !free_slots_.empty()) {
      Row row = waiting_.front();
      waiting_.pop_front();
      row.slot = free_slots_.back();
      free_slots_.pop_back();
      if (prompts_[row.request] == nullptr) {
        prompts_[row.request] = std::make_unique<Prompt>();
        fresh.push_back(row.request);
      }
      row.prompt = prompts_[row.request].get();
      row.response = &responses_[row.request][row.sample];
      started.push_back(row);
    }
    compute_prompts(fresh, totals);
    draw_first(started, totals);
    active_.insert(active_.end(), started.begin(), started.end());
    std::sort(active_.begin(), active_.end(), [](const Row& a, const Row& b) {
      return a.request != b.request ? a.request < b.request : a.sample < b.sample;  // rows of one prompt side by side
    });
  }

  void compute_prompts(const std::vector<size_t>& fresh, GenerationTotals& totals) {
    for (size_t begin = 0; begin < fresh.size();) {
      PackedBatch batch;
      std::vector<KvStore*> stores;
      size_t end = begin;
      while (end < fresh.size() && (end == begin || batch.rows() < kPromptRowsAtOnce)) {
        const std::vector<int64_t>& tokens = requests_[fresh[end]].prompt;
        Prompt& prompt = *prompts_[fresh[end]];
        prompt.length = static_cast<int64_t>(tokens.size());
        prompt.rows_left = static_cast<int64_t>(requests_[fresh[end]].streams.size());
        prompt.store = KvStore(model_.config().layers, {prompt.length}, model_.heads(), model_.numerics().dtype,
                               model_.numerics().device, kernels_.has_value());
        batch.add(tokens);
        stores.push_back(&prompt.store);
        ++end;
      }
      std::vector<torch::Tensor> layers;
      const torch::Tensor hidden = model_.prefill(batch, stores, settings_.readout ? &layers : nullptr);
      totals.prompt_tokens += batch.rows();
      // The last rows of all prompts in one copy a layer; each prompt holds its row of it.
      std::vector<int64_t> last;
      for (const PackedSequence& sequence : batch.sequences) last.push_back(sequence.begin + sequence.length - 1);
      const torch::Tensor index = torch::tensor(last, torch::kInt64).to(model_.numerics().device);
      const torch::Tensor chosen = hidden.index_select(0, index);
      for (torch::Tensor& layer : layers) layer = layer.index_select(0, index);
      for (size_t i = begin; i < end; ++i) {
        Prompt& prompt = *prompts_[fresh[i]];
        const auto row = static_cast<int64_t>(i - begin);
        prompt.hidden = chosen.slice(0, row, row + 1);
        for (const torch::Tensor& layer : layers) prompt.layers.push_back(layer.slice(0, row, row + 1));
      }
      begin = end;
    }
  }

  void draw_first(std::vector<Row>& rows, GenerationTotals& totals) {
    if (rows.empty()) return;
    std::vector<torch::Tensor> hidden;
    std::vector<std::vector<torch::Tensor>> parts(static_cast<size_t>(settings_.readout ? model_.config().layers : 0));
    for (const Row& row : rows) {
      hidden.push_back(row.prompt->hidden);
      for (size_t l = 0; l < parts.size(); ++l) parts[l].push_back(row.prompt->layers[l]);
    }
    std::vector<torch::Tensor> layers;
    for (const auto& part : parts) layers.push_back(torch::cat(part));
    draw(rows, model_.logits(torch::cat(hidden)), layers, totals);
  }

  // One decode step of all active rows: feeds each its last token and draws the next.
  void step(GenerationTotals& totals) {
    std::vector<Row> rows;
    for (const Row& row : active_) {
      if (!done(row)) rows.push_back(row);
    }
    if (rows.empty()) return;
    std::vector<int64_t> ids, positions;
    std::vector<RowPlace> places;
    for (const Row& row : rows) {
      const int64_t length = row.response->tokens();
      ids.push_back(row.response->ids.back());
      positions.push_back(row.prompt->length + length - 1);
      places.push_back({&store_, row.slot, length - 1, &row.prompt->store, 0, row.prompt->length});
    }
    std::vector<torch::Tensor> layers, *wanted = settings_.readout ? &layers : nullptr;
    if (fused_ != nullptr) {
      draw(rows, fused_->decode(ids, positions, places, wanted), layers, totals);
    } else {
      const torch::Tensor hidden = model_.decode(ids, positions, places, wanted);
      draw(rows, model_.logits(hidden.slice(0, 0, static_cast<int64_t>(rows.size()))), layers, totals);
    }
    totals.tokens += static_cast<int64_t>(rows.size());
    ++totals.steps;
  }

  // Starts the next step while the one before it may still run: a row of both is fed its token on the device. What that step
  // found is recorded then, so that a stop token is seen one step late and what its row drew after it is dropped.
  void static_step(GenerationTotals& totals) {
    std::vector<Row> rows;
    StepRows& in = step_rows_;
    in.clear();
    for (const Row& row : active_) {
      const auto slot = static_cast<size_t>(row.slot);
      const int64_t length = row.response->tokens() + started_tokens_[slot];
      if (row.response->stopped || length >= settings_.sampling.max_new_tokens) continue;
      const bool fed = started_tokens_[slot] > 0;
      in.ids.push_back(fed ? 0 : row.response->ids.back());
      in.sources.push_back(fed ? last_place_[slot] : -1);
      in.positions.push_back(row.prompt->length + length - 1);
      in.places.push_back({&store_, row.slot, length - 1, &row.prompt->store, 0, row.prompt->length});
      if (!settings_.sampling.greedy) in.uniforms.push_back(uniform(row, length));
      rows.push_back(row);
    }
    if (!rows.empty()) {
      decoder_->start(in);
      for (size_t i = 0; i < rows.size(); ++i) {
        ++started_tokens_[static_cast<size_t>(rows[i].slot)];
        last_place_[static_cast<size_t>(rows[i].slot)] = static_cast<int64_t>(i);
      }
    }
    const bool waits = !rows.empty();
    if (waits) started_rows_.push_back(std::move(rows));
    if (started_rows_.size() <= (waits ? 1 : 0)) return;
    totals.tokens += record(started_rows_.front(), decoder_->finish());
    started_rows_.pop_front();
    ++totals.steps;
  }

  void draw(std::vector<Row>& rows, const torch::Tensor& logits, std::vector<torch::Tensor>& layers, GenerationTotals& totals) {
    std::vector<RowToDraw> to_draw;
    for (const Row& row : rows) to_draw.push_back({row.response, &requests_[row.request].streams[row.sample]});
    draw_next(logits, to_draw, settings_, kernels_);
    if (settings_.readout) {
      const auto begin = std::chrono::steady_clock::now();
      std::vector<SampledResponse*> responses;
      std::vector<int64_t> tokens;
      for (const Row& row : rows) {
        responses.push_back(row.response);
        tokens.push_back(row.response->ids.back());
      }
      record_readout(model_, settings_, responses, tokens, layers);
      totals.readout_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    for (const Row& row : rows) mark_stopped(*row.response);
  }

  // Returns the tokens that were kept.
  int64_t record(const std::vector<Row>& rows, const StepResults& found) {
    int64_t kept = 0;
    const auto layers = static_cast<size_t>(model_.config().layers), from = static_cast<size_t>(settings_.readout_from);
    for (size_t i = 0; i < rows.size(); ++i) {
      SampledResponse& response = *rows[i].response;
      --started_tokens_[static_cast<size_t>(rows[i].slot)];
      if (response.stopped) continue;
      ++kept;
      response.ids.push_back(found.tokens[i]);
      response.log_probs.push_back(found.log_probs[i]);
      response.entropies.push_back(found.entropies[i]);
      mark_stopped(response);
      if (!settings_.readout) continue;
      const float* values = found.readout + i * (layers - from);
      response.readout.insert(response.readout.end(), from, 0.0f);
      response.readout.insert(response.readout.end(), values, values + (layers - from));
    }
    return kept;
  }

  void mark_stopped(SampledResponse& response) const {
    response.stopped =
        std::find(settings_.stop_ids.begin(), settings_.stop_ids.end(), response.ids.back()) != settings_.stop_ids.end();
  }

  [[nodiscard]] double uniform(const Row& row, int64_t token) const {
    return requests_[row.request].streams[row.sample].uniform(static_cast<uint64_t>(token));
  }

  [[nodiscard]] bool done(const Row& row) const {
    return row.response->stopped || row.response->tokens() >= settings_.sampling.max_new_tokens;
  }

  // Frees the slots of finished rows, and prompts nobody needs any more.
  int64_t retire() {
    int64_t finished = 0;
    std::vector<Row> left;
    for (const Row& row : active_) {
      if (!done(row) || started_tokens_[static_cast<size_t>(row.slot)] > 0) {
        left.push_back(row);
        continue;
      }
      ++finished;
      free_slots_.push_back(row.slot);
      if (--row.prompt->rows_left == 0) prompts_[row.request].reset();
    }
    active_ = std::move(left);
    return finished;
  }

  const Transformer& model_;
  const std::vector<GenerationRequest>& requests_;
  const GeneratorSettings& settings_;
  std::vector<std::vector<SampledResponse>>& responses_;
  std::vector<std::unique_ptr<Prompt>> prompts_;
  KvStore store_;
  std::optional<ops::gpu::Kernels> kernels_;
  std::unique_ptr<StaticDecoder> decoder_;  // null: steps by those of a small model, or by Transformer::decode
  std::unique_ptr<FusedDecoder> fused_;
  StepRows step_rows_;
  std::deque<std::vector<Row>> started_rows_;  // of the steps that were started and not recorded, two at most
  std::vector<int64_t> started_tokens_;        // [slots] tokens of a row in them
  std::vector<int64_t> last_place_;            // [slots] its place in the last of them
  std::vector<int64_t> free_slots_;
  std::deque<Row> waiting_;
  std::vector<Row> active_;
};

}  // namespace

std::vector<std::vector<SampledResponse>> generate_by(const std::optional<ops::gpu::Kernels>& kernels, const Transformer& model,
                                                      const std::vector<GenerationRequest>& requests,
                                                      const GeneratorSettings& settings, GenerationTotals* totals,
                                                      const GenerationProgress& progress) {
  const torch::NoGradGuard no_grad;
  std::vector<std::vector<SampledResponse>> responses;
  bool any = false;
  for (const GenerationRequest& request : requests) {
    if (request.prompt.empty()) throw Error("expected a prompt of at least one token, found an empty one");
    const int64_t longest = static_cast<int64_t>(request.prompt.size()) + settings.sampling.max_new_tokens;
    if (longest > model.config().max_positions) {
      throw Error("expected prompt and response within the model's {} positions (max_position_embeddings), found {} + {}",
                  model.config().max_positions, request.prompt.size(), settings.sampling.max_new_tokens);
    }
    responses.emplace_back(request.streams.size());
    any = any || !request.streams.empty();
  }
  if (!any) return responses;
  GenerationTotals local;
  Session(model, requests, settings, responses, kernels).run(totals != nullptr ? *totals : local, progress);
  return responses;
}

std::vector<std::vector<SampledResponse>> generate(const Transformer& model, const std::vector<GenerationRequest>& requests,
                                                   const GeneratorSettings& settings, GenerationTotals* totals,
                                                   const GenerationProgress& progress) {
  return generate_by(ops::gpu::kernels_for(model.head()), model, requests, settings, totals, progress);
}

}  // namespace harness
