// Kernels: the inner loops of clustering, eight points at a time; the same bytes on every instruction set.
#pragma once

#include <cstdint>

namespace harness {

// All kernels read points as PointBlocks lays them out and sum squared differences in index order, one rounding an operation
// (the file is compiled without contraction to fused multiply-add), so scalar, AVX2 and AVX-512 give the same bits.

// out[i] = |point i - query|^2 for the points of `blocks` blocks [blocks, D, 8] -> [blocks * 8].
void squared_distances(const double* points, int64_t blocks, int64_t dimension, const double* query, double* out);

// First block at or after `block` with a value below `bound`, or `blocks`. values: [blocks, 8].
int64_t next_block_below(const double* values, int64_t block, int64_t blocks, double bound);

// One step of Prim's algorithm: `vertex`, at squared `lengths` [count] from the points outside, has joined the tree; each point's
// shortest edge to the tree is kept in best [count] (squared length) and source [count] (vertex of the tree). Of equal lengths
// the smaller source stays. Returns the smallest length.
double relax_edges(int64_t count, int64_t vertex, const double* lengths, double* best, int64_t* source);

// out[i][lane] = |point i - newcomer lane|^2 for i < count: [count, 8]; `newcomers` is one block [D, 8].
void squared_distances_to_block(const double* points, int64_t count, int64_t dimension, const double* newcomers, double* out);

// Minimax distances to eight newcomers over a rooted tree. reach [n, 8] holds the direct squared distances and becomes the
// smallest bottleneck over all ways through the tree. order: vertices, parents first; parent[v] and weight[v]: its edge up.
void spread_bottlenecks(const int32_t* order, const int32_t* parent, const double* weight, int64_t n, double* reach);

// Bit `lane` of out[v] is set where direct[v][lane] <= reach[v][lane], v < n.
void compare_lanes(const double* direct, const double* reach, int64_t n, uint8_t* out);

}  // namespace harness
