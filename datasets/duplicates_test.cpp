#include "datasets/duplicates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "datasets/catalog.h"
#include "datasets/manifest.h"
#include "datasets/published.h"
#include "harness/core/testing.h"

namespace datasets {
namespace {

using harness::error_of;

using ::testing::ElementsAre;
using ::testing::HasSubstr;

harness::ProblemSet set_of(const std::string& name, const std::vector<std::string>& texts) {
  harness::ProblemSet set;
  set.name = name;
  for (const std::string& text : texts) {
    harness::Problem problem;
    problem.id = fmt::format("{}-{}", name, set.problems.size());
    problem.text = text;
    set.problems.push_back(problem);
  }
  return set;
}

constexpr const char* kLong =
    "A farmer has one hundred sheep and sells forty of them at the market before buying back twelve lambs from his neighbour";

TEST(Contamination, CountsSameTextSharedNgramsAndNearDuplicatesApart) {
  const auto train = set_of("train", {kLong, "What is 1+1?"});
  std::string near = kLong;
  near.replace(near.find("neighbour"), 9, "friend");  // 22 words, 18 shingles: the last one differs
  const std::string quoted =
      "Something else entirely is told first. Then: sells forty of them at the market before buying back twelve lambs from "
      "whoever wants to sell them, and so the story goes on for quite a while longer.";
  const auto test = set_of("test", {kLong, near, quoted, "What is 2+2?", "what is\n1 + 1"});
  const Contamination found = check_contamination({train}, test);
  EXPECT_EQ(found.problems, 5);
  EXPECT_EQ(found.same_text, 1);
  EXPECT_EQ(found.ngram, 3);
  EXPECT_EQ(found.near_duplicate, 3);  // the first two, and the last one by its words
  ASSERT_EQ(found.overlaps.size(), 4u);
  EXPECT_EQ(found.overlaps[0].kind, OverlapKind::same_text);
  EXPECT_EQ(found.overlaps[1].kind, OverlapKind::near_duplicate);
  EXPECT_EQ(found.overlaps[1].train_id, "train-0");
  EXPECT_NEAR(found.overlaps[1].jaccard, 17.0 / 19, 1e-12);
  EXPECT_EQ(found.overlaps[2].kind, OverlapKind::ngram);
  EXPECT_EQ(found.overlaps[3].train_id, "train-1");
  EXPECT_EQ(contamination_line({found}), "test 4 of 5 (same text 1, 13-gram 3, near duplicate 3)");
}

TEST(Contamination, IsNothingBetweenUnrelatedTexts) {
  const Contamination found =
      check_contamination({set_of("train", {kLong})}, set_of("test", {"What is the sum of 1 and 2?", ""}));
  EXPECT_TRUE(found.overlaps.empty());
  EXPECT_EQ(contamination_line({found}), "test 0 of 2");
}

TEST(WordsOf, AreRunsOfLettersAndDigitsInLowerCase) {
  EXPECT_THAT(words_of("Let $x_1 = \\frac{2}{3}$; É?"), ElementsAre("let", "x", "1", "frac", "2", "3", "É"));
}

TEST(Manifest, ListsEveryPublishedSetAndSplitOnce) {
  size_t splits = 0;
  for (const PublishedSet& set : published_sets()) {
    for (const std::string& split : set.splits) {
      EXPECT_TRUE(find_entry(set.name, split).has_value()) << set.name << split;
      ++splits;
    }
  }
  EXPECT_EQ(manifest().size(), splits);
  EXPECT_THAT(
      error_of([] { parse_manifest("[[set]]\nname = \"x\"\nsplit = \"test\"\norigin = \"o\"\nlicense = \"MIT\"\n", "m"); }),
      HasSubstr("licence"));
  EXPECT_THAT(
      error_of([] { parse_manifest("[[set]]\nname = \"x\"\nsplit = \"test\"\norigin = \"o\"\ncontent_hash = \"1\"\n", "m"); }),
      HasSubstr("64 hexadecimal digits"));
}

TEST(CheckSet, TellsAnUnverifiedHashFromAVerifiedOneAndFromNone) {
  const auto set = set_of("s", {"P"});
  ManifestEntry entry;
  EXPECT_EQ(check_set(set, entry), CheckResult::unknown);
  entry.content_hash = set.content_hash();
  EXPECT_EQ(check_set(set, entry), CheckResult::matches_unverified);
  entry.verified = true;
  EXPECT_EQ(check_set(set, entry), CheckResult::matches);
  EXPECT_EQ(check_set(set_of("s", {"Q"}), entry), CheckResult::differs);
}

// The published files themselves, where the user has them.
TEST(PublishedFiles, HaveTheProblemsAndHashesOfTheManifest) {
  if (std::getenv("MEDSBENCH_DATA") == nullptr) GTEST_SKIP() << "MEDSBENCH_DATA does not name a folder of published sets";
  int64_t checked = 0;
  for (const ManifestEntry& entry : manifest()) {
    harness::ProblemSet set;
    try {
      set = load_set(entry.name, {}, entry.split);
    } catch (const harness::Error&) {
      continue;  // not among the user's files
    }
    if (entry.content_hash.empty()) continue;
    ++checked;
    EXPECT_EQ(std::ssize(set.problems), entry.problems) << entry.name;
    EXPECT_NE(check_set(set, entry), CheckResult::differs) << entry.name << " " << set.content_hash();
  }
  EXPECT_GT(checked, 0);
}

}  // namespace
}  // namespace datasets
