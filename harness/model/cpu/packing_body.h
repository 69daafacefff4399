// What of a matrix product stands in vectors and how it gets there, compiled once an instruction set (see products_body.h).
#pragma once

#ifdef MEDSBENCH_PAIRS
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstring>
#include <utility>

#include "harness/model/cpu/products.h"

namespace harness::kernels::MEDSBENCH_KERNEL_SET {

namespace {

typedef float Vector __attribute__((vector_size(MEDSBENCH_VECTOR_BYTES)));
typedef int32_t Lanes __attribute__((vector_size(MEDSBENCH_VECTOR_BYTES)));
constexpr int64_t kWidth = MEDSBENCH_VECTOR_BYTES / 4;                  // lanes of a vector
constexpr int64_t kMostVectors = MEDSBENCH_VECTOR_BYTES == 64 ? 4 : 2;  // of a panel: as many as the registers hold
constexpr int64_t kTile = MEDSBENCH_VECTOR_BYTES == 16 ? 4 : 6;
constexpr int64_t kDepthBlock = 512;     // of the summed index: a panel's block stays in the second-level cache
constexpr int64_t kDeep = 256;           // of the summed index: beyond it turning the sums costs little
constexpr int64_t kPackedStride = 1024;  // rows further apart than this are copied before they are broadcast

// What a lane holds: a number, or with MEDSBENCH_PAIRS two bf16 that are multiplied and added together (`depth` counts pairs;
// packing only moves them).
#ifdef MEDSBENCH_PAIRS
inline __attribute__((always_inline)) Vector multiply_add(Vector sum, float factor, Vector b) {
  const auto all = reinterpret_cast<__m512bh>(_mm512_set1_ps(factor));
  return reinterpret_cast<Vector>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), all, reinterpret_cast<__m512bh>(b)));
}
#else
inline __attribute__((always_inline)) Vector multiply_add(Vector sum, float factor, Vector b) { return sum + factor * b; }
#endif

Vector load_vector(const float* p) {
  Vector out;
  std::memcpy(&out, p, sizeof out);
  return out;
}
void store_vector(float* p, Vector value) { std::memcpy(p, &value, sizeof value); }

int64_t vectors_in(int64_t size) { return (size + kWidth - 1) / kWidth; }

// Vectors of panel `index` when `size` elements are spread evenly: where it begins and how many it has.
struct Panel {
  int64_t begin = 0, vectors = 0;
};
Panel panel_at(int64_t size, int64_t panels, int64_t index) {
  const int64_t vectors = vectors_in(size), share = vectors / panels, wider = vectors % panels;
  return {index * share + std::min(index, wider), share + (index < wider ? 1 : 0)};
}

bool columns_lie_packed(const Product& p) { return p.b_column == 1 && p.columns % kWidth == 0; }

ProductWay way_of(const Product& p) {
  if (p.b_depth != 1 || p.accumulate || columns_lie_packed(p)) return ProductWay::rows_split;
  if (p.rows < kWidth / 2) return ProductWay::columns_split;
  // Packing a column costs as much as multiplying it with several rows; sums of rows in vectors are turned to be stored.
  return p.rows < p.columns && p.depth >= kDeep ? ProductWay::columns_tiled : ProductWay::rows_split;
}

ProductPlan plan_of(const Product& p, ProductWay way) {
  ProductPlan out;
  out.way = way;
  const int64_t vectors = vectors_in(out.way == ProductWay::columns_tiled ? p.rows : p.columns);
  out.panels = (vectors + kMostVectors - 1) / kMostVectors;
  switch (out.way) {
    case ProductWay::rows_split:
      out.size = p.rows, out.tile = kTile;
      out.packed_size = columns_lie_packed(p) ? 0 : vectors * kWidth * p.depth;
      break;
    case ProductWay::columns_split:
      out.size = out.panels;
      break;
    case ProductWay::columns_tiled:
      out.size = p.columns, out.tile = kTile;
      out.packed_size = vectors * kWidth * p.depth;
      break;
  }
  return out;
}

ProductPlan plan(const Product& p) { return plan_of(p, way_of(p)); }
ProductPlan plan_packed(const Product& p) { return plan_of(p, ProductWay::rows_split); }

// Lanes of two rows kStep apart, of which the blocks of kStep off the diagonal change places. Indices are constants throughout:
// the rows stay in registers.
template <int64_t kStep, bool kHigh>
constexpr int32_t exchanged(int64_t lane) {
  const bool second = (lane & kStep) != 0;
  return static_cast<int32_t>(kHigh ? (second ? kWidth + lane : lane + kStep) : (second ? kWidth + lane - kStep : lane));
}

template <int64_t kStep, size_t kRow, size_t... kLane>
inline __attribute__((always_inline)) void transpose_pair(Vector (&rows)[kWidth], std::index_sequence<kLane...>) {
  if constexpr ((kRow & kStep) == 0) {
    const Vector a = rows[kRow], b = rows[kRow + kStep];
    rows[kRow] = __builtin_shuffle(a, b, Lanes{exchanged<kStep, false>(kLane)...});
    rows[kRow + kStep] = __builtin_shuffle(a, b, Lanes{exchanged<kStep, true>(kLane)...});
  }
}

// A square of kWidth rows `row` floats apart, turned over its diagonal to rows `stride` apart.
template <size_t... kRow>
inline __attribute__((always_inline)) void transpose(const float* in, int64_t row, float* out, int64_t stride,
                                                     std::index_sequence<kRow...> lanes) {
  Vector rows[kWidth];
  ((rows[kRow] = load_vector(in + static_cast<int64_t>(kRow) * row)), ...);
  if constexpr (kWidth > 8) (transpose_pair<8, kRow>(rows, lanes), ...);
  if constexpr (kWidth > 4) (transpose_pair<4, kRow>(rows, lanes), ...);
  (transpose_pair<2, kRow>(rows, lanes), ...);
  (transpose_pair<1, kRow>(rows, lanes), ...);
  (store_vector(out + static_cast<int64_t>(kRow) * stride, rows[kRow]), ...);
}

// out[k * stride + lane] = in[lane * row + k * step] for `lanes` lanes (the rest 0) and every k < depth.
void pack_vector(const float* in, int64_t row, int64_t step, int64_t lanes, int64_t depth, float* out, int64_t stride) {
  int64_t k = 0;
  if (step == 1 && lanes == kWidth) {
    for (; k + kWidth <= depth; k += kWidth) {
      transpose(in + k, row, out + k * stride, stride, std::make_index_sequence<kWidth>());
    }
  }
  if (row == 1 && lanes == kWidth) {
    for (; k < depth; ++k) store_vector(out + k * stride, load_vector(in + k * step));
  }
  for (; k < depth; ++k) {
    for (int64_t l = 0; l < lanes; ++l) out[k * stride + l] = in[l * row + k * step];
    for (int64_t l = lanes; l < kWidth; ++l) out[k * stride + l] = 0;
  }
}

void pack(const Product& p, const ProductPlan& plan, int64_t begin, int64_t end, float* packed) {
  if (plan.packed_size == 0) return;
  const bool rows = plan.way == ProductWay::columns_tiled;
  const int64_t size = rows ? p.rows : p.columns;
  const float* in = rows ? p.a : p.b;
  const int64_t row = rows ? p.a_row : p.b_column, step = rows ? p.a_depth : p.b_depth;
  for (int64_t index = begin; index < end; ++index) {
    const Panel panel = panel_at(size, plan.panels, index);
    for (int64_t v = 0; v < panel.vectors; ++v) {
      const int64_t first = (panel.begin + v) * kWidth;
      pack_vector(in + first * row, row, step, std::min(kWidth, size - first), p.depth,
                  packed + panel.begin * kWidth * p.depth + v * kWidth, panel.vectors * kWidth);
    }
  }
}

}  // namespace

}  // namespace harness::kernels::MEDSBENCH_KERNEL_SET
