#include "harness/cluster/hdbscan.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>

#include "harness/cluster/condensed_tree.h"
#include "harness/cluster/distances.h"
#include "harness/cluster/testing.h"
#include "harness/core/error.h"
#include "harness/core/json.h"
#include "harness/core/random.h"

namespace harness {
namespace {

using Labels = std::vector<int64_t>;

Labels labels_of(const std::vector<std::vector<double>>& vectors, HdbscanSettings settings = {}) {
  std::vector<double> rows;
  for (const auto& vector : vectors) rows.insert(rows.end(), vector.begin(), vector.end());
  const auto n = static_cast<int64_t>(vectors.size());
  const auto d = n == 0 ? 0 : static_cast<int64_t>(vectors[0].size());
  return hdbscan(normalised_rows(rows, n, d), n, d, settings);
}

TEST(Hdbscan, UpToThreePointsAreNoise) {
  EXPECT_EQ(labels_of({}), Labels{});
  EXPECT_EQ(labels_of({{1, 0}}), Labels({-1}));
  EXPECT_EQ(labels_of({{1, 0}, {1, 0.1}}), Labels({-1, -1}));
  EXPECT_EQ(labels_of({{1, 0}, {1, 0.1}, {0, 1}}), Labels({-1, -1, -1}));
}

TEST(Hdbscan, IdenticalPointsAreNoise) {
  for (size_t n = 1; n < 40; ++n) EXPECT_EQ(labels_of(std::vector<std::vector<double>>(n, {1, 2, 3})), Labels(n, -1));
}

TEST(Hdbscan, TwoTightPairsAreTwoClusters) {
  EXPECT_EQ(labels_of({{1, 0}, {1, 0.01}, {0, 1}, {0.01, 1}}), Labels({0, 0, 1, 1}));
}

TEST(Hdbscan, APairAndAFarPointAndThreeNearOneFarAreNoise) {
  EXPECT_EQ(labels_of({{1, 0}, {1, 0.01}, {0, 1}}), Labels(3, -1));
  EXPECT_EQ(labels_of({{1, 0}, {1, 0.01}, {1, 0.03}, {0, 1}}), Labels(4, -1));
}

TEST(Hdbscan, TwoGroupsOfExactDuplicatesAreTwoClusters) {
  const Labels labels = labels_of({{1, 0}, {0, 1}, {1, 0}, {0, 1}, {1, 0}, {0, 1}});
  for (size_t i = 2; i < 6; ++i) EXPECT_EQ(labels[i], labels[i % 2]);
  EXPECT_NE(labels[0], labels[1]);
  EXPECT_EQ(*std::min_element(labels.begin(), labels.end()), 0);
}

TEST(Hdbscan, NumbersThatAreNotFiniteAreRefused) {
  const std::vector<double> rows = {1, 2, std::numeric_limits<double>::quiet_NaN(), 4};
  EXPECT_THROW((void)hdbscan(rows, 2, 2), Error);
}

TEST(Hdbscan, EqualsThePackageWithAnExactTreeLabelsIncluded) {
  std::ifstream file(MEDSBENCH_TEST_DATA "/hdbscan.jsonl");
  int cases = 0;
  for (std::string line; std::getline(file, line); ++cases) {
    const Json json = parse_json(line);
    HdbscanSettings settings;
    settings.min_cluster_size = json["min_cluster_size"].get<int>();
    EXPECT_EQ(labels_of(json["vectors"].get<std::vector<std::vector<double>>>(), settings), json["labels"].get<Labels>())
        << "line " << cases + 1;
  }
  EXPECT_EQ(cases, 18);
}

// Vectors of a keyed stream: clustered, with exact duplicates among them where `duplicates`.
std::vector<double> random_rows(uint64_t seed, int64_t n, int64_t d, bool duplicates) {
  const RandomStream stream("cluster test", {seed});
  std::vector<double> rows;
  uint64_t draw = 0;
  const uint64_t centres = 1 + stream.below(draw++, static_cast<uint64_t>(n / 4 + 1));
  for (int64_t i = 0; i < n; ++i) {
    if (duplicates && i > 0 && stream.uniform(draw++) < 0.3) {
      const auto from = static_cast<int64_t>(stream.below(draw++, static_cast<uint64_t>(i)));
      for (int64_t k = 0; k < d; ++k) rows.push_back(rows[static_cast<size_t>(from * d + k)]);
      continue;
    }
    const RandomStream centre("cluster test centre", {seed, stream.below(draw++, centres)});
    for (int64_t k = 0; k < d; ++k) rows.push_back(3 * centre.normal(static_cast<uint64_t>(k)) + 0.1 * stream.normal(draw++));
  }
  return normalised_rows(rows, n, d);
}

RC_GTEST_PROP(Hdbscan, EqualsAPlainTranscriptionOfTheDefinition, ()) {
  const auto seed = *rc::gen::inRange<uint64_t>(0, 1'000'000);
  const auto n = *rc::gen::inRange<int64_t>(2, 60);
  const auto d = *rc::gen::inRange<int64_t>(1, 6);
  HdbscanSettings settings;
  settings.min_cluster_size = *rc::gen::inRange(2, 6);
  settings.min_samples = *rc::gen::inRange(1, 5);
  settings.min_cluster_share = *rc::gen::inRange(0, 8) / 20.0;
  const std::vector<double> rows = random_rows(seed, n, d, *rc::gen::arbitrary<bool>());
  RC_ASSERT(canonical(hdbscan(rows, n, d, settings)) == canonical(plain_hdbscan(rows, n, d, settings)));
}

TEST(Hdbscan, TheSmallestClusterIsAShareOfThePointsWhereThatIsMore) {
  EXPECT_EQ(HdbscanSettings{}.smallest_cluster(1000), 2);
  const HdbscanSettings tenth{.min_cluster_share = 0.1};
  EXPECT_EQ(tenth.smallest_cluster(10), 2);
  EXPECT_EQ(tenth.smallest_cluster(30), 3) << "0.1 * 30 is more than 3 in floating point";
  EXPECT_EQ(tenth.smallest_cluster(31), 4);
  EXPECT_EQ(HdbscanSettings{.min_cluster_share = 1}.smallest_cluster(7), 7);
  // Three pairs and a group of three: with 0.3 of 9 points a cluster, 3 at least, the pairs of the left side are one cluster.
  const std::vector<double> rows = {0, 0.1, 1, 1.1, 2.5, 2.6, 20, 20.1, 20.25};
  EXPECT_EQ(canonical(hdbscan(rows, 9, 1, {.min_cluster_share = 0.3})), (Labels{0, 0, 0, 0, 0, 0, 1, 1, 1}));
}

RC_GTEST_PROP(Hdbscan, IgnoresTheOrderOfItsInputWhereNoDistancesTie, ()) {
  const auto seed = *rc::gen::inRange<uint64_t>(0, 1'000'000);
  const auto n = *rc::gen::inRange<int64_t>(2, 80);
  const std::vector<double> rows = random_rows(seed, n, 4, false);
  const std::vector<int64_t> order = RandomStream("cluster test order", {seed}).permutation(n);
  std::vector<double> shuffled;
  for (const int64_t i : order) shuffled.insert(shuffled.end(), rows.begin() + i * 4, rows.begin() + i * 4 + 4);
  const Labels labels = hdbscan(rows, n, 4);
  const Labels found = hdbscan(shuffled, n, 4);
  Labels expected;
  for (const int64_t i : order) expected.push_back(labels[static_cast<size_t>(i)]);
  RC_ASSERT(canonical(found) == canonical(expected));
}

RC_GTEST_PROP(IncrementalClusters, EqualAFullRefitAtEachStepOfALongHistory, ()) {
  const auto seed = *rc::gen::inRange<uint64_t>(0, 1'000'000);
  const auto d = *rc::gen::inRange<int64_t>(1, 15);
  const int64_t n = 260;
  const std::vector<double> rows = random_rows(seed, n, d, *rc::gen::arbitrary<bool>());
  IncrementalClusters clusters(d);
  for (int64_t size = 0; size < n;) {
    const int64_t m = std::min(*rc::gen::inRange<int64_t>(1, 40), n - size);
    clusters.append(std::span(rows).subspan(static_cast<size_t>(size * d), static_cast<size_t>(m * d)), m);
    size += m;
    PointBlocks points(d);
    for (int64_t i = 0; i < size; ++i)
      points.append(std::span(rows).subspan(static_cast<size_t>(i * d), static_cast<size_t>(d)));
    RC_ASSERT(clusters.tree() == euclidean_tree(points));
    RC_ASSERT(clusters.labels() == hdbscan(std::span(rows).first(static_cast<size_t>(size * d)), size, d));
  }
}

RC_GTEST_PROP(SpanningTree, ExtensionEqualsPrimWhateverTheSizes, ()) {
  const auto seed = *rc::gen::inRange<uint64_t>(0, 1'000'000);
  const auto n = *rc::gen::inRange<int64_t>(1, 90);
  const auto old = *rc::gen::inRange<int64_t>(0, n);
  const std::vector<double> rows = random_rows(seed, n, 3, *rc::gen::arbitrary<bool>());
  PointBlocks points(3);
  for (int64_t i = 0; i < old; ++i) points.append(std::span(rows).subspan(static_cast<size_t>(i * 3), 3));
  const std::vector<TreeEdge> tree = euclidean_tree(points);
  for (int64_t i = old; i < n; ++i) points.append(std::span(rows).subspan(static_cast<size_t>(i * 3), 3));
  std::vector<Join> joins = joins_of(tree, old);
  const std::vector<TreeEdge> extended = extended_tree(points, old, tree, joins);
  RC_ASSERT(extended == euclidean_tree(points));
  const std::vector<Join> expected = joins_of(extended, n);
  RC_ASSERT(old == n || std::equal(joins.begin(), joins.end(), expected.begin(), expected.end(),
                                   [](const Join& x, const Join& y) { return x.a == y.a && x.b == y.b; }));
}

TEST(SquaredDistances, AreThoseOfAPlainLoopBitForBit) {
  const std::vector<double> rows = random_rows(3, 21, 14, false);
  PointBlocks points(14);
  for (int64_t i = 0; i < 21; ++i) points.append(std::span(rows).subspan(static_cast<size_t>(i * 14), 14));
  std::vector<double> out(static_cast<size_t>(points.blocks() * kLanes));
  squared_distances(points.data(), points.blocks(), 14, rows.data(), out.data());
  for (size_t i = 0; i < 21; ++i) {
    volatile double sum = 0;  // one rounding an operation
    for (size_t k = 0; k < 14; ++k) {
      volatile double difference = rows[i * 14 + k] - rows[k];
      volatile double square = difference * difference;
      sum = sum + square;
    }
    EXPECT_EQ(out[i], sum);
  }
}

}  // namespace
}  // namespace harness
