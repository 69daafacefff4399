// Matrix products, compiled once an instruction set: the includer defines MEDSBENCH_KERNEL_SET (a namespace name) and
// MEDSBENCH_VECTOR_BYTES (of one register), and MEDSBENCH_PAIRS for products of pairs of bf16.
#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "harness/model/cpu/packing_body.h"
#include "harness/model/cpu/products.h"

namespace harness::kernels::MEDSBENCH_KERNEL_SET {

namespace {

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
