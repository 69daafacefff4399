#include "harness/plan/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/model/ops/attention_tasks.h"

namespace harness {

namespace {

// Resident memory of the program with LibTorch before it loads anything, measured (experiments/peers/plan_memory.py --base).
constexpr double kProgramBytes = 220e6;

int64_t to_tile(int64_t rows, const MemorySettings& s) { return padded_rows(rows, s.strict, !s.bf16 && !s.cuda); }

double positions(int64_t count) { return static_cast<double>((count + 15) / 16 * 16); }

// Sizes of one row of one layer, in elements of the compute dtype.
struct RowSizes {
  double width, heads, kv, mlp;
  explicit RowSizes(const ModelConfig& m)
      : width(static_cast<double>(m.width)),
        heads(static_cast<double>(m.heads * m.head_dim)),
        kv(static_cast<double>(m.kv_heads * m.head_dim)),
        mlp(static_cast<double>(m.mlp_width)) {}
  // LayerTape: x, normed, h, h_normed; qkv; q, k; attended; gate_up, activated.
  [[nodiscard]] double tape() const { return 4 * width + (heads + 2 * kv) + heads + kv + heads + 3 * mlp; }
  // layer_backward's largest moment: the gradients of gate_up and activated with those of h, or those of attention.
  [[nodiscard]] double backward() const { return std::max(3 * mlp + 3 * width, 3 * width + 2 * heads + 2 * kv); }
};

// Parameters of the largest unit: the embedding (or the head), or a layer.
double largest_unit(const ModelConfig& shape) {
  const double embedding = static_cast<double>(shape.vocab_size) * static_cast<double>(shape.width);
  const double rest = parameter_count(shape) - (shape.tied_head ? 1 : 2) * embedding - static_cast<double>(shape.width);
  return std::max(embedding, rest / static_cast<double>(shape.layers));
}

class Planner {
 public:
  explicit Planner(const MemorySettings& s)
      : s_(s),
        element_(s.bf16 ? 2 : 4),
        parameters_(parameter_count(s.shape)),
        row_(s.shape),
        layers_(static_cast<double>(s.shape.layers)),
        vocabulary_(static_cast<double>(s.shape.vocab_size)),
        unit_(largest_unit(s.shape)),
        processes_(static_cast<double>(s.processes)) {}

  MemoryPlan plan() {
    MemoryPlan plan;
    plan.phases.push_back(loading());
    plan.phases.push_back(sampling());
    if (s_.train) {
      if (s_.reference && s_.offload_reference) plan.phases.push_back(scoring());
      plan.phases.push_back(update());
      plan.phases.push_back(step());
    }
    // Beside a GPU: the program, the rollouts, and a checkpoint's copy on its way to the disk.
    // What is offloaded is written from where it lies.
    plan.host_bytes = s_.cuda ? kProgramBytes + rollouts() + (s_.train ? share(s_.shared_optimizer, 12 * parameters_) : 0) : 0;
    if (s_.cuda && s_.offload_optimizer) plan.host_bytes += (4 + (s_.shared_optimizer ? 0 : element_)) * staged();
    if (s_.cuda && s_.reference && s_.offload_reference) plan.host_bytes += parameters_ * element_;
    return plan;
  }

 private:
  [[nodiscard]] double share(bool shared, double bytes) const { return shared ? bytes / processes_ : bytes; }

  enum class Gathered { all, one, none };  // of shared parameters

  MemoryPhase phase(const std::string& name, Gathered gathered) const {
    MemoryPhase phase{name, {}};
    if (!s_.cuda) phase.parts.push_back({"program", kProgramBytes});
    if (gathered == Gathered::all || !s_.shared_parameters) {
      phase.parts.push_back({"weights", parameters_ * element_});
    } else if (gathered == Gathered::one) {
      phase.parts.push_back({"weights of one layer", unit_ * element_});
    }
    return phase;
  }

  void add_states(MemoryPhase& phase) const {
    if (!s_.train) return;
    // Masters of fp32 values are those values, where they are here.
    if (!s_.offload_optimizer) {
      if (s_.bf16 || s_.shared_parameters) phase.parts.push_back({"masters", share(s_.shared_optimizer, 4 * parameters_)});
      phase.parts.push_back({"moments", share(s_.shared_optimizer, 8 * parameters_)});
    } else if (s_.shared_parameters) {
      phase.parts.push_back({"share of the weights", parameters_ * element_ / processes_});
    }
    if (s_.reference && !s_.offload_reference)
      phase.parts.push_back({"reference", share(s_.shared_parameters, parameters_ * element_)});
  }

  // Whole gradients stay from one update to the next; shared ones are there in an update alone, and whole those of one unit,
  // with this process's share of them after they were summed.
  void add_gradients(MemoryPhase& phase, bool in_update, bool in_pass) const {
    if (!s_.train || (s_.shared_gradients && !in_update)) return;
    phase.parts.push_back({"gradients", share(s_.shared_gradients, 4 * parameters_)});
    if (s_.shared_gradients && in_pass) phase.parts.push_back({"gradients of one layer", 4 * unit_ * (1 + 1 / processes_)});
  }

  // The files are mapped: their pages count until the copy is done. A reference is loaded, whole, when the optimiser stands.
  MemoryPhase loading() const {
    MemoryPhase loading = phase("loading", Gathered::all);
    if (s_.train && s_.shared_optimizer) loading.parts.push_back({"one layer on its way to its shares", unit_ * element_});
    if (s_.reference) add_states(loading);  // with shared parameters the whole reference comes where the whole policy went
    const double stored = s_.shape.dtype == "float32" ? 4 : 2;
    if (!s_.cuda) loading.parts.push_back({"files", stored * parameters_});
    return loading;
  }

  // What a step keeps of every response: ids, log-probs, entropies, the readout of each layer.
  [[nodiscard]] double rollouts() const {
    const double responses = static_cast<double>(s_.prompts * s_.responses);
    const double token = 8 + 4 + 4 + (s_.readout ? 4 * layers_ : 0);
    return responses * static_cast<double>(s_.response_tokens) * token;
  }

  [[nodiscard]] double kv_bytes(double places) const {
    const auto kv = static_cast<double>(s_.shape.kv_heads);
    const double value = static_cast<double>((s_.shape.head_dim + 15) / 16 * 16);
    return layers_ * places * kv * (static_cast<double>(s_.shape.head_dim) + value) * element_;
  }

  MemoryPhase sampling() const {
    MemoryPhase sampling = phase("sampling", Gathered::all);
    add_states(sampling);
    add_gradients(sampling, false, false);
    const int64_t rows = std::min(s_.rows, s_.prompts * s_.responses);
    const int64_t prompts = std::min(s_.prompts, (rows + s_.responses - 1) / s_.responses + 1);
    sampling.parts.push_back({"keys and values", kv_bytes(static_cast<double>(rows) * positions(s_.response_tokens) +
                                                          static_cast<double>(prompts) * positions(s_.prompt_tokens))});
    // The readout keeps the outputs of all layers until their last rows are taken.
    const int64_t together = std::min(prompts * s_.prompt_tokens, kPromptRowsAtOnce + s_.prompt_tokens);
    const double prefill =
        static_cast<double>(to_tile(together, s_)) * element_ * (row_.tape() + (s_.readout ? layers_ * row_.width : 0));
    const double decode = static_cast<double>(to_tile(rows, s_)) * element_ *
                          (row_.tape() + vocabulary_ + (s_.readout ? layers_ * row_.width : 0));
    // On a GPU the buffers of a decode step stand while prompts are computed (StaticDecoder), with fp32 sums of attention.
    const auto stretches = [](int64_t count) { return static_cast<double>(AttentionTasks::chunks(count)); };
    const double sums = static_cast<double>(rows) * (stretches(s_.prompt_tokens) + stretches(s_.response_tokens)) * 4 *
                        (row_.heads + 2 * static_cast<double>(s_.shape.heads));
    sampling.parts.push_back({"activations", s_.cuda ? prefill + decode + sums : std::max(prefill, decode)});
    if (!s_.cuda) sampling.parts.push_back({"rollouts", rollouts()});
    return sampling;
  }

  [[nodiscard]] double largest_matrix() const { return std::max(vocabulary_ * row_.width, 2 * row_.mlp * row_.width); }

  // Numbers on their way between an offloaded optimiser and the device: page-locked memory comes in powers of two.
  [[nodiscard]] double staged() const {
    return std::min(std::exp2(std::ceil(std::log2(largest_matrix()))), static_cast<double>(s_.offload_numbers));
  }

  // The reference comes to the device for its passes, which keep nothing of a layer. Each process scores its share.
  MemoryPhase scoring() const {
    MemoryPhase scoring = phase("scoring", Gathered::one);
    add_states(scoring);
    add_gradients(scoring, false, false);
    scoring.parts.push_back({"reference", parameters_ * element_});
    const int64_t all = (s_.prompts * s_.responses + s_.processes - 1) / s_.processes;
    const int64_t responses = s_.micro_batch > 0 ? std::min(s_.micro_batch, all) : all;
    const int64_t prompts = (responses + s_.responses - 1) / s_.responses;
    const auto rows = static_cast<double>(to_tile(responses * (s_.response_tokens - 1) + prompts * s_.prompt_tokens, s_));
    scoring.parts.push_back({"activations", rows * (row_.tape() + 2 * row_.width) * element_});
    return scoring;
  }

  MemoryPhase update() const {
    MemoryPhase update = phase("update", Gathered::one);
    add_states(update);
    add_gradients(update, true, true);
    const int64_t responses = s_.micro_batch > 0 ? std::min(s_.micro_batch, s_.mini_batch) : s_.mini_batch;
    const int64_t prompts = (responses + s_.responses - 1) / s_.responses;
    const auto rows = static_cast<double>(to_tile(responses * (s_.response_tokens - 1) + prompts * s_.prompt_tokens, s_));
    const double tape = row_.tape() * element_ + 4 * (2 + static_cast<double>(s_.shape.heads));  // and rstd, lse in fp32
    const double kept = s_.recompute ? layers_ * row_.width * element_ + tape : layers_ * tape;
    // Hidden states and their gradients, those chosen for the loss and theirs.
    const double ends = 6 * row_.width * element_;
    const double attention = 4 * (row_.heads + 2 * row_.kv);  // gradients of attention in fp32
    update.parts.push_back({"activations", rows * (kept + ends)});
    update.parts.push_back({"backward of a layer", rows * std::max(row_.backward() * element_, attention + 4 * row_.width)});
    // Logits by chunks (token_statistics.cpp), their gradient in place.
    const double chunk = std::min(rows, static_cast<double>(logit_chunk_rows(s_.shape.vocab_size, s_.cuda)));
    update.parts.push_back({"logits", 2 * chunk * vocabulary_ * element_});
    if (s_.bf16 && !s_.cuda)
      update.parts.push_back({"gradient of the head before it is added", vocabulary_ * row_.width * element_});
    if (!s_.cuda) update.parts.push_back({"rollouts", rollouts()});
    return update;
  }

  // The optimiser's step: nothing of the pass is left, but the norm of a gradient is taken of a copy in double.
  MemoryPhase step() const {
    MemoryPhase step = phase("optimiser", Gathered::none);
    add_states(step);
    add_gradients(step, true, false);
    step.parts.push_back({"norm of the largest gradient", share(s_.shared_gradients, 8 * largest_matrix())});
    if (!s_.cuda) step.parts.push_back({"rollouts", rollouts()});
    return step;
  }

  const MemorySettings& s_;
  double element_, parameters_;
  RowSizes row_;
  double layers_, vocabulary_;
  double unit_;  // parameters of the largest one
  double processes_;
};

}  // namespace

double MemoryPhase::bytes() const {
  return std::accumulate(parts.begin(), parts.end(), 0.0, [](double sum, const MemoryPart& part) { return sum + part.bytes; });
}

const MemoryPhase& MemoryPlan::peak() const {
  return *std::max_element(phases.begin(), phases.end(),
                           [](const MemoryPhase& a, const MemoryPhase& b) { return a.bytes() < b.bytes(); });
}

MemoryPlan plan_memory(const MemorySettings& settings) { return Planner(settings).plan(); }

std::string bytes_text(double bytes) {
  return bytes > 1e9 ? fmt::format("{:.1f} GB", bytes / 1e9) : fmt::format("{:.0f} MB", bytes / 1e6);
}

}  // namespace harness
