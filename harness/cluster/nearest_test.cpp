#include "harness/cluster/nearest.h"

#include <gtest/gtest.h>

namespace harness {
namespace {

PointBlocks points_of(const std::vector<std::vector<double>>& rows) {
  PointBlocks points(static_cast<int64_t>(rows[0].size()));
  for (const auto& row : rows) points.append(normalised_rows(row, 1, points.dimension()));
  return points;
}

std::vector<double> unit(const std::vector<double>& row) { return normalised_rows(row, 1, static_cast<int64_t>(row.size())); }

TEST(NearestPoints, OfEqualDistanceTheEarliestStoredComesFirst) {
  const PointBlocks points = points_of({{0, 1}, {1, 0}, {2, 0}, {5, 0}, {1, 1}});
  EXPECT_EQ(nearest_points(points, unit({3, 0}), 3), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(nearest_points(points, unit({3, 0}), 9), (std::vector<int64_t>{1, 2, 3, 4, 0}));
}

TEST(NearestPoints, ARowOfZerosIsAtCosineDistanceOne) {
  const PointBlocks points = points_of({{-1, 0}, {0, 0}, {1, 1}});
  EXPECT_EQ(nearest_points(points, unit({1, 0}), 3), (std::vector<int64_t>{2, 1, 0}));
  EXPECT_EQ(nearest_points(points, std::vector<double>{0, 0}, 3), (std::vector<int64_t>{0, 1, 2}));
}

TEST(NearestVote, TheMajorityWinsAndATieGoesByTheRule) {
  const PointBlocks points = points_of({{1, 0}, {1, 0.1}, {1, 0.2}, {0, 1}});
  const std::vector<double> query = unit({1, 0});
  EXPECT_EQ(nearest_vote(points, std::vector<int64_t>{0, 1, 1, -1}, query, 3), 1);
  const std::vector<int64_t> tied = {1, 2, 0, -1};
  EXPECT_EQ(nearest_vote(points, tied, query, 3), 0);
  EXPECT_EQ(nearest_vote(points, tied, query, 3, VoteTie::largest), 2);
  EXPECT_EQ(nearest_vote(points, tied, query, 3, VoteTie::nearest), 1);
  EXPECT_EQ(nearest_vote(points, tied, query, 4), -1) << "noise is a label like any other, and the smallest";
}

TEST(NearestVote, NoPointsGiveNoLabel) {
  EXPECT_EQ(nearest_vote(PointBlocks(2), {}, std::vector<double>{1, 0}, 3), std::nullopt);
}

}  // namespace
}  // namespace harness
