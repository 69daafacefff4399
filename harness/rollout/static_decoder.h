// StaticDecoder: decode steps over buffers that stay where they are, so that a GPU can record a step once and run it as a
// graph.
//
// A step goes from ids to drawn tokens: embedding, layers, head, draw, layer readout. One copy takes its inputs to the device,
// one brings its results back; between them nothing is allocated and no address depends on the rows. A step may be started
// before the one before it has finished: it takes that one's tokens where they were drawn.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/model/ops/attention_tasks.h"
#include "harness/model/ops/gpu.h"
#include "harness/model/transformer.h"
#include "harness/rollout/step_runner.h"

namespace harness {

struct StaticDecoderSettings {
  int64_t max_rows = 1;
  int64_t longest_prefix = 0;       // positions of the longest prefix that a row may have
  int64_t longest_own = 1;          // and of its own
  double temperature = 1.0;         // of the draw
  double report_temperature = 1.0;  // of log-probs and entropies
  bool greedy = false;
  bool readout = false;
  int64_t readout_from = 0;    // layers below are left out: 0
  bool lens_norm_all = false;  // final norm before the readout of every layer
};

// Rows of one step, in any order.
struct StepRows {
  std::vector<int64_t> ids, positions;  // [R]
  std::vector<int64_t> sources;         // [R] row of the step started before whose token is fed, -1: the id; empty: all -1
  std::vector<double> uniforms;         // [R] in [0, 1); not read where greedy
  std::vector<RowPlace> places;         // [R]; stores of plain rows (KvStore)
  void clear();
};

// Of one step, until the next is started.
struct StepResults {
  const int64_t* tokens = nullptr;   // [R]
  const float* log_probs = nullptr;  // [R] nats
  const float* entropies = nullptr;  // [R] nats
  const float* readout = nullptr;    // [R, L - readout_from]; null where it is not recorded
};

class StaticDecoder {
 public:
  // `kernels`: of the model's device (on the CPU those of tests). Buffers for max_rows are made at once.
  StaticDecoder(const Transformer& model, const ops::gpu::Kernels& kernels, const StaticDecoderSettings& settings);
  ~StaticDecoder();  // waits for what was started
  StaticDecoder(const StaticDecoder&) = delete;
  StaticDecoder& operator=(const StaticDecoder&) = delete;
  // What the kernels can hold.
  [[nodiscard]] static bool fits(const Transformer& model, const StaticDecoderSettings& settings);

  // Feeds each row its id and draws the next token. At most two steps may be unfinished, and results come in the order of
  // starts. Weights may have changed in place since the last step; where they lie elsewhere now, recordings are made anew.
  void start(const StepRows& rows);
  StepResults finish();
  StepResults step(const StepRows& rows) {
    start(rows);
    return finish();
  }

  // Rows that a step of `rows` computes: padded to 1, 2, 4, ... 64, 96, 128, 192, 256, ... or to max_rows; in strict mode to
  // the strict tile.
  [[nodiscard]] int64_t bucket(int64_t rows) const;
  [[nodiscard]] const StepRunner& runner() const { return runner_; }

 private:
  // Offsets in bytes of one bucket's inputs and results.
  struct InputLayout {
    explicit InputLayout(int64_t rows);
    int64_t ids, sources, positions, uniforms, key_places, value_places, layer_bytes, row_parts, tasks;
  };
  struct ResultLayout {
    ResultLayout(int64_t rows, int64_t layers);
    int64_t tokens, log_probs, entropies, readout, end;
  };
  void check(const StepRows& rows) const;
  void find_weights();
  [[nodiscard]] bool weights_moved() const;
  void make_buffers();
  // Writes the inputs of a step to the host's side; returns their bytes.
  int64_t pack(const StepRows& rows, uint8_t* to, int64_t bucket, int64_t tasks) const;
  void compute(int64_t rows, int64_t tasks);
  template <typename T>
  void run_layers(const cuda::Table<T>& table, void* stream, int64_t rows, int64_t tasks);
  template <typename T>
  void attend(const cuda::Table<T>& table, void* stream, const LayerParts<torch::Tensor>& weights, int64_t layer, int64_t rows,
              int64_t tasks);
  template <typename T>
  void draw(const cuda::Table<T>& table, void* stream, int64_t rows);
  [[nodiscard]] int64_t layers() const { return static_cast<int64_t>(layers_.size()); }
  [[nodiscard]] int64_t read_layers() const { return settings_.readout ? layers() - settings_.readout_from : 0; }
  // The output of a block is kept for the readout; that of the last one is, after the final norm.
  [[nodiscard]] bool kept(int64_t layer) const {
    return settings_.readout && layer >= settings_.readout_from && layer + 1 < layers();
  }
  template <typename T>
  [[nodiscard]] const T* input(int64_t offset) const;

  const Transformer& model_;
  ops::gpu::Kernels kernels_;
  StaticDecoderSettings settings_;
  int64_t parts_ = 1;  // of a row, at most
  std::vector<LayerParts<torch::Tensor>> layers_;
  torch::Tensor embedding_, final_norm_, head_, cosine_, sine_;
  std::vector<const void*> addresses_;  // of all weights
  AttentionTasks tasks_;
  // Inputs and results [bytes], on the device and, of two steps, beside it; pinned where the device is a GPU.
  torch::Tensor inputs_, results_, host_inputs_[2], host_results_[2];
  // [max rows, ...]: the residual stream, outputs of blocks kept for the readout (undefined: not kept), and what lies between.
  torch::Tensor x_, normed_, qkv_, q_, attended_, gate_up_, activated_, logits_, tile_sums_, part_out_, part_max_, part_sum_;
  std::vector<torch::Tensor> kept_;
  struct Started {
    int64_t number = 0, rows = 0, padded = 0;
  };
  std::vector<Started> started_;  // and not finished
  int64_t last_rows_ = 0;         // of the step started last
  StepRunner runner_;
};

}  // namespace harness
