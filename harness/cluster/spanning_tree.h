// Minimum spanning trees of points: Prim from nothing, insertion of newcomers, Prim on mutual reachability.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/cluster/points.h"

namespace harness {

// An edge between points a < b, numbered from 0 in the order of appending. Edges are ordered by (squared weight, squared
// distance, a, b): a total order, so the minimum spanning tree is unique whatever way it was found, and where distances tie the
// order of appending decides.
struct TreeEdge {
  double squared = 0;   // squared weight; the squared Euclidean distance unless min_samples > 1
  double distance = 0;  // squared Euclidean distance
  int32_t a = 0;
  int32_t b = 0;

  friend bool operator<(const TreeEdge& x, const TreeEdge& y) {
    if (x.squared != y.squared) return x.squared < y.squared;
    if (x.distance != y.distance) return x.distance < y.distance;
    return x.a != y.a ? x.a < y.a : x.b < y.b;
  }
  friend bool operator==(const TreeEdge&, const TreeEdge&) = default;
};

// The Euclidean minimum spanning tree [n - 1], edges in ascending order. O(n^2 D), no distance matrix.
std::vector<TreeEdge> euclidean_tree(const PointBlocks& points);

// The two nodes that an edge of a tree joins when its edges are taken in ascending order: points 0 .. n-1, and n + e for what
// the e-th edge has made. `a` is the node that holds the edge's a.
struct Join {
  int32_t a = 0;
  int32_t b = 0;
};

// Joins [n - 1] of a tree [n - 1] in ascending order.
std::vector<Join> joins_of(const std::vector<TreeEdge>& tree, int64_t n);

// The same tree for `points` whose first `old` points had the tree `tree` with `joins`, and its joins in their place: O(n m D)
// for m newcomers.
std::vector<TreeEdge> extended_tree(const PointBlocks& points, int64_t old, const std::vector<TreeEdge>& tree,
                                    std::vector<Join>& joins);

// The minimum spanning tree of mutual reachability, max(core a, core b, distance), where core is the distance of the
// `min_samples`-th nearest other point (Campello, Moulavi, Sander 2013; alpha 1). Edges in ascending order.
std::vector<TreeEdge> reachability_tree(const PointBlocks& points, int64_t min_samples);

}  // namespace harness
