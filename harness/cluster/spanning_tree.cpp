#include "harness/cluster/spanning_tree.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <numeric>

#include "harness/cluster/disjoint_sets.h"
#include "harness/cluster/distances.h"

namespace harness {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TreeEdge plain_edge(double squared, int64_t u, int64_t v) {
  return {squared, squared, static_cast<int32_t>(std::min(u, v)), static_cast<int32_t>(std::max(u, v))};
}

// The points not yet in Prim's tree, packed: a point that joins gives its place to the last one.
class Outside {
 public:
  explicit Outside(const PointBlocks& points)
      : dimension_(points.dimension()),
        count_(points.size()),
        values_(points.data(), points.data() + points.blocks() * points.dimension() * kLanes),
        length_(static_cast<size_t>(points.blocks() * kLanes)),
        best_(length_.size(), kInfinity),
        source_(best_.size(), 0),
        vertex_(best_.size(), 0),
        query_(static_cast<size_t>(dimension_)) {
    std::iota(vertex_.begin(), vertex_.end(), 0);
  }

  // Takes the point at `slot` out; its coordinates become the query of the next `relax`.
  void take(int64_t slot) {
    double* gone = place(slot);
    double* last = place(count_ - 1);
    for (int64_t k = 0; k < dimension_; ++k) {
      query_[static_cast<size_t>(k)] = gone[k * kLanes];
      gone[k * kLanes] = last[k * kLanes];
      last[k * kLanes] = kInfinity;
    }
    const auto from = static_cast<size_t>(count_ - 1);
    const auto to = static_cast<size_t>(slot);
    taken_ = vertex_[to];
    best_[to] = best_[from];
    source_[to] = source_[from];
    vertex_[to] = vertex_[from];
    best_[from] = kInfinity;
    --count_;
  }

  // Offers the edges of the point just taken, returns the lightest edge out of the tree and its slot.
  std::pair<TreeEdge, int64_t> lightest() {
    const int64_t blocks = (count_ + kLanes - 1) / kLanes;
    squared_distances(values_.data(), blocks, dimension_, query_.data(), length_.data());
    const double least = relax_edges(blocks * kLanes, taken_, length_.data(), best_.data(), source_.data());
    std::pair<TreeEdge, int64_t> lightest{{}, -1};
    for (int64_t slot = 0; slot < count_; slot += kLanes) {  // a block at a time: few hold the smallest length
      bool here = false;
      for (int64_t lane = 0; lane < kLanes; ++lane) here |= best_[static_cast<size_t>(slot + lane)] == least;
      if (here) offer_block(slot, least, lightest);
    }
    return lightest;
  }

 private:
  void offer_block(int64_t begin, double least, std::pair<TreeEdge, int64_t>& lightest) const {
    for (int64_t slot = begin; slot < std::min(begin + kLanes, count_); ++slot) {
      const auto at = static_cast<size_t>(slot);
      if (best_[at] != least) continue;
      const TreeEdge edge = plain_edge(least, source_[at], vertex_[at]);
      if (lightest.second < 0 || edge < lightest.first) lightest = {edge, slot};
    }
  }
  double* place(int64_t slot) { return values_.data() + slot / kLanes * dimension_ * kLanes + slot % kLanes; }

  int64_t dimension_;
  int64_t count_;
  std::vector<double> values_;   // [blocks, D, 8]
  std::vector<double> length_;   // squared, from the point just taken
  std::vector<double> best_;     // squared length of the shortest edge to the tree
  std::vector<int64_t> source_;  // its end in the tree
  std::vector<int64_t> vertex_;  // whose place this is
  std::vector<double> query_;    // [D]
  int64_t taken_ = 0;
};

// Marks the edges from a newcomer (one lane of `direct` [n, 8]) that are the heaviest of a triangle with an edge of the old
// tree: never in the new tree. Needed only where many distances tie.
void drop_heaviest_of_triangles(const std::vector<TreeEdge>& tree, const double* direct, int64_t lane,
                                std::vector<int32_t>& kept) {
  std::vector<char> dropped(tree.size() + 1, 0);
  for (const TreeEdge& edge : tree) {
    const double to_a = direct[edge.a * kLanes + lane];
    const double to_b = direct[edge.b * kLanes + lane];
    const int32_t far = to_a > to_b ? edge.a : edge.b;
    // Newcomers come after a and b, so on a tie the newcomer's edge is the heavier one.
    if (std::max(to_a, to_b) >= edge.squared) dropped[static_cast<size_t>(far)] = 1;
  }
  std::erase_if(kept, [&](int32_t v) { return dropped[static_cast<size_t>(v)] != 0; });
}

// The points of `node` at which the newcomer of `lane` has the distance of the node's nearest one.
void add_nearest_of(int32_t node, int64_t lane, const std::vector<Join>& joins, const double* nearest, int64_t old,
                    std::vector<int32_t>& ends) {
  std::vector<int32_t> open = {node};
  const double least = nearest[node * kLanes + lane];
  while (!open.empty()) {
    const int32_t top = open.back();
    open.pop_back();
    if (top < old) {
      ends.push_back(top);
      continue;
    }
    const Join& join = joins[static_cast<size_t>(top - old)];
    for (const int32_t side : {join.a, join.b}) {
      if (nearest[side * kLanes + lane] == least) open.push_back(side);
    }
  }
}

// Edges between the old points and the newcomers that may be in the new tree: those whose two ends no lighter way through the
// old tree and another newcomer's edge joins.
void add_edges_to_old(const PointBlocks& points, int64_t old, const std::vector<TreeEdge>& tree, const std::vector<Join>& joins,
                      std::vector<TreeEdge>& edges) {
  constexpr size_t kFew = 32;
  std::vector<double> weights(tree.size());
  for (size_t e = 0; e < tree.size(); ++e) weights[e] = tree[e].squared;
  const int64_t nodes = 2 * old - 1;
  std::vector<double> nearest(static_cast<size_t>(nodes * kLanes));
  std::vector<uint8_t> settled(static_cast<size_t>(nodes));
  std::vector<double> block(static_cast<size_t>(points.dimension() * kLanes));
  std::array<std::vector<int32_t>, kLanes> ends;  // by newcomer
  static_assert(sizeof(Join) == 2 * sizeof(int32_t));
  for (int64_t first = old; first < points.size(); first += kLanes) {
    const int64_t lanes = std::min(kLanes, points.size() - first);
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const double* point = points.first(first + lane);
      for (int64_t k = 0; k < points.dimension(); ++k) block[static_cast<size_t>(k * kLanes + lane)] = point[k * kLanes];
    }
    squared_distances_to_block(points.data(), old, points.dimension(), block.data(), nearest.data());
    settle_newcomers(reinterpret_cast<const int32_t*>(joins.data()), weights.data(), old, nearest.data(), settled.data());
    const unsigned used = (1U << lanes) - 1;
    for (std::vector<int32_t>& of_lane : ends) of_lane.clear();
    for (int64_t node = 0; node < nodes; ++node) {
      for (unsigned bits = settled[static_cast<size_t>(node)] & used; bits != 0; bits &= bits - 1) {
        const int lane = std::countr_zero(bits);
        add_nearest_of(static_cast<int32_t>(node), lane, joins, nearest.data(), old, ends[static_cast<size_t>(lane)]);
      }
    }
    for (int64_t lane = 0; lane < lanes; ++lane) {
      std::vector<int32_t>& of_lane = ends[static_cast<size_t>(lane)];
      if (of_lane.size() > kFew) drop_heaviest_of_triangles(tree, nearest.data(), lane, of_lane);
      for (const int32_t v : of_lane)
        edges.push_back(plain_edge(nearest[static_cast<size_t>(v * kLanes + lane)], v, first + lane));
    }
  }
}

void add_edges_between_newcomers(const PointBlocks& points, int64_t old, std::vector<TreeEdge>& edges) {
  const int64_t dimension = points.dimension();
  for (int64_t j = old + 1; j < points.size(); ++j) {
    for (int64_t i = old; i < j; ++i) {
      double sum = 0;
      for (int64_t k = 0; k < dimension; ++k) {
        const double difference = points.first(i)[k * kLanes] - points.first(j)[k * kLanes];
        sum += difference * difference;
      }
      edges.push_back(plain_edge(sum, i, j));
    }
  }
}

// Kruskal's algorithm on edges in ascending order.
std::vector<TreeEdge> lightest_tree(const std::vector<TreeEdge>& edges, int64_t n, std::vector<Join>& joins) {
  DisjointSets sets(n);
  std::vector<int32_t> node(static_cast<size_t>(n));  // of the set with this root
  std::iota(node.begin(), node.end(), 0);
  std::vector<TreeEdge> tree;
  tree.reserve(static_cast<size_t>(n - 1));
  joins.clear();
  joins.reserve(static_cast<size_t>(n - 1));
  for (const TreeEdge& edge : edges) {
    const int32_t a = sets.find(edge.a);
    const int32_t b = sets.find(edge.b);
    if (a == b) continue;
    joins.push_back({node[static_cast<size_t>(a)], node[static_cast<size_t>(b)]});
    node[static_cast<size_t>(sets.join(a, b))] = static_cast<int32_t>(n + static_cast<int64_t>(tree.size()));
    tree.push_back(edge);
    if (static_cast<int64_t>(tree.size()) == n - 1) break;
  }
  return tree;
}

}  // namespace

std::vector<TreeEdge> euclidean_tree(const PointBlocks& points) {
  std::vector<TreeEdge> tree;
  if (points.size() < 2) return tree;
  tree.reserve(static_cast<size_t>(points.size() - 1));
  Outside outside(points);
  outside.take(0);
  for (int64_t step = 1; step < points.size(); ++step) {
    const auto [edge, slot] = outside.lightest();
    tree.push_back(edge);
    outside.take(slot);
  }
  std::sort(tree.begin(), tree.end());
  return tree;
}

std::vector<Join> joins_of(const std::vector<TreeEdge>& tree, int64_t n) {
  std::vector<Join> joins;
  if (n > 1) lightest_tree(tree, n, joins);
  return joins;
}

std::vector<TreeEdge> extended_tree(const PointBlocks& points, int64_t old, const std::vector<TreeEdge>& tree,
                                    std::vector<Join>& joins) {
  if (old == points.size()) return tree;
  std::vector<TreeEdge> added;
  if (old > 0) add_edges_to_old(points, old, tree, joins, added);
  add_edges_between_newcomers(points, old, added);
  std::sort(added.begin(), added.end());
  std::vector<TreeEdge> edges(tree.size() + added.size());
  std::merge(tree.begin(), tree.end(), added.begin(), added.end(), edges.begin());
  return lightest_tree(edges, points.size(), joins);
}

std::vector<TreeEdge> reachability_tree(const PointBlocks& points, int64_t min_samples) {
  const int64_t n = points.size();
  std::vector<TreeEdge> tree;
  if (n < 2) return tree;
  const int64_t rank = std::clamp<int64_t>(min_samples, 1, n - 1);
  std::vector<double> query(static_cast<size_t>(points.dimension()));
  std::vector<double> distance(static_cast<size_t>(points.blocks() * kLanes));
  const auto measure_from = [&](int64_t i) {
    points.copy_point(i, query.data());
    squared_distances(points.data(), points.blocks(), points.dimension(), query.data(), distance.data());
  };
  std::vector<double> core(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    measure_from(i);
    distance[static_cast<size_t>(i)] = -1;  // itself, before all others
    std::nth_element(distance.begin(), distance.begin() + rank, distance.begin() + n);
    core[static_cast<size_t>(i)] = distance[static_cast<size_t>(rank)];
  }
  std::vector<TreeEdge> best(static_cast<size_t>(n), {kInfinity, kInfinity, 0, 0});
  std::vector<char> joined(static_cast<size_t>(n), 0);
  int64_t newest = 0;
  for (int64_t step = 1; step < n; ++step) {
    joined[static_cast<size_t>(newest)] = 1;
    measure_from(newest);
    int64_t next = -1;
    for (int64_t j = 0; j < n; ++j) {
      const auto at = static_cast<size_t>(j);
      if (joined[at] != 0) continue;
      TreeEdge edge = plain_edge(distance[at], newest, j);
      edge.squared = std::max({distance[at], core[at], core[static_cast<size_t>(newest)]});
      if (edge < best[at]) best[at] = edge;
      if (next < 0 || best[at] < best[static_cast<size_t>(next)]) next = j;
    }
    tree.push_back(best[static_cast<size_t>(next)]);
    newest = next;
  }
  std::sort(tree.begin(), tree.end());
  return tree;
}

}  // namespace harness
