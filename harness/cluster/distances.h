// Distances: the inner loops of clustering, eight points at a time; the same bytes on every instruction set.
#pragma once

#include <cstdint>

namespace harness {

// All read points as PointBlocks lays them out and sum squared differences in index order, one rounding an operation
// (the file is compiled without contraction to fused multiply-add), so scalar, AVX2 and AVX-512 give the same bits.

// out[i] = |point i - query|^2 for the points of `blocks` blocks [blocks, D, 8] -> [blocks * 8].
void squared_distances(const double* points, int64_t blocks, int64_t dimension, const double* query, double* out);

// First block at or after `block` with a value below `bound`, or `blocks`. values: [blocks, 8].
int64_t next_block_below(const double* values, int64_t block, int64_t blocks, double bound);

// One step of Prim's algorithm: `vertex`, at squared `lengths` [count] from the points outside, has joined the tree; each
// point's shortest edge to the tree is kept in best [count] (squared length) and source [count] (vertex of the tree). Of equal
// lengths the smaller source stays. Returns the smallest length.
double relax_edges(int64_t count, int64_t vertex, const double* lengths, double* best, int64_t* source);

// out[i][lane] = |point i - newcomer lane|^2 for i < count: [count, 8]; `newcomers` is one block [D, 8].
void squared_distances_to_block(const double* points, int64_t count, int64_t dimension, const double* newcomers, double* out);

// Which edges from eight newcomers to the points of a tree may be in the tree of all. joins [n - 1, 2]: nodes that the e-th
// lightest edge of the tree joins (points 0 .. n-1; node n + e is what it makes), weights [n - 1] their squared weights.
// nearest [2 n - 1, 8]: rows 0 .. n-1 hold the squared distances to the points; row n + e becomes the smallest in that node.
// settled [2 n - 1]: bit `lane` is set where the newcomer's nearest point in this node is nearer than the edge that joins the
// node to the next, and farther than the edge that made it: the edge to that point is needed, or as heavy as one that is.
void settle_newcomers(const int32_t* joins, const double* weights, int64_t n, double* nearest, uint8_t* settled);

}  // namespace harness
