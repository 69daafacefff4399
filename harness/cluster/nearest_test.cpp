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

TEST(PointsWithin, CountsThoseWithinTheRadius) {
  const PointBlocks points = points_of({{1, 0}, {2, 0}, {3, 4}, {0, 1}, {-1, 0}, {0, 0}});
  // Of the unit rows (1, 0) twice, (0.6, 0.8) at sqrt(0.8), (0, 1) and the row of zeros at sqrt(2), (-1, 0) at 2.
  EXPECT_EQ(points_within(points, unit({1, 0}), 0.1), 2);
  EXPECT_EQ(points_within(points, unit({1, 0}), 0.9), 3);
  EXPECT_EQ(points_within(points, unit({1, 0}), 1.5), 5);
  EXPECT_EQ(points_within(points, unit({1, 0}), 2), 6);
  EXPECT_EQ(points_within(PointBlocks(2), unit({1, 0}), 2), 0);
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
