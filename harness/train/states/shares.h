// SharedStates: the training states of a network dealt out among the processes of a run (train.shard).
//
// Every unit of parameters (Transformer::units: the embedding, each layer, the final norm, the head) is one row of numbers: its
// parameters one after another, each flat and beginning at a multiple of kShareAlignment, zeros between and after them, as long
// as N equal shares of a multiple of kShareAlignment. Process r of N has share r of every row. The layout depends on the shapes
// of the parameters and on N alone. Sources: ZeRO (arXiv 1910.02054, its stages 1 to 3), FSDP (arXiv 2304.11277, flat
// parameters).
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/model/transformer.h"
#include "harness/ranks/ranks.h"

namespace harness {

// What a process holds a share of instead of the whole; each value adds to the one before it.
enum class Shard {
  none,
  optimizer,   // fp32 masters and moments; after an update the parameters are gathered
  gradients,   // gradients: a unit's are made whole during the backward pass, then summed over the processes and shared
  parameters,  // parameters, those of the reference too: gathered unit by unit in every pass, and the policy's all at once
               // while responses are sampled, since decoding token by token would gather them for every token
};
// The names of train.shard; another name throws Error.
std::string_view shard_name(Shard shard);
Shard shard_of(std::string_view name);

inline constexpr int64_t kShareAlignment = 64;  // numbers; whole vectors of every instruction set, 128 bytes of bf16

// One unit's row.
struct RowLayout {
  ParameterUnit unit;
  std::vector<int64_t> begins, counts;  // of each parameter of the unit in the row
  int64_t share = 0;                    // numbers of one process
};
// Of every unit of the model, dealt out among `size` processes.
std::vector<RowLayout> row_layouts(const Transformer& model, int size);

// Part of one parameter that lies in one share.
struct SharePiece {
  size_t unit = 0, parameter = 0;
  int64_t from = 0, count = 0;  // numbers from .. from + count - 1 of the flat parameter
  int64_t at = 0;               // where they begin in the share
};
// What lies in the share of process `rank`, unit by unit.
std::vector<SharePiece> share_pieces(const std::vector<RowLayout>& layouts, int rank);

// One process's part. Its calls wait for the same calls of the others; where one has ended they throw Error (Ranks).
class SharedStates final : public PassHooks {
 public:
  // Takes this process's share of `model`'s values in `dtype` (fp32: masters) and, from Shard::gradients on, takes part in its
  // passes until destroyed. Values that stay whole become views of the units' rows.
  SharedStates(Transformer& model, Ranks& ranks, Shard shard, torch::Dtype dtype = torch::kFloat32);
  ~SharedStates() override;
  SharedStates(const SharedStates&) = delete;
  SharedStates& operator=(const SharedStates&) = delete;

  // How states are dealt out, and what of them is this process's.
  [[nodiscard]] Shard shard() const { return shard_; }
  [[nodiscard]] const std::vector<SharePiece>& pieces() const { return pieces_; }
  [[nodiscard]] const std::vector<RowLayout>& layouts() const { return layouts_; }
  // This process's share of each unit's values [share].
  [[nodiscard]] const std::vector<torch::Tensor>& values() const { return values_; }
  // The shares move to CPU memory, gradients stay with the model: what steps them there (train.offload_optimizer). Where
  // parameters are shared, this process's share of them stays with the model too, rounded as the passes read it.
  void keep_values_on_host();
  // Views of a piece, flat: of the share; of the parameter in the model's dtype (the share where the parameter is not here); of
  // the gradient (of the whole one where gradients are not shared).
  [[nodiscard]] torch::Tensor of_piece(const std::vector<torch::Tensor>& shares, const SharePiece& piece) const;
  [[nodiscard]] torch::Tensor value_of(const SharePiece& piece) const;
  [[nodiscard]] torch::Tensor gradient_of(const SharePiece& piece) const;

  // Before the passes of an update: gradients become 0. After it: shared ones are freed, and the model's values are put
  // together from the shares where they stay whole.
  void begin_update();
  void end_update();
  // Puts all parameters together for good.
  void leave_whole();

  void hold(size_t unit) override;
  void release(size_t unit) noexcept override;
  void open_gradients(size_t unit) override;
  void close_gradients(size_t unit) override;

 private:
  [[nodiscard]] torch::Tensor mine(const torch::Tensor& row, size_t unit) const;
  void view_values(size_t unit);
  void drop_values(size_t unit);
  void gather(size_t unit);

  Transformer& model_;
  Ranks& ranks_;
  Shard shard_;
  std::vector<RowLayout> layouts_;
  std::vector<SharePiece> pieces_;        // of this process
  std::vector<torch::Tensor> rows_;       // [size * share] of each unit in the model's dtype; undefined while not here
  std::vector<torch::Tensor> values_;     // [share] of each unit
  std::vector<torch::Tensor> rounded_;    // [share] in the model's dtype beside it; empty where passes gather from values_
  std::vector<torch::Tensor> gradients_;  // [share] fp32; empty where gradients are not shared, and between updates
  std::vector<int64_t> holds_;
  torch::Tensor open_row_;  // whole gradients of the unit that is open
};

// All parameters are here while it lives: for sampling, validation and saving. Nothing where they are always here.
class WholeParameters {
 public:
  explicit WholeParameters(const Transformer& model);
  ~WholeParameters();
  WholeParameters(const WholeParameters&) = delete;
  WholeParameters& operator=(const WholeParameters&) = delete;

 private:
  const Transformer& model_;
  size_t held_ = 0;
};

}  // namespace harness
