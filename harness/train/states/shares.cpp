#include "harness/train/states/shares.h"

#include <torch/types.h>

#include <algorithm>
#include <array>

#include "harness/core/error.h"
#include "harness/train/states/host_states.h"

namespace harness {

namespace {

constexpr std::array<std::string_view, 4> kShardNames = {"none", "optimizer", "gradients", "parameters"};

int64_t aligned(int64_t count) { return (count + kShareAlignment - 1) / kShareAlignment * kShareAlignment; }

}  // namespace

std::string_view shard_name(Shard shard) { return kShardNames[static_cast<size_t>(shard)]; }

Shard shard_of(std::string_view name) {
  const auto found = std::find(kShardNames.begin(), kShardNames.end(), name);
  if (found == kShardNames.end()) throw Error("expected one of {}, found {}", fmt::join(kShardNames, ", "), name);
  return static_cast<Shard>(found - kShardNames.begin());
}

std::vector<RowLayout> row_layouts(const Transformer& model, int size) {
  std::vector<RowLayout> layouts;
  for (const ParameterUnit& unit : model.units()) {
    RowLayout layout{unit, {}, {}, 0};
    int64_t end = 0;
    for (size_t i = unit.first; i < unit.last; ++i) {
      layout.begins.push_back(end);
      layout.counts.push_back(model.parameters()[i].value.numel());
      end += aligned(layout.counts.back());
    }
    layout.share = aligned((end + size - 1) / size);
    layouts.push_back(std::move(layout));
  }
  return layouts;
}

std::vector<SharePiece> share_pieces(const std::vector<RowLayout>& layouts, int rank) {
  std::vector<SharePiece> pieces;
  for (size_t u = 0; u < layouts.size(); ++u) {
    const RowLayout& layout = layouts[u];
    const int64_t first = rank * layout.share, last = first + layout.share;
    for (size_t i = 0; i < layout.begins.size(); ++i) {
      const int64_t from = std::max(first, layout.begins[i]), to = std::min(last, layout.begins[i] + layout.counts[i]);
      if (from >= to) continue;
      pieces.push_back({u, layout.unit.first + i, from - layout.begins[i], to - from, from - first});
    }
  }
  return pieces;
}

SharedStates::SharedStates(Transformer& model, Ranks& ranks, Shard shard, torch::Dtype dtype)
    : model_(model),
      ranks_(ranks),
      shard_(shard),
      layouts_(row_layouts(model, ranks.size())),
      pieces_(share_pieces(layouts_, ranks.rank())),
      rows_(layouts_.size()),
      holds_(layouts_.size()) {
  MEDSBENCH_CHECK(shard != Shard::none, "nothing is shared");
  const torch::NoGradGuard no_grad;
  for (size_t u = 0; u < layouts_.size(); ++u) {
    rows_[u] = torch::zeros({layouts_[u].share * ranks_.size()}, model_.parameters()[layouts_[u].unit.first].value.options());
    for (size_t i = 0; i < layouts_[u].begins.size(); ++i) {
      const torch::Tensor& value = model_.parameters()[layouts_[u].unit.first + i].value;
      rows_[u].slice(0, layouts_[u].begins[i], layouts_[u].begins[i] + layouts_[u].counts[i]).copy_(value.reshape({-1}));
    }
    // A master of an fp32 value that stays is the value itself.
    const torch::Tensor share = mine(rows_[u], u);
    const bool same = shard_ != Shard::parameters && share.scalar_type() == dtype;
    values_.push_back(same ? share : share.to(dtype, false, true));
    if (shard_ == Shard::parameters) {
      drop_values(u);
    } else {
      view_values(u);
    }
  }
  if (shard_ >= Shard::gradients) model_.set_hooks(this);
}

SharedStates::~SharedStates() {
  if (model_.hooks() == this) model_.set_hooks(nullptr);
}

void SharedStates::keep_values_on_host() {
  for (torch::Tensor& value : values_) {
    if (shard_ == Shard::parameters) rounded_.push_back(value.to(model_.numerics().dtype, false, true));
    value = on_host(value, value.scalar_type());
  }
}

torch::Tensor SharedStates::mine(const torch::Tensor& row, size_t unit) const {
  const int64_t share = layouts_[unit].share;
  return row.slice(0, ranks_.rank() * share, (ranks_.rank() + 1) * share);
}

void SharedStates::view_values(size_t unit) {
  const RowLayout& layout = layouts_[unit];
  for (size_t i = 0; i < layout.begins.size(); ++i) {
    torch::Tensor& value = model_.parameters()[layout.unit.first + i].value;
    value = rows_[unit].slice(0, layout.begins[i], layout.begins[i] + layout.counts[i]).view(value.sizes());
  }
}

// The parameters keep shape and type and have no numbers.
void SharedStates::drop_values(size_t unit) {
  rows_[unit] = torch::Tensor();
  for (size_t i = layouts_[unit].unit.first; i < layouts_[unit].unit.last; ++i) {
    torch::Tensor& value = model_.parameters()[i].value;
    value = torch::empty(value.sizes(), value.options().device(torch::kMeta));
  }
}

void SharedStates::gather(size_t unit) {
  torch::Tensor& row = rows_[unit];
  if (!row.defined()) {
    row = torch::empty({layouts_[unit].share * ranks_.size()},
                       torch::TensorOptions().dtype(model_.numerics().dtype).device(model_.numerics().device));
  }
  const torch::Tensor& share = rounded_.empty() ? values_[unit] : rounded_[unit];
  if (mine(row, unit).data_ptr() != share.data_ptr()) mine(row, unit).copy_(share);
  ranks_.all_gather(row);
}

torch::Tensor SharedStates::of_piece(const std::vector<torch::Tensor>& shares, const SharePiece& piece) const {
  return shares[piece.unit].slice(0, piece.at, piece.at + piece.count);
}

torch::Tensor SharedStates::value_of(const SharePiece& piece) const {
  if (!rows_[piece.unit].defined()) return of_piece(values_, piece);
  return mine(rows_[piece.unit], piece.unit).slice(0, piece.at, piece.at + piece.count);
}

torch::Tensor SharedStates::gradient_of(const SharePiece& piece) const {
  if (shard_ >= Shard::gradients) return of_piece(gradients_, piece);
  return model_.parameters()[piece.parameter].grad.view({-1}).slice(0, piece.from, piece.from + piece.count);
}

void SharedStates::begin_update() {
  if (shard_ < Shard::gradients) return model_.zero_grad();
  gradients_.clear();
  for (const torch::Tensor& value : values_) {
    gradients_.push_back(
        torch::zeros({value.size(0)}, torch::TensorOptions().dtype(torch::kFloat32).device(model_.numerics().device)));
  }
}

void SharedStates::end_update() {
  const torch::NoGradGuard no_grad;
  gradients_.clear();
  open_row_ = torch::Tensor();
  for (size_t u = 0; u < rounded_.size(); ++u) rounded_[u].copy_(values_[u]);
  if (shard_ == Shard::parameters) return;
  for (size_t u = 0; u < rows_.size(); ++u) gather(u);
}

void SharedStates::leave_whole() {
  for (size_t u = 0; u < rows_.size(); ++u) hold(u);
}

void SharedStates::hold(size_t unit) {
  if (shard_ != Shard::parameters) return;
  if (holds_[unit] == 0) {
    const torch::NoGradGuard no_grad;
    gather(unit);
    view_values(unit);
  }
  ++holds_[unit];
}

void SharedStates::release(size_t unit) noexcept {
  if (shard_ == Shard::parameters && --holds_[unit] == 0) drop_values(unit);
}

void SharedStates::open_gradients(size_t unit) {
  const RowLayout& layout = layouts_[unit];
  MEDSBENCH_CHECK(!gradients_.empty(), "begin_update comes before backward");
  // One row serves all layers; that of a unit of another size goes first.
  const int64_t count = layout.share * ranks_.size();
  if (open_row_.defined() && open_row_.numel() != count) open_row_ = torch::Tensor();
  if (!open_row_.defined()) open_row_ = torch::empty({count}, gradients_[unit].options());
  open_row_.zero_();
  for (size_t i = 0; i < layout.begins.size(); ++i) {
    Parameter& parameter = model_.parameters()[layout.unit.first + i];
    parameter.grad = open_row_.slice(0, layout.begins[i], layout.begins[i] + layout.counts[i]).view(parameter.value.sizes());
  }
}

void SharedStates::close_gradients(size_t unit) {
  const torch::NoGradGuard no_grad;
  for (size_t i = layouts_[unit].unit.first; i < layouts_[unit].unit.last; ++i) model_.parameters()[i].grad = torch::Tensor();
  gradients_[unit].add_(ranks_.reduce_scatter(open_row_));
}

WholeParameters::WholeParameters(const Transformer& model) : model_(model) {
  if (model_.hooks() == nullptr) return;
  for (; held_ < model_.units().size(); ++held_) model_.hooks()->hold(held_);
}

WholeParameters::~WholeParameters() {
  while (held_ > 0) model_.hooks()->release(--held_);
}

}  // namespace harness
