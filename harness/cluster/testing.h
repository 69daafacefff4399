// A slow, plain transcription of HDBSCAN's definition, to test the fast one against. Header only, for tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "harness/cluster/hdbscan.h"

namespace harness {

// Labels renumbered by first appearance; -1 stays.
inline std::vector<int64_t> canonical(const std::vector<int64_t>& labels) {
  std::map<int64_t, int64_t> names;
  std::vector<int64_t> renamed;
  for (const int64_t label : labels) {
    renamed.push_back(label < 0 ? -1 : names.emplace(label, static_cast<int64_t>(names.size())).first->second);
  }
  return renamed;
}

// A cluster of the definition: a set of points born at a lambda.
struct PlainCluster {
  std::set<int32_t> points;
  double birth = 0;
  double stability = 0;
  std::vector<PlainCluster> children;
};

// All pairs' edges, lightest tree first by Kruskal on plain sets, then the hierarchy taken apart from the top by removing the
// heaviest edge again and again (Campello, Moulavi, Sander 2013, algorithm 1).
class PlainHdbscan {
 public:
  PlainHdbscan(std::span<const double> rows, int64_t n, int64_t d, const HdbscanSettings& settings)
      : n_(n), min_size_(static_cast<size_t>(settings.min_cluster_size)) {
    while (static_cast<double>(min_size_) + 1e-9 < settings.min_cluster_share * static_cast<double>(n)) ++min_size_;
    std::vector<std::vector<double>> squared(static_cast<size_t>(n), std::vector<double>(static_cast<size_t>(n), 0));
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        for (int64_t k = 0; k < d; ++k) {
          const double difference = rows[static_cast<size_t>(i * d + k)] - rows[static_cast<size_t>(j * d + k)];
          squared[static_cast<size_t>(i)][static_cast<size_t>(j)] += difference * difference;
        }
      }
    }
    std::vector<double> core;
    for (int64_t i = 0; i < n; ++i) {
      std::vector<double> others = squared[static_cast<size_t>(i)];
      others.erase(others.begin() + i);
      std::sort(others.begin(), others.end());
      core.push_back(others[static_cast<size_t>(std::min<int64_t>(settings.min_samples, n - 1) - 1)]);
    }
    std::vector<TreeEdge> edges;
    for (int32_t i = 0; i < n; ++i) {
      for (int32_t j = i + 1; j < n; ++j) {
        const double distance = squared[static_cast<size_t>(i)][static_cast<size_t>(j)];
        edges.push_back({std::max({distance, core[static_cast<size_t>(i)], core[static_cast<size_t>(j)]}), distance, i, j});
      }
    }
    std::sort(edges.begin(), edges.end());
    std::vector<int32_t> part(static_cast<size_t>(n));
    for (int32_t i = 0; i < n; ++i) part[static_cast<size_t>(i)] = i;
    for (const TreeEdge& edge : edges) {
      const int32_t from = part[static_cast<size_t>(edge.a)];
      const int32_t to = part[static_cast<size_t>(edge.b)];
      if (from == to) continue;
      std::replace(part.begin(), part.end(), from, to);
      tree_.push_back(edge);
    }
  }

  std::vector<int64_t> labels() {
    PlainCluster root;
    for (int32_t i = 0; i < n_; ++i) root.points.insert(i);
    take_apart(root, root.points, tree_);
    std::vector<int64_t> labels(static_cast<size_t>(n_), -1);
    int64_t next = 0;
    for (PlainCluster& child : root.children) {
      std::vector<const PlainCluster*> chosen;
      (void)choose(child, chosen);
      for (const PlainCluster* cluster : chosen) {
        for (const int32_t point : cluster->points) labels[static_cast<size_t>(point)] = next;
        ++next;
      }
    }
    return labels;
  }

 private:
  // Removes the heaviest of `edges`, which join `points` of `cluster`.
  void take_apart(PlainCluster& cluster, const std::set<int32_t>& points, std::vector<TreeEdge> edges) {
    if (edges.empty()) return;
    const TreeEdge heaviest = edges.back();
    edges.pop_back();
    const double lambda = heaviest.squared > 0 ? 1 / std::sqrt(heaviest.squared) : std::numeric_limits<double>::infinity();
    std::set<int32_t> left = {heaviest.a};
    for (bool grew = true; grew;) {
      grew = false;
      for (const TreeEdge& edge : edges) {
        if (left.contains(edge.a) != left.contains(edge.b)) grew = left.insert(edge.a).second | left.insert(edge.b).second;
      }
    }
    std::set<int32_t> right;
    std::set_difference(points.begin(), points.end(), left.begin(), left.end(), std::inserter(right, right.end()));
    std::vector<std::vector<TreeEdge>> parts(2);
    for (const TreeEdge& edge : edges) parts[left.contains(edge.a) ? 0 : 1].push_back(edge);
    const std::vector<const std::set<int32_t>*> sides = {&left, &right};
    const bool splits = left.size() >= min_size_ && right.size() >= min_size_;
    for (size_t side = 0; side < 2; ++side) {
      const auto size = static_cast<double>(sides[side]->size());
      const bool stays = sides[side]->size() >= min_size_;
      if (splits || !stays) cluster.stability += (lambda - cluster.birth) * size;
      if (splits) {
        PlainCluster child{*sides[side], lambda, 0, {}};
        take_apart(child, *sides[side], parts[side]);
        cluster.children.push_back(child);
      } else if (stays) {
        take_apart(cluster, *sides[side], parts[side]);
      }
    }
  }

  // The most stable clusters at or under this one; their stability (an undefined one keeps the cluster).
  double choose(const PlainCluster& cluster, std::vector<const PlainCluster*>& chosen) {
    std::vector<const PlainCluster*> below;
    float sum = 0;
    for (const PlainCluster& child : cluster.children) sum = static_cast<float>(sum + choose(child, below));
    if (sum > cluster.stability) {
      chosen.insert(chosen.end(), below.begin(), below.end());
      return sum;
    }
    chosen.push_back(&cluster);
    return cluster.stability;
  }

  int64_t n_;
  size_t min_size_;
  std::vector<TreeEdge> tree_;
};

inline std::vector<int64_t> plain_hdbscan(std::span<const double> rows, int64_t n, int64_t d, const HdbscanSettings& settings) {
  return PlainHdbscan(rows, n, d, settings).labels();
}

}  // namespace harness
