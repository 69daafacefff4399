// Matrix products in fp32 on the CPU: every element is one chain of fused multiply-adds over the summed index, in its order.
//
// So an element depends on its own row and column alone: not on how many rows there are, how they are split over threads or
// calls, nor on the instruction set (AVX-512 and AVX2 give the same bits; plain x86-64 has no fused multiply-add and rounds
// twice). A sum continued from an earlier result (`accumulate`) is the chain of the whole: gradients do not depend on how a
// mini-batch is cut into micro-batches.
#pragma once

#include <cstdint>

namespace harness::kernels {

// c [rows, columns] = a [rows, depth] * b [columns, depth]^T, with element strides for each index.
struct Product {
  int64_t rows = 0, columns = 0, depth = 0;
  const float* a = nullptr;
  int64_t a_row = 0, a_depth = 1;
  const float* b = nullptr;
  int64_t b_column = 0, b_depth = 1;
  float* c = nullptr;
  int64_t c_row = 0;                // columns of c lie side by side
  bool accumulate = false;          // the chain starts from c instead of 0
  const float* bias = nullptr;      // [columns], added to the finished sum
  const float* residual = nullptr;  // [rows, columns], strides of c, added to the finished sum
};

// What stands in vectors, and along what the work is split.
enum class ProductWay {
  rows_split,     // columns are packed once, then rows are computed by tiles
  columns_split,  // each panel of columns is packed where it is used, for all rows, which are few
  columns_tiled,  // rows are packed once, columns are read in place and computed by tiles: weights larger than a cache
};

struct ProductPlan {
  ProductWay way = ProductWay::rows_split;
  int64_t packed_size = 0;  // floats; 0: nothing is packed beforehand
  int64_t panels = 0;       // of the side in vectors
  int64_t size = 0;         // of what is split: rows, panels or columns
  int64_t tile = 1;         // of them that are computed together
};

struct ProductTable {
  ProductPlan (*plan)(const Product& product);
  // For columns that are packed once for many calls: rows are split, whatever their number, which may be unknown.
  ProductPlan (*plan_packed)(const Product& product);
  // Packs panels [begin, end) into `packed` [packed_size].
  void (*pack)(const Product& product, const ProductPlan& plan, int64_t begin, int64_t end, float* packed);
  // Computes [begin, end) of what is split; `begin` is a multiple of `tile`.
  void (*compute)(const Product& product, const ProductPlan& plan, const float* packed, int64_t begin, int64_t end);
};

// The table of the best instruction set this processor has (see row_kernels.h), or of a named one for tests ("avx2", "x86-64";
// null where this processor lacks it).
const ProductTable& product_table();
const ProductTable* product_table(const char* instruction_set);

// Of pairs of bf16: a and b of a product are then pairs side by side, depth and strides along it count pairs, c is fp32. Each
// element is one chain of the processor's products of pairs, so a row depends on itself alone here too. Null where the
// processor has none (AVX-512 BF16).
const ProductTable* product_table_bf16();

}  // namespace harness::kernels
