// Flat clusters of a spanning tree: single linkage -> condensed tree -> excess of mass (Campello, Moulavi, Sander 2013).
#pragma once

#include <cstdint>
#include <vector>

#include "harness/cluster/spanning_tree.h"

namespace harness {

// Which end of each edge is named first [n - 1]: true where it is b. That end's side becomes the left child of the merge and
// its clusters get the lower numbers. The order is that of exact Boruvka rounds over the tree's own edges: components in
// ascending order of their roots, each proposing its lightest edge as (inside, outside).
std::vector<char> boruvka_orientation(const std::vector<TreeEdge>& tree, int64_t n);

// Labels [n] of the points, -1 is noise: the selection of hdbscan 0.8.44 with cluster_selection_method "eom",
// allow_single_cluster false, cluster_selection_epsilon 0. `tree` holds the n - 1 edges in ascending order, `joins` its joins.
std::vector<int64_t> flat_clusters(const std::vector<TreeEdge>& tree, const std::vector<Join>& joins, int64_t n,
                                   int64_t min_cluster_size);

}  // namespace harness
