// PassRows: the rows of one pass through the model, made once for all its layers and sent to the device in one copy.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "harness/model/cpu/row_kernels.h"
#include "harness/model/ops/kv_store.h"

namespace harness {

namespace ops {
struct AttentionSpan;
namespace gpu {
struct Kernels;
struct SentTasks;
struct SentSpans;
}  // namespace gpu
}  // namespace ops

// R rows, and R' with padding. Rows without places (none, or fewer than R) attend to nothing.
struct PassRows {
  // `ids` and `positions` [R]; positions.size() at most `padded`. One copy to the device.
  static PassRows send(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions, std::vector<RowPlace> places,
                       int64_t padded, kernels::HeadShape shape, torch::Device device);
  // The same for rows that attend to one another by `spans`; `host`: what works on them on the CPU, where only
  // tests send them. With places (of plain rows, KvStore) keys and
  // values are kept as well.
  static PassRows send_packed(const std::vector<int64_t>& ids, const std::vector<int64_t>& positions,
                              const std::vector<ops::AttentionSpan>& spans, std::vector<RowPlace> places, int64_t padded,
                              kernels::HeadShape shape, torch::Device device, const ops::gpu::Kernels* host);

  std::vector<RowPlace> places;
  torch::Tensor ids, positions;  // [R'] int64 on the device, 0 for padding
  // Where attention runs by the kernels of harness/cuda: its tasks, on the device. Then rotation writes keys and values to
  // their places; else attention does.
  std::shared_ptr<const ops::gpu::SentTasks> tasks;
  // Where attention goes by spans: then `tasks` are but the places, null where there are none.
  std::shared_ptr<const ops::gpu::SentSpans> spans;
  bool apart = false;  // no row attends to what another row of the pass stores
};

}  // namespace harness
