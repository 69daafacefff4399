// FusedDecoder: decode steps of a small fp32 model on the CPU, in which a few rows go through all layers before the next do.
//
// The weights are packed once and stay in a processor's cache, and so does everything of the rows in hand: nothing is
// allocated, and threads meet once a step. The numbers are those of Transformer::decode and logits bit for bit, as every row is
// computed by the same kernels in the same order.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "harness/model/cpu/products.h"
#include "harness/model/transformer.h"

namespace harness {

class FusedDecoder {
 public:
  // fp32 on the CPU, weights of at most 4 MiB, no process that holds a share of them.
  static bool fits(const Transformer& model);
  // Packs the weights as they are now: not for use after an update. The model outlives it.
  explicit FusedDecoder(const Transformer& model);

  // One token for each row at given places, no row's at another's: logits [R, V]. `layer_outputs` as Transformer::decode gives
  // them.
  torch::Tensor decode(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions,
                       const std::vector<RowPlace>& places, std::vector<torch::Tensor>* layer_outputs = nullptr) const;

 private:
  // W [N, K] in panels, with all of its product but the rows.
  struct Weight {
    kernels::Product product;
    kernels::ProductPlan plan;
    std::vector<float> packed;

    Weight() = default;
    explicit Weight(const torch::Tensor& w, const torch::Tensor& bias = {});
    // c [rows, N] = a [rows, K] W^T (+ bias, + residual [rows, N]).
    void multiply(const float* a, int64_t rows, float* c, const float* residual = nullptr) const;
  };
  struct Step;
  struct Room;
  void decode_rows(const Step& step, int64_t begin, int64_t rows, Room& room) const;

  const Transformer& model_;
  std::vector<LayerParts<torch::Tensor>> weights_;
  std::vector<LayerParts<Weight>> layers_;  // of the matrices
  Weight head_;
};

}  // namespace harness
