#include "harness/cluster/condensed_tree.h"

#include <cmath>
#include <limits>

#include "harness/cluster/disjoint_sets.h"

namespace harness {

namespace {

// One merge of single linkage. Nodes 0 .. n-1 are the points, node n + e is the merge of the e-th edge.
struct Merge {
  int32_t left = 0;
  int32_t right = 0;
  int32_t size = 0;
  double lambda = 0;  // 1 / distance, infinity for 0
};

std::vector<Merge> single_linkage(const std::vector<TreeEdge>& tree, const std::vector<Join>& joins, int64_t n) {
  const std::vector<char> from_b = boruvka_orientation(tree, n);
  std::vector<Merge> merges(tree.size());
  const auto size_of = [&](int32_t id) { return id < n ? 1 : merges[static_cast<size_t>(id - n)].size; };
  for (size_t e = 0; e < tree.size(); ++e) {
    Merge& merge = merges[e];
    merge.left = from_b[e] != 0 ? joins[e].b : joins[e].a;
    merge.right = from_b[e] != 0 ? joins[e].a : joins[e].b;
    merge.size = size_of(merge.left) + size_of(merge.right);
    merge.lambda = tree[e].squared > 0 ? 1.0 / std::sqrt(tree[e].squared) : std::numeric_limits<double>::infinity();
  }
  return merges;
}

// A cluster of the condensed tree; ids are places in the list, the root is 0, children come after their parents.
struct Cluster {
  int32_t parent = -1;
  int32_t first_child = -1;  // children come in pairs: first_child and first_child + 1
  double birth = 0;
  double stability = 0;
  bool selected = true;
};

class CondensedTree {
 public:
  CondensedTree(const std::vector<Merge>& merges, int64_t n, int64_t min_cluster_size)
      : merges_(merges), points_(n), min_cluster_size_(min_cluster_size), cluster_of_(static_cast<size_t>(n), 0) {
    condense();
  }

  [[nodiscard]] std::vector<int64_t> select() {
    keep_stable_clusters();
    std::vector<int64_t> label_of(clusters_.size(), -1);
    int64_t next = 0;
    for (size_t c = 1; c < clusters_.size(); ++c) {  // parents before children
      const Cluster& cluster = clusters_[c];
      const int64_t above = label_of[static_cast<size_t>(cluster.parent)];
      label_of[c] = cluster.selected ? next++ : above;
    }
    std::vector<int64_t> labels(static_cast<size_t>(points_));
    for (size_t i = 0; i < labels.size(); ++i) labels[i] = label_of[static_cast<size_t>(cluster_of_[i])];
    return labels;
  }

 private:
  [[nodiscard]] int64_t size_of(int32_t node) const {
    return node < points_ ? 1 : merges_[static_cast<size_t>(node - points_)].size;
  }

  // Breadth first, as the reference visits: ids of clusters, and the order in which stabilities are summed, depend on it.
  void condense() {
    std::vector<std::pair<int32_t, int32_t>> queue;  // merge (as a node), its cluster
    queue.reserve(merges_.size());
    clusters_.push_back({});
    if (!merges_.empty()) queue.emplace_back(static_cast<int32_t>(points_ + static_cast<int64_t>(merges_.size()) - 1), 0);
    for (size_t i = 0; i < queue.size(); ++i) {
      const auto [node, cluster] = queue[i];
      const Merge& merge = merges_[static_cast<size_t>(node - points_)];
      const bool left_stays = size_of(merge.left) >= min_cluster_size_;
      const bool right_stays = size_of(merge.right) >= min_cluster_size_;
      if (left_stays && right_stays) {
        const auto first = static_cast<int32_t>(clusters_.size());
        clusters_[static_cast<size_t>(cluster)].first_child = first;
        for (const int32_t child : {merge.left, merge.right}) {
          const auto id = static_cast<int32_t>(clusters_.size());
          leave(cluster, merge.lambda, size_of(child));
          clusters_.push_back({cluster, -1, merge.lambda, 0, true});
          if (child >= points_) queue.emplace_back(child, id);
        }
        continue;
      }
      for (const int32_t child : {merge.left, merge.right}) {
        const bool stays = child == merge.left ? left_stays : right_stays;
        if (!stays) {
          drop_points(child, cluster, merge.lambda);
        } else {
          queue.emplace_back(child, cluster);
        }
      }
    }
  }

  void leave(int32_t cluster, double lambda, int64_t size) {
    Cluster& left = clusters_[static_cast<size_t>(cluster)];
    left.stability += (lambda - left.birth) * static_cast<double>(size);
  }

  // All points under `node` leave their cluster at `lambda`.
  void drop_points(int32_t node, int32_t cluster, double lambda) {
    dropped_.assign(1, node);
    while (!dropped_.empty()) {
      const int32_t last = dropped_.back();
      dropped_.pop_back();
      if (last < points_) {
        cluster_of_[static_cast<size_t>(last)] = cluster;
        leave(cluster, lambda, 1);
      } else {
        dropped_.push_back(merges_[static_cast<size_t>(last - points_)].right);
        dropped_.push_back(merges_[static_cast<size_t>(last - points_)].left);
      }
    }
  }

  // Excess of mass, highest id down, the root excluded. The sum over children is held in single precision before it is
  // compared, and an undefined stability (infinity - infinity) keeps the cluster: the reference does both.
  void keep_stable_clusters() {
    clusters_[0].selected = false;
    for (size_t c = clusters_.size(); c-- > 1;) {
      Cluster& cluster = clusters_[c];
      float children = 0;
      if (cluster.first_child >= 0) {
        for (int32_t child = cluster.first_child; child < cluster.first_child + 2; ++child) {
          children = static_cast<float>(static_cast<double>(children) + clusters_[static_cast<size_t>(child)].stability);
        }
      }
      if (static_cast<double>(children) > cluster.stability) {
        cluster.selected = false;
        cluster.stability = static_cast<double>(children);
      }
    }
    std::vector<char> inside(clusters_.size(), 0);  // of a selected cluster
    for (size_t c = 1; c < clusters_.size(); ++c) {
      const auto parent = static_cast<size_t>(clusters_[c].parent);
      inside[c] = static_cast<char>(inside[parent] != 0 || clusters_[parent].selected);
      if (inside[c] != 0) clusters_[c].selected = false;
    }
  }

  const std::vector<Merge>& merges_;
  int64_t points_;
  int64_t min_cluster_size_;
  std::vector<Cluster> clusters_;
  std::vector<int32_t> cluster_of_;  // [n] the cluster a point left
  std::vector<int32_t> dropped_;
};

}  // namespace

std::vector<char> boruvka_orientation(const std::vector<TreeEdge>& tree, int64_t n) {
  // An edge between two components of the round, which are numbered by their roots, ascending.
  struct Open {
    int32_t a, b, edge;
  };
  std::vector<char> from_b(tree.size(), 0);
  DisjointSets sets(n);
  std::vector<int32_t> roots(static_cast<size_t>(n));
  std::iota(roots.begin(), roots.end(), 0);
  std::vector<Open> open(tree.size());  // ascending
  for (size_t e = 0; e < tree.size(); ++e) open[e] = {tree[e].a, tree[e].b, static_cast<int32_t>(e)};
  std::vector<int32_t> lightest(static_cast<size_t>(n));  // place in `open`
  std::vector<int32_t> number(static_cast<size_t>(n));    // in the next round, by root
  std::vector<int32_t> next(static_cast<size_t>(n));      // the same by number in this round
  while (roots.size() > 1) {
    for (size_t place = open.size(); place-- > 0;) {
      lightest[static_cast<size_t>(open[place].a)] = static_cast<int32_t>(place);
      lightest[static_cast<size_t>(open[place].b)] = static_cast<int32_t>(place);
    }
    for (size_t c = 0; c < roots.size(); ++c) {
      const Open& proposed = open[static_cast<size_t>(lightest[c])];
      const bool inside_b = proposed.b == static_cast<int32_t>(c);
      const int32_t inside = sets.find(roots[c]);
      const int32_t outside = sets.find(roots[static_cast<size_t>(inside_b ? proposed.a : proposed.b)]);
      if (inside == outside) continue;  // the other end has proposed it
      from_b[static_cast<size_t>(proposed.edge)] = static_cast<char>(inside_b);
      sets.join(inside, outside);
    }
    size_t count = 0;
    for (size_t c = 0; c < roots.size(); ++c) next[c] = sets.find(roots[c]);
    for (size_t c = 0; c < roots.size(); ++c) {
      if (next[c] != roots[c]) continue;
      number[static_cast<size_t>(roots[c])] = static_cast<int32_t>(count);
      roots[count++] = roots[c];
    }
    for (size_t c = 0; c < roots.size(); ++c) next[c] = number[static_cast<size_t>(next[c])];
    roots.resize(count);
    size_t kept = 0;
    for (const Open& edge : open) {
      const int32_t a = next[static_cast<size_t>(edge.a)];
      const int32_t b = next[static_cast<size_t>(edge.b)];
      if (a != b) open[kept++] = {a, b, edge.edge};
    }
    open.resize(kept);
  }
  return from_b;
}

std::vector<int64_t> flat_clusters(const std::vector<TreeEdge>& tree, const std::vector<Join>& joins, int64_t n,
                                   int64_t min_cluster_size) {
  const std::vector<Merge> merges = single_linkage(tree, joins, n);
  return CondensedTree(merges, n, min_cluster_size).select();
}

}  // namespace harness
