// The set errors of the arena: what its kinds are made for, and how its errors are told apart.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "datasets/procedural.h"

namespace datasets {
namespace {

// Of "same" kinds two errors come to one answer by steps that begin otherwise; of "many" kinds one error's answers scatter.
TEST(ArenaErrors, AreTwoWhereTheAnswerIsOneAndOneWhereTheAnswersAreMany) {
  NanoSettings settings;
  settings.slips = 0;  // but for those that are an error's own
  const auto source = arena_demonstrations(0, settings);
  std::map<std::string, std::map<std::string, std::set<std::string>>> answers;  // prompt, strategy -> boxes that came
  std::map<std::string, std::string> kinds;
  for (uint64_t i = 0; i < 40'000; ++i) {
    const Demonstration d = source->draw(i);
    answers[d.prompt][d.strategy].insert(d.response.substr(d.response.find("\\boxed{")));
    kinds[d.prompt] = d.kind;
  }
  int same = 0;
  int scattered = 0;
  for (const auto& [prompt, of] : answers) {
    if (kinds[prompt] == "same2" && of.contains("left_to_right") && of.contains("left_to_right_by_parts")) {
      ++same;
      EXPECT_EQ(of.at("left_to_right").size(), 1u) << prompt;
      EXPECT_EQ(of.at("left_to_right"), of.at("left_to_right_by_parts")) << prompt;
    }
    if (kinds[prompt] == "many1" && of.contains("brackets_ignored") && of.contains("outer_only")) {
      EXPECT_EQ(of.at("outer_only").size(), 1u) << prompt;
      scattered += of.at("brackets_ignored").size() > 1 ? 1 : 0;
    }
  }
  EXPECT_GT(same, 20);
  EXPECT_GT(scattered, 20);
}

TEST(ArenaErrors, AreLabelledByTheirOpening) {
  for (const ProceduralKind& kind : error_kinds()) {
    if (kind.name == "same1") {
      EXPECT_EQ(error_openings(kind.strategies, {7, 2, 8}),
                (std::map<std::string, std::string>{
                    {"7*2=", "bracket_dropped"}, {"2-1=", "bracket_dropped_by_parts"}, {"7*8=", "wrong_factor"}}));
      EXPECT_FALSE(kind.accepts({7, 2, 2}));  // two begin with 7*2
    }
  }
  for (const harness::Problem& problem : make_nano_splits(0).test.at("errors").problems) {
    EXPECT_GE(problem.error_openings.size(), 2u) << problem.text;
    EXPECT_TRUE(problem.error_labels.size() < problem.error_openings.size() || problem.kind.starts_with("many"))
        << problem.text;
  }
  for (const harness::Problem& problem : make_nano_splits(0).test.at("prec").problems)
    EXPECT_TRUE(problem.error_openings.empty());
}

}  // namespace
}  // namespace datasets
