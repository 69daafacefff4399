#include "harness/rollout/static_decoder.h"

#include <torch/types.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "harness/core/error.h"

namespace harness {

namespace {

int64_t rounded(int64_t bytes) { return (bytes + 15) / 16 * 16; }

template <typename T>
T* data(const torch::Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.data_ptr()) : nullptr;
}

template <typename T>
void copy_to(uint8_t* to, const std::vector<T>& values, int64_t padded) {
  std::memcpy(to, values.data(), sizeof(T) * values.size());
  std::memset(to + sizeof(T) * values.size(), 0, sizeof(T) * (static_cast<size_t>(padded) - values.size()));
}

int64_t power_of_two(int64_t count) { return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(count))); }

// Tasks of a recording: few counts, since each is recorded; but of many tasks at most a fifth are idle blocks, which a GPU
// starts all the same.
int64_t task_bucket(int64_t count) {
  const int64_t whole = power_of_two(count), step = whole > 256 ? whole / 8 : whole;
  return (count + step - 1) / step * step;
}

}  // namespace

void StepRows::clear() {
  ids.clear();
  sources.clear();
  positions.clear();
  uniforms.clear();
  places.clear();
}

StaticDecoder::InputLayout::InputLayout(int64_t rows) {
  int64_t at = 0;
  for (int64_t* field : {&ids, &sources, &positions, &uniforms, &key_places, &value_places, &layer_bytes}) {
    *field = at;
    at += rounded(8 * rows);
  }
  row_parts = at;
  tasks = at + rounded(4 * rows);
}

StaticDecoder::ResultLayout::ResultLayout(int64_t rows, int64_t layers)
    : tokens(0),
      log_probs(rounded(8 * rows)),
      entropies(log_probs + rounded(4 * rows)),
      readout(entropies + rounded(4 * rows)),
      end(readout + rounded(4 * rows * layers)) {}

bool StaticDecoder::fits(const Transformer& model, const StaticDecoderSettings& settings) {
  const ModelConfig& config = model.config();
  const bool plain_angles =
      config.rope_scaling.type != "dynamic" || settings.longest_prefix + settings.longest_own <= config.max_positions;
  return plain_angles && ops::gpu::fits(model.heads()) && ops::gpu::fits_vocabulary(config.vocab_size) &&
         config.layers <= cuda::kMostLayers;
}

StaticDecoder::StaticDecoder(const Transformer& model, const ops::gpu::Kernels& kernels, const StaticDecoderSettings& settings)
    : model_(model), kernels_(kernels), settings_(settings), runner_(model.numerics().device) {
  MEDSBENCH_CHECK(fits(model, settings), "a model that the kernels cannot hold");
  parts_ = std::max<int64_t>(1, AttentionTasks::chunks(settings.longest_prefix) + AttentionTasks::chunks(settings.longest_own));
  std::tie(cosine_, sine_) = model.rotary(settings.longest_prefix + settings.longest_own);
  find_weights();
  make_buffers();
}

StaticDecoder::~StaticDecoder() {
  try {
    for (const Started& step : started_) runner_.wait(step.number);
  } catch (...) {  // an error of the device, which the next call to it throws again
  }
}

void StaticDecoder::find_weights() {
  layers_.clear();
  for (int64_t l = 0; l < model_.config().layers; ++l) layers_.push_back(model_.weights(static_cast<size_t>(l)));
  embedding_ = model_.embedding();
  final_norm_ = model_.final_norm();
  head_ = model_.head();
  addresses_.clear();
  for (const Parameter& parameter : model_.parameters()) addresses_.push_back(parameter.value.data_ptr());
}

bool StaticDecoder::weights_moved() const {
  for (size_t i = 0; i < addresses_.size(); ++i) {
    if (model_.parameters()[i].value.data_ptr() != addresses_[i]) return true;
  }
  return false;
}

void StaticDecoder::make_buffers() {
  const ModelConfig& config = model_.config();
  const int64_t rows = bucket(settings_.max_rows), q_width = config.heads * config.head_dim;
  const auto values = torch::TensorOptions().dtype(model_.numerics().dtype).device(model_.numerics().device);
  const auto fp32 = values.dtype(torch::kFloat32), bytes = values.dtype(torch::kUInt8);
  const auto beside = torch::TensorOptions().dtype(torch::kUInt8).pinned_memory(!model_.numerics().device.is_cpu());
  const int64_t most_tasks = task_bucket(rows * parts_);
  const int64_t input_bytes = InputLayout(rows).tasks + most_tasks * static_cast<int64_t>(sizeof(cuda::AttentionTask));
  inputs_ = torch::empty({input_bytes}, bytes);
  results_ = torch::empty({ResultLayout(rows, read_layers()).end}, bytes);
  for (int64_t i : {0, 1}) {
    host_inputs_[i] = torch::empty({input_bytes}, beside);
    host_results_[i] = torch::empty(results_.sizes(), beside);
  }
  x_ = torch::empty({rows, config.width}, values);
  normed_ = torch::empty_like(x_);
  qkv_ = torch::empty({rows, (config.heads + 2 * config.kv_heads) * config.head_dim}, values);
  q_ = torch::empty({rows, q_width}, values);
  attended_ = torch::empty_like(q_);
  gate_up_ = torch::empty({rows, 2 * config.mlp_width}, values);
  activated_ = torch::empty({rows, config.mlp_width}, values);
  logits_ = torch::empty({rows, config.vocab_size}, values);
  tile_sums_ = torch::empty({rows, cuda::kTileSums, cuda::logit_tiles(config.vocab_size)}, fp32);
  part_out_ = torch::empty({rows, parts_, q_width}, fp32);
  part_max_ = torch::empty({rows, parts_, config.heads}, fp32);
  part_sum_ = torch::empty_like(part_max_);
  for (int64_t l = 0; l < layers(); ++l) kept_.push_back(kept(l) ? torch::empty_like(x_) : torch::Tensor());
}

int64_t StaticDecoder::bucket(int64_t rows) const {
  if (model_.padded(1) > 1) return model_.padded(rows);
  const int64_t whole = power_of_two(rows), padded = whole >= 128 && rows <= whole / 4 * 3 ? whole / 4 * 3 : whole;
  return std::min(padded, std::max(rows, settings_.max_rows));
}

template <typename T>
const T* StaticDecoder::input(int64_t offset) const {
  return reinterpret_cast<const T*>(data<uint8_t>(inputs_) + offset);
}

int64_t StaticDecoder::pack(const StepRows& rows, uint8_t* to, int64_t padded, int64_t tasks) const {
  const InputLayout at(padded);
  copy_to(to + at.ids, rows.ids, padded);
  copy_to(to + at.sources, rows.sources, padded);
  const size_t sourced = rows.sources.size();
  std::fill_n(reinterpret_cast<int64_t*>(to + at.sources) + sourced, static_cast<size_t>(padded) - sourced, -1);
  copy_to(to + at.positions, rows.positions, padded);
  if (!settings_.greedy) copy_to(to + at.uniforms, rows.uniforms, padded);
  copy_to(to + at.key_places, tasks_.key_places, padded);
  copy_to(to + at.value_places, tasks_.value_places, padded);
  copy_to(to + at.layer_bytes, tasks_.layer_bytes, padded);
  copy_to(to + at.row_parts, tasks_.row_parts, padded);
  copy_to(to + at.tasks, tasks_.tasks, tasks);  // a task of zeros has no rows
  return at.tasks + tasks * static_cast<int64_t>(sizeof(cuda::AttentionTask));
}

void StaticDecoder::check(const StepRows& rows) const {
  const size_t count = rows.ids.size();
  MEDSBENCH_CHECK(count > 0 && static_cast<int64_t>(count) <= settings_.max_rows && rows.positions.size() == count &&
                      rows.places.size() == count && (rows.sources.empty() || rows.sources.size() == count) &&
                      (settings_.greedy || rows.uniforms.size() == count),
                  "{} ids of at most {}, {} positions, {} places, {} sources, {} uniforms", count, settings_.max_rows,
                  rows.positions.size(), rows.places.size(), rows.sources.size(), rows.uniforms.size());
  for (size_t i = 0; i < count; ++i) {
    MEDSBENCH_CHECK(rows.ids[i] >= 0 && rows.ids[i] < model_.config().vocab_size && rows.positions[i] >= 0 &&
                        rows.positions[i] < cosine_.size(0) && (rows.sources.empty() || rows.sources[i] < last_rows_),
                    "id {} at position {} after a step of {} rows", rows.ids[i], rows.positions[i], last_rows_);
  }
}

void StaticDecoder::start(const StepRows& rows) {
  const torch::NoGradGuard no_grad;
  MEDSBENCH_CHECK(started_.size() < 2, "{} steps are unfinished", started_.size());
  check(rows);
  if (weights_moved()) {
    for (const Started& step : started_) runner_.wait(step.number);
    find_weights();
    runner_.forget();
  }
  const int64_t padded = bucket(static_cast<int64_t>(rows.ids.size()));
  tasks_.assign(rows.places, padded, {model_.config().heads, model_.config().kv_heads, model_.config().head_dim});
  MEDSBENCH_CHECK(tasks_.parts <= parts_, "{} parts of a row, at most {} were foreseen", tasks_.parts, parts_);
  const int64_t tasks = task_bucket(std::max<int64_t>(padded, static_cast<int64_t>(tasks_.tasks.size())));
  const int64_t side = runner_.next() % 2;
  const torch::Tensor in = host_inputs_[side], out = host_results_[side];
  const int64_t sent = pack(rows, data<uint8_t>(in), padded, tasks), back = ResultLayout(padded, read_layers()).end;
  const int64_t number = runner_.start([&] {
    inputs_.narrow(0, 0, sent).copy_(in.narrow(0, 0, sent), true);
    runner_.run({padded, tasks}, [this, padded, tasks] { compute(padded, tasks); });
    out.narrow(0, 0, back).copy_(results_.narrow(0, 0, back), true);
  });
  last_rows_ = static_cast<int64_t>(rows.ids.size());
  started_.push_back({number, last_rows_, padded});
}

StepResults StaticDecoder::finish() {
  MEDSBENCH_CHECK(!started_.empty(), "no step was started");
  const Started step = started_.front();
  started_.erase(started_.begin());
  runner_.wait(step.number);
  const ResultLayout at(step.padded, read_layers());
  const uint8_t* back = data<uint8_t>(host_results_[step.number % 2]);
  const auto numbers = [&](int64_t offset) { return reinterpret_cast<const float*>(back + offset); };
  return {reinterpret_cast<const int64_t*>(back + at.tokens), numbers(at.log_probs), numbers(at.entropies),
          settings_.readout ? numbers(at.readout) : nullptr};
}

void StaticDecoder::compute(int64_t rows, int64_t tasks) {
  const ops::gpu::Kernels now = ops::gpu::kernels_for(x_).value_or(kernels_);  // on the stream that is current
  if (x_.scalar_type() == torch::kFloat32) {
    run_layers(*now.fp32, now.stream, rows, tasks);
    draw(*now.fp32, now.stream, rows);
  } else {
    run_layers(*now.bf16, now.stream, rows, tasks);
    draw(*now.bf16, now.stream, rows);
  }
}

// Products add to the residual stream in place. Where the output of a block is kept for the readout, the norms copy the stream
// on their way: out of the kept buffer before attention adds to it, into the next one before the MLP does.
template <typename T>
void StaticDecoder::run_layers(const cuda::Table<T>& table, void* stream, int64_t rows, int64_t tasks) {
  const auto view = [&](const torch::Tensor& buffer) { return buffer.narrow(0, 0, rows); };
  torch::Tensor x = view(x_), normed = view(normed_), qkv = view(qkv_), gate_up = view(gate_up_), now = x;
  const torch::Tensor attended = view(attended_), activated = view(activated_);
  const auto norm = [&](const torch::Tensor& from, const torch::Tensor& weight, T* copy) {
    table.rms_norm({data<T>(from), data<T>(weight), copy, data<T>(normed), nullptr, rows, x.size(1),
                    static_cast<float>(model_.config().norm_eps)},
                   stream);
  };
  const InputLayout at(rows);
  table.embed({data<T>(embedding_), input<int64_t>(at.ids), input<int64_t>(at.sources), data<int64_t>(results_), data<T>(x),
               rows, x.size(1)},
              stream);
  for (int64_t l = 0; l < layers(); ++l) {
    const LayerParts<torch::Tensor>& w = layers_[static_cast<size_t>(l)];
    const torch::Tensor& keep = kept_[static_cast<size_t>(l)];
    norm(now, w.input_norm, now.data_ptr() == x.data_ptr() ? nullptr : data<T>(x));
    if (w.qkv_bias.defined()) {
      at::addmm_out(qkv, w.qkv_bias, normed, w.qkv.t());
    } else {
      at::mm_out(qkv, normed, w.qkv.t());
    }
    attend(table, stream, w, l, rows, tasks);
    x.addmm_(attended, w.o.t());
    norm(x, w.post_norm, data<T>(keep));
    now = keep.defined() ? view(keep) : x;
    at::mm_out(gate_up, normed, w.gate_up.t());
    table.swiglu({data<T>(gate_up), nullptr, data<T>(activated), nullptr, rows, activated.size(1)}, stream);
    now.addmm_(activated, w.down.t());
  }
  norm(now, final_norm_, nullptr);
}

template <typename T>
void StaticDecoder::attend(const cuda::Table<T>& table, void* stream, const LayerParts<torch::Tensor>& weights, int64_t layer,
                           int64_t rows, int64_t tasks) {
  const InputLayout at(rows);
  const kernels::HeadShape heads = model_.heads();
  cuda::SplitRotate<T> turn;
  turn.qkv = data<T>(qkv_);
  turn.q_norm = data<T>(weights.q_norm);
  turn.k_norm = data<T>(weights.k_norm);
  turn.cosine = data<float>(cosine_);
  turn.sine = data<float>(sine_);
  turn.positions = input<int64_t>(at.positions);
  turn.q = data<T>(q_);
  turn.key_places = input<uint64_t>(at.key_places);
  turn.value_places = input<uint64_t>(at.value_places);
  turn.layer_bytes = input<uint64_t>(at.layer_bytes);
  turn.layer = layer;
  turn.rows = rows;
  turn.shape = {heads.heads, heads.kv_heads, heads.dim};
  turn.eps = static_cast<float>(model_.config().norm_eps);
  table.split_rotate(turn, stream);
  cuda::Attention<T> a;
  a.q = data<T>(q_);
  a.out = data<T>(attended_);
  a.tasks = input<cuda::AttentionTask>(at.tasks);
  a.row_parts = input<int32_t>(at.row_parts);
  a.part_out = data<float>(part_out_);
  a.part_max = data<float>(part_max_);
  a.part_sum = data<float>(part_sum_);
  a.rows = rows;
  a.task_count = tasks;
  a.parts = parts_;
  a.shape = turn.shape;
  a.scale = 1.0f / std::sqrt(static_cast<float>(heads.dim));
  a.layer = layer;
  table.attend(a, stream);
}

template <typename T>
void StaticDecoder::draw(const cuda::Table<T>& table, void* stream, int64_t rows) {
  const ResultLayout at(rows, read_layers());
  uint8_t* results = data<uint8_t>(results_);
  torch::Tensor logits = logits_.narrow(0, 0, rows);
  at::mm_out(logits, normed_.narrow(0, 0, rows), head_.t());
  cuda::SampleTokens<T> sample;
  sample.logits = data<T>(logits_);
  sample.uniforms = settings_.greedy ? nullptr : input<double>(InputLayout(rows).uniforms);
  sample.tokens = reinterpret_cast<int64_t*>(results + at.tokens);
  sample.log_probs = reinterpret_cast<float*>(results + at.log_probs);
  sample.entropies = reinterpret_cast<float*>(results + at.entropies);
  sample.rows = rows;
  sample.vocabulary = model_.config().vocab_size;
  sample.draw_inverse = settings_.greedy ? 1.0f : static_cast<float>(1.0 / settings_.temperature);
  sample.report_inverse = static_cast<float>(1.0 / settings_.report_temperature);
  sample.workspace = data<float>(tile_sums_);
  table.sample_tokens(sample, stream);
  if (!settings_.readout) return;
  cuda::Readout<T> readout;
  readout.head = data<T>(head_);
  readout.tokens = sample.tokens;
  for (int64_t l = settings_.readout_from; l < layers(); ++l) {
    T* hidden = kept(l) ? data<T>(kept_[static_cast<size_t>(l)]) : data<T>(normed_);
    readout.hidden[l - settings_.readout_from] = hidden;
    if (settings_.lens_norm_all && kept(l)) {  // in place: nothing reads the block's output any more
      table.rms_norm({hidden, data<T>(final_norm_), nullptr, hidden, nullptr, rows, model_.config().width,
                      static_cast<float>(model_.config().norm_eps)},
                     stream);
    }
  }
  readout.values = reinterpret_cast<float*>(results + at.readout);
  readout.rows = rows;
  readout.layers = read_layers();
  readout.width = model_.config().width;
  table.readout(readout, stream);
}

}  // namespace harness
