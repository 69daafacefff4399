// Matrix products, compiled once an instruction set: the includer defines MEDSBENCH_KERNEL_SET (a namespace name) and
// MEDSBENCH_VECTOR_BYTES (of one register).
#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>
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
constexpr int64_t kPackedStride = 1024;  // rows further apart than this are copied before they are broadcast

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

ProductPlan plan(const Product& p) {
  ProductPlan out;
  out.columns_packed = p.columns <= p.rows || p.b_depth != 1;
  const int64_t vectors = ((out.columns_packed ? p.columns : p.rows) + kWidth - 1) / kWidth;
  out.panels = (vectors + kMostVectors - 1) / kMostVectors;
  const bool in_place = out.columns_packed && p.b_column == 1 && p.columns % kWidth == 0;
  out.packed_size = in_place ? 0 : vectors * kWidth * p.depth;
  out.tile = kTile;
  return out;
}

// A square of kWidth rows turned over its diagonal: blocks of `kStep` off the diagonal change places.
template <int64_t kStep>
void transpose_stage(Vector* rows) {
  Lanes low, high;
  for (int64_t l = 0; l < kWidth; ++l) {
    low[l] = static_cast<int32_t>((l & kStep) != 0 ? kWidth + l - kStep : l);
    high[l] = static_cast<int32_t>((l & kStep) != 0 ? kWidth + l : l + kStep);
  }
  for (int64_t i = 0; i < kWidth; ++i) {
    if ((i & kStep) != 0) continue;
    const Vector a = rows[i], b = rows[i + kStep];
    rows[i] = __builtin_shuffle(a, b, low);
    rows[i + kStep] = __builtin_shuffle(a, b, high);
  }
}

void transpose(Vector* rows) {
  if constexpr (kWidth > 8) transpose_stage<8>(rows);
  if constexpr (kWidth > 4) transpose_stage<4>(rows);
  transpose_stage<2>(rows);
  transpose_stage<1>(rows);
}

// out[k * stride + lane] = in[lane * row + k * step] for `lanes` lanes (the rest 0) and every k < depth.
void pack_vector(const float* in, int64_t row, int64_t step, int64_t lanes, int64_t depth, float* out, int64_t stride) {
  int64_t k = 0;
  if (step == 1 && lanes == kWidth) {
    for (; k + kWidth <= depth; k += kWidth) {
      Vector square[kWidth];
      for (int64_t l = 0; l < kWidth; ++l) square[l] = load_vector(in + l * row + k);
      transpose(square);
      for (int64_t l = 0; l < kWidth; ++l) store_vector(out + (k + l) * stride, square[l]);
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
  const int64_t size = plan.columns_packed ? p.columns : p.rows;
  const float* in = plan.columns_packed ? p.b : p.a;
  const int64_t row = plan.columns_packed ? p.b_column : p.a_row, step = plan.columns_packed ? p.b_depth : p.a_depth;
  for (int64_t index = begin; index < end; ++index) {
    const Panel panel = panel_at(size, plan.panels, index);
    for (int64_t v = 0; v < panel.vectors; ++v) {
      const int64_t first = (panel.begin + v) * kWidth;
      pack_vector(in + first * row, row, step, std::min(kWidth, size - first), p.depth,
                  packed + panel.begin * kWidth * p.depth + v * kWidth, panel.vectors * kWidth);
    }
  }
}

// The side that is broadcast: the rows of one tile. Missing rows repeat the last; their sums are not stored.
struct Broadcast {
  const float* row[kTile];
};

template <int64_t kVectors, bool kContiguous>
void multiply(const Broadcast& broadcast, int64_t step, const float* panel, int64_t stride, int64_t depth,
              Vector (&sum)[kTile][kVectors]) {
  Vector local[kTile][kVectors];
  for (int64_t r = 0; r < kTile; ++r) {
    for (int64_t v = 0; v < kVectors; ++v) local[r][v] = sum[r][v];
  }
  for (int64_t k = 0; k < depth; ++k, panel += stride) {
    Vector b[kVectors];
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) b[v] = load_vector(panel + v * kWidth);
#pragma GCC unroll 8
    for (int64_t r = 0; r < kTile; ++r) {
      const float a = broadcast.row[r][kContiguous ? k : k * step];
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v) local[r][v] += a * b[v];
    }
  }
  for (int64_t r = 0; r < kTile; ++r) {
    for (int64_t v = 0; v < kVectors; ++v) sum[r][v] = local[r][v];
  }
}

// Sums of one tile against one panel where columns are packed: a tile's rows are rows of c.
template <int64_t kVectors>
void store_rows(const Product& p, const Vector (&sum)[kTile][kVectors], int64_t row, int64_t rows, int64_t column,
                bool finished) {
  for (int64_t r = 0; r < rows; ++r) {
    float* c = p.c + (row + r) * p.c_row + column;
    const float* residual = p.residual == nullptr ? nullptr : p.residual + (row + r) * p.c_row + column;
    for (int64_t v = 0; v < kVectors; ++v) {
      const int64_t first = column + v * kWidth, lanes = std::min(kWidth, p.columns - first);
      Vector value = sum[r][v];
      if (lanes == kWidth) {
        if (finished && p.bias != nullptr) value += load_vector(p.bias + first);
        if (finished && residual != nullptr) value += load_vector(residual + v * kWidth);
        store_vector(c + v * kWidth, value);
        continue;
      }
      for (int64_t l = 0; l < lanes; ++l) {
        float element = value[l];
        if (finished && p.bias != nullptr) element += p.bias[first + l];
        if (finished && residual != nullptr) element += residual[v * kWidth + l];
        c[v * kWidth + l] = element;
      }
    }
  }
}

template <int64_t kVectors>
void load_rows(const Product& p, Vector (&sum)[kTile][kVectors], int64_t row, int64_t rows, int64_t column) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* c = p.c + (row + r) * p.c_row + column;
    for (int64_t v = 0; v < kVectors; ++v) {
      const int64_t lanes = std::min(kWidth, p.columns - column - v * kWidth);
      if (lanes == kWidth) {
        sum[r][v] = load_vector(c + v * kWidth);
      } else {
        for (int64_t l = 0; l < lanes; ++l) sum[r][v][l] = c[v * kWidth + l];
      }
    }
  }
}

// Rows of a: in place, or a copy of a few of them where their elements lie far apart.
struct Rows {
  const float* data = nullptr;  // of the first row
  int64_t row = 0, step = 1;
};

template <int64_t kVectors>
void panel_of_columns(const Product& p, const Rows& a, const float* panel, int64_t stride, int64_t column, int64_t depth_begin,
                      int64_t depth, int64_t begin, int64_t end) {
  const bool finished = depth_begin + depth == p.depth;
  for (int64_t row = begin; row < end; row += kTile) {
    const int64_t rows = std::min(kTile, end - row);
    Broadcast broadcast;
    for (int64_t r = 0; r < kTile; ++r) broadcast.row[r] = a.data + (row - begin + std::min(r, rows - 1)) * a.row;
    Vector sum[kTile][kVectors] = {};
    if (depth_begin > 0 || p.accumulate) load_rows(p, sum, row, rows, column);
    if (a.step == 1) {
      multiply<kVectors, true>(broadcast, 1, panel, stride, depth, sum);
    } else {
      multiply<kVectors, false>(broadcast, a.step, panel, stride, depth, sum);
    }
    store_rows(p, sum, row, rows, column, finished);
  }
}

// Rows are packed: a tile's rows are columns of c, its lanes rows of c.
template <int64_t kVectors>
void panel_of_rows(const Product& p, const float* panel, int64_t row, int64_t begin, int64_t end) {
  const int64_t lanes = std::min(kVectors * kWidth, p.rows - row);
  for (int64_t column = begin; column < end; column += kTile) {
    const int64_t columns = std::min(kTile, end - column);
    Broadcast broadcast;
    for (int64_t r = 0; r < kTile; ++r) broadcast.row[r] = p.b + (column + std::min(r, columns - 1)) * p.b_column;
    Vector sum[kTile][kVectors] = {};
    if (p.accumulate) {
      for (int64_t r = 0; r < columns; ++r) {
        for (int64_t l = 0; l < lanes; ++l) sum[r][l / kWidth][l % kWidth] = p.c[(row + l) * p.c_row + column + r];
      }
    }
    multiply<kVectors, true>(broadcast, 1, panel, kVectors * kWidth, p.depth, sum);
    const float* sums = reinterpret_cast<const float*>(sum);
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
          panel_of_columns<vectors>(p, rows, panel, stride, column, depth_begin, depth, block, block_end);
        });
      }
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
  if (plan.columns_packed) return compute_columns(p, plan, packed, begin, end);
  compute_rows(p, plan, packed, begin, end);
}

}  // namespace

const ProductTable& products() {
  static constexpr ProductTable kProducts{plan, pack, compute};
  return kProducts;
}

}  // namespace harness::kernels::MEDSBENCH_KERNEL_SET
