// Matrix products, compiled once an instruction set: the includer defines MEDSBENCH_KERNEL_SET (a namespace name) and
// MEDSBENCH_VECTOR_BYTES (of one register).
#pragma once

#ifdef MEDSBENCH_PAIRS
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

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

// Vectors of panel `index` when `size` elements are spread evenly: where it begins and how many it has.
struct Panel {
  int64_t begin = 0, vectors = 0;
};
Panel panel_at(int64_t size, int64_t panels, int64_t index) {
  const int64_t vectors = (size + kWidth - 1) / kWidth, share = vectors / panels, wider = vectors % panels;
  return {index * share + std::min(index, wider), share + (index < wider ? 1 : 0)};
}

int64_t vectors_in(int64_t size) { return (size + kWidth - 1) / kWidth; }

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

// Rows of a: in place, or a copy of a few of them where their elements lie far apart.
struct Rows {
  const float* data = nullptr;  // of the first row
  int64_t row = 0, step = 1;
};

// One panel of columns, in vectors `stride` floats apart, and a block of the summed index.
struct ColumnPanel {
  const float* data = nullptr;
  int64_t stride = 0, column = 0, depth_begin = 0, depth = 0;
};

// The first `count` elements, the rest 0; all of a vector where there are so many.
Vector load_some(const float* p, int64_t count) {
  if (count >= kWidth) return load_vector(p);
  float elements[kWidth] = {};
  std::memcpy(elements, p, static_cast<size_t>(std::max<int64_t>(0, count)) * sizeof(float));
  return load_vector(elements);
}
void store_some(float* p, Vector value, int64_t count) {
  if (count >= kWidth) return store_vector(p, value);
  float elements[kWidth];
  store_vector(elements, value);
  std::memcpy(p, elements, static_cast<size_t>(std::max<int64_t>(0, count)) * sizeof(float));
}

// Rows row .. row + rows - 1 of c (at most kRows) against one panel. All loops over rows and vectors are unrolled, so that the
// sums stay in registers from the first to the last.
template <int64_t kRows, int64_t kVectors, bool kContiguous, bool kWhole>
void tile_of_rows(const Product& p, const Rows& a, const ColumnPanel& panel, int64_t row, int64_t rows) {
  const float* broadcast[kRows];  // missing rows repeat the last; their sums are not stored
  for (int64_t r = 0; r < kRows; ++r) broadcast[r] = a.data + std::min(r, rows - 1) * a.row;
  const int64_t columns = p.columns - panel.column;
  float* c = p.c + row * p.c_row + panel.column;
  const auto load_at = [columns](const float* from, int64_t v) {
    return kWhole ? load_vector(from + v * kWidth) : load_some(from + v * kWidth, columns - v * kWidth);
  };
  Vector sum[kRows][kVectors] = {};
  if (panel.depth_begin > 0 || p.accumulate) {
#pragma GCC unroll 8
    for (int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v) {
        if (r < rows) sum[r][v] = load_at(c + r * p.c_row, v);
      }
    }
  }
  const float* at = panel.data;
  for (int64_t k = 0; k < panel.depth; ++k, at += panel.stride) {
    Vector b[kVectors];
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) b[v] = load_vector(at + v * kWidth);
#pragma GCC unroll 8
    for (int64_t r = 0; r < kRows; ++r) {
      const float factor = broadcast[r][kContiguous ? k : k * a.step];
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v) sum[r][v] = multiply_add(sum[r][v], factor, b[v]);
    }
  }
  const bool finished = panel.depth_begin + panel.depth == p.depth;
  if (finished && p.bias != nullptr) {
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) {
      const Vector bias = load_at(p.bias + panel.column, v);
#pragma GCC unroll 8
      for (int64_t r = 0; r < kRows; ++r) sum[r][v] += bias;
    }
  }
  if (finished && p.residual != nullptr) {
    const float* residual = p.residual + row * p.c_row + panel.column;
#pragma GCC unroll 8
    for (int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v) {
        if (r < rows) sum[r][v] += load_at(residual + r * p.c_row, v);
      }
    }
  }
#pragma GCC unroll 8
  for (int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) {
      if (r >= rows) continue;
      if constexpr (kWhole) {
        store_vector(c + r * p.c_row + v * kWidth, sum[r][v]);
      } else {
        store_some(c + r * p.c_row + v * kWidth, sum[r][v], columns - v * kWidth);
      }
    }
  }
}

template <int64_t kVectors, bool kContiguous, bool kWhole>
void tiles_of_rows(const Product& p, const Rows& a, const ColumnPanel& panel, int64_t begin, int64_t end) {
  int64_t row = begin;
  const auto from = [&] { return Rows{a.data + (row - begin) * a.row, a.row, a.step}; };
  for (; row + kTile <= end; row += kTile) {
    tile_of_rows<kTile, kVectors, kContiguous, kWhole>(p, from(), panel, row, kTile);
  }
  const int64_t rows = end - row;
  if (rows == 0) return;
  if (rows == 1) return tile_of_rows<1, kVectors, kContiguous, kWhole>(p, from(), panel, row, rows);
  if (rows == 2) return tile_of_rows<2, kVectors, kContiguous, kWhole>(p, from(), panel, row, rows);
  if (rows <= 4) return tile_of_rows<4, kVectors, kContiguous, kWhole>(p, from(), panel, row, rows);
  tile_of_rows<kTile, kVectors, kContiguous, kWhole>(p, from(), panel, row, rows);
}

template <int64_t kVectors>
void panel_of_columns(const Product& p, const Rows& a, const ColumnPanel& panel, int64_t begin, int64_t end) {
  const bool whole = panel.column + kVectors * kWidth <= p.columns;
  if (a.step == 1) {
    return whole ? tiles_of_rows<kVectors, true, true>(p, a, panel, begin, end)
                 : tiles_of_rows<kVectors, true, false>(p, a, panel, begin, end);
  }
  whole ? tiles_of_rows<kVectors, false, true>(p, a, panel, begin, end)
        : tiles_of_rows<kVectors, false, false>(p, a, panel, begin, end);
}

// Rows are packed: a tile's rows are columns of c, its lanes rows of c.
template <int64_t kVectors>
void panel_of_rows(const Product& p, const float* panel, int64_t row, int64_t begin, int64_t end) {
  const int64_t lanes = std::min(kVectors * kWidth, p.rows - row);
  for (int64_t column = begin; column < end; column += kTile) {
    const int64_t columns = std::min(kTile, end - column);
    const float* broadcast[kTile];
    for (int64_t r = 0; r < kTile; ++r) broadcast[r] = p.b + (column + std::min(r, columns - 1)) * p.b_column;
    Vector sum[kTile][kVectors] = {};
    for (int64_t k = 0; k < p.depth; ++k) {
#pragma GCC unroll 8
      for (int64_t r = 0; r < kTile; ++r) {
#pragma GCC unroll 4
        for (int64_t v = 0; v < kVectors; ++v) {
          sum[r][v] = multiply_add(sum[r][v], broadcast[r][k], load_vector(panel + (k * kVectors + v) * kWidth));
        }
      }
    }
    float sums[kTile * kVectors * kWidth];
#pragma GCC unroll 8
    for (int64_t r = 0; r < kTile; ++r) {
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v) store_vector(sums + (r * kVectors + v) * kWidth, sum[r][v]);
    }
    for (int64_t l = 0; l < lanes; ++l) {
      float* c = p.c + (row + l) * p.c_row + column;
      for (int64_t r = 0; r < columns; ++r) {
        float element = sums[r * kVectors * kWidth + l];
        if (p.bias != nullptr) element += p.bias[column + r];
        if (p.residual != nullptr) element += p.residual[(row + l) * p.c_row + column + r];
        c[r] = element;
      }
    }
  }
}

// Calls `body` with the number of vectors as a constant.
template <typename Body>
void by_vectors(int64_t vectors, Body&& body) {
  switch (vectors) {
    case 1:
      return body(std::integral_constant<int64_t, 1>{});
    case 2:
      return body(std::integral_constant<int64_t, 2>{});
    case 3:
      return body(std::integral_constant<int64_t, std::min<int64_t>(3, kMostVectors)>{});
    default:
      return body(std::integral_constant<int64_t, kMostVectors>{});
  }
}

// A few tiles against every panel, so that the side read in place comes from memory once.
constexpr int64_t kBlock = 8 * kTile;

void compute_columns(const Product& p, const ProductPlan& plan, const float* packed, int64_t begin, int64_t end) {
  const bool in_place = plan.packed_size == 0;
  constexpr int64_t kCopyRow = kDepthBlock + 16;  // not a power of two: its rows fall into different sets of the cache
  std::vector<float> copy(p.a_depth > kPackedStride ? static_cast<size_t>(kBlock * kCopyRow) : 0);
  for (int64_t depth_begin = 0; depth_begin < p.depth; depth_begin += kDepthBlock) {
    const int64_t depth = std::min(kDepthBlock, p.depth - depth_begin);
    for (int64_t block = begin; block < end; block += kBlock) {
      const int64_t block_end = std::min(end, block + kBlock);
      Rows rows{p.a + block * p.a_row + depth_begin * p.a_depth, p.a_row, p.a_depth};
      if (!copy.empty()) {
        for (int64_t k = 0; k < depth; ++k) {
          for (int64_t r = 0; r < block_end - block; ++r) {
            copy[static_cast<size_t>(r * kCopyRow + k)] = rows.data[r * rows.row + k * rows.step];
          }
        }
        rows = {copy.data(), kCopyRow, 1};
      }
      for (int64_t index = 0; index < plan.panels; ++index) {
        const Panel at = panel_at(p.columns, plan.panels, index);
        const int64_t column = at.begin * kWidth;
        const float* panel =
            in_place ? p.b + column + depth_begin * p.b_depth : packed + column * p.depth + depth_begin * at.vectors * kWidth;
        const int64_t stride = in_place ? p.b_depth : at.vectors * kWidth;
        by_vectors(at.vectors, [&](auto vectors) {
          panel_of_columns<vectors>(p, rows, {panel, stride, column, depth_begin, depth}, block, block_end);
        });
      }
    }
  }
}

// Panels [begin, end), each packed block by block and multiplied with every row.
void compute_panels(const Product& p, const ProductPlan& plan, int64_t begin, int64_t end) {
  alignas(64) float packed[kDepthBlock * kMostVectors * kWidth];
  const int64_t blocks = (p.depth + kDepthBlock - 1) / kDepthBlock,
                share = (p.depth + blocks - 1) / std::max<int64_t>(1, blocks);
  for (int64_t index = begin; index < end; ++index) {
    const Panel at = panel_at(p.columns, plan.panels, index);
    const int64_t column = at.begin * kWidth, stride = at.vectors * kWidth;
    for (int64_t depth_begin = 0; depth_begin < p.depth; depth_begin += share) {
      const int64_t depth = std::min(share, p.depth - depth_begin);
      for (int64_t v = 0; v < at.vectors; ++v) {
        const int64_t first = column + v * kWidth;
        pack_vector(p.b + first * p.b_column + depth_begin, p.b_column, 1, std::min(kWidth, p.columns - first), depth,
                    packed + v * kWidth, stride);
      }
      const Rows rows{p.a + depth_begin * p.a_depth, p.a_row, p.a_depth};
      by_vectors(at.vectors, [&](auto vectors) {
        panel_of_columns<vectors>(p, rows, {packed, stride, column, depth_begin, depth}, 0, p.rows);
      });
    }
  }
}

void compute_rows(const Product& p, const ProductPlan& plan, const float* packed, int64_t begin, int64_t end) {
  for (int64_t block = begin; block < end; block += kBlock) {
    for (int64_t index = 0; index < plan.panels; ++index) {
      const Panel at = panel_at(p.rows, plan.panels, index);
      by_vectors(at.vectors, [&](auto vectors) {
        panel_of_rows<vectors>(p, packed + at.begin * kWidth * p.depth, at.begin * kWidth, block,
                               std::min(end, block + kBlock));
      });
    }
  }
}

void compute(const Product& p, const ProductPlan& plan, const float* packed, int64_t begin, int64_t end) {
  switch (plan.way) {
    case ProductWay::rows_split:
      return compute_columns(p, plan, packed, begin, end);
    case ProductWay::columns_split:
      return compute_panels(p, plan, begin, end);
    case ProductWay::columns_tiled:
      return compute_rows(p, plan, packed, begin, end);
  }
}

}  // namespace

const ProductTable& products() {
  static constexpr ProductTable kProducts{plan, plan_packed, pack, compute};
  return kProducts;
}

}  // namespace harness::kernels::MEDSBENCH_KERNEL_SET
