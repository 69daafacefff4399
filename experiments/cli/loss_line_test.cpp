#include "experiments/lines/loss_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "experiments/cli/every_method.h"
#include "harness/core/error.h"
#include "harness/core/files.h"

namespace experiments {
namespace {

using harness::Json;

// The answers of a method to the lines, as `inspect loss` gives them.
std::vector<harness::OrderedJson> answers(const std::string& method, const std::string& base,
                                          const std::vector<std::string>& settings, const std::vector<Json>& lines) {
  harness::Config user;
  user.set("method.name", method, "test");
  if (!base.empty()) user.set("base", base, "test");
  for (const std::string& assignment : settings) user.set(assignment, "test");
  const harness::Config config = every_method().with_base(user);
  harness::ConfigReader keys(config);
  harness::MethodStack stack = every_method().make_stack(keys);
  const harness::LossSettings loss = harness::read_loss_settings(keys, 0);
  std::vector<harness::OrderedJson> out;
  for (const Json& json : lines) {
    LossLine line = read_loss_line(json, stack.needs(), loss.kl_coef > 0);
    line.tokens.update = static_cast<int64_t>(out.size());
    line.step.step = line.tokens.update + 1;
    out.push_back(answer_loss_line(line, stack, loss));
  }
  return out;
}

double largest_difference(const Json& a, const Json& b, double scale) {
  if (a.is_number()) return std::abs(a.get<double>() - b.get<double>()) / scale;
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, largest_difference(a[i], b[i], scale));
  return largest;
}

double magnitude(const Json& value) {
  if (value.is_number()) return std::abs(value.get<double>());
  double largest = 0;
  for (const Json& part : value) largest = std::max(largest, magnitude(part));
  return largest;
}

TEST(InspectLoss, AgreesWithIndependentPyTorchCodeForEveryMethod) {
  const Json golden = harness::parse_json(harness::read_file(MEDSBENCH_TEST_DATA "/method_losses.json"));
  ASSERT_GE(golden["cases"].size(), 40U);
  for (const Json& example : golden["cases"]) {
    const std::string method = example["method"], base = example["base"];
    const std::vector<Json> lines = golden[example["lines"].get<std::string>()].get<std::vector<Json>>();
    const std::vector<harness::OrderedJson> found = answers(method, base, example["set"], lines);
    for (size_t i = 0; i < lines.size(); ++i) {
      const Json answer = harness::parse_json(found[i].dump());
      for (const auto& [key, expected] : example["expected"][i].items()) {
        ASSERT_TRUE(answer.contains(key)) << method << " " << key;
        EXPECT_LT(largest_difference(answer[key], expected, std::max(magnitude(expected), 1e-6)), 1e-10)
            << method << " on " << base << ", line " << i << ", " << key;
      }
    }
  }
}

Json small_line() {
  return harness::parse_json(R"({"groups": [1, 2, 1, 2], "rewards": [1, 0, 0, 1], "correct": [true, false, false, true],
    "mask": [[1, 1], [1, 0], [1, 1], [1, 1]], "log_probs": [[-1, -1], [-1, 5], [-1, -1], [-1, -1]],
    "old_log_probs": [[-1, -1], [-1, 7], [-1, -1], [-1, -1]]})");
}

TEST(InspectLoss, PutsGroupsThatAreNotSideBySideTogetherAndBack) {
  const harness::OrderedJson answer = answers("dapo", "", {}, {small_line()})[0];
  const double expected = 0.5 / (std::sqrt(0.5) + 1e-6);
  EXPECT_NEAR(answer["advantages"][0][0].get<double>(), expected, 1e-12);
  EXPECT_NEAR(answer["advantages"][1][0].get<double>(), -expected, 1e-12);
  EXPECT_EQ(answer["advantages"][1][1].get<double>(), 0);
  EXPECT_EQ(answer["grad_log_probs"][1][1].get<double>(), 0);
  EXPECT_FALSE(answer.contains("selected"));
  EXPECT_FALSE(answer.contains("grad_entropies"));
}

std::string refusal(const std::string& method, const std::string& base, const Json& line) {
  try {
    (void)answers(method, base, {}, {line});
  } catch (const harness::Error& error) {
    return error.what();
  }
  return "";
}

TEST(InspectLoss, RefusesALineThatLacksWhatTheMethodNeeds) {
  EXPECT_THAT(refusal("entropy_bonus", "dapo", small_line()), testing::HasSubstr("\"entropies\""));
  EXPECT_THAT(refusal("entropy_advantage", "dapo", small_line()), testing::HasSubstr("\"entropies\""));
  EXPECT_THAT(refusal("outcome_exploration", "dapo", small_line()), testing::HasSubstr("\"answers\""));
  EXPECT_THAT(refusal("uniqueness", "dapo", small_line()), testing::HasSubstr("\"fingerprints\""));
  EXPECT_THAT(refusal("edas", "dapo", small_line()), testing::HasSubstr("\"answers\""));
  EXPECT_THAT(refusal("lp_reg", "dapo", small_line()), testing::HasSubstr("\"old_top_log_probs\""));
  EXPECT_THAT(refusal("grpo", "grpo", small_line()), testing::HasSubstr("\"ref_log_probs\""));
}

TEST(InspectLoss, SaysWhichRowHasAWrongShape) {
  Json line = small_line();
  line["log_probs"][2] = {-1};
  EXPECT_THAT(refusal("dapo", "dapo", line), testing::HasSubstr("row 2"));
  line = small_line();
  line["most_likely"] = line["mask"];
  line["old_top_log_probs"] = std::vector<Json>(4, harness::parse_json("[[-1, -2], [-1, -2]]"));
  line["old_top_log_probs"][3] = harness::parse_json("[[-1, -2], [-1]]");
  EXPECT_THAT(refusal("lp_reg", "dapo", line), testing::HasSubstr("expected 2 numbers, found 1"));
  line["old_top_log_probs"][3] = harness::parse_json("[[-1], [-1]]");
  EXPECT_THAT(refusal("lp_reg", "dapo", line), testing::HasSubstr("row 3: expected 2 numbers a place, found 1"));
  line["old_top_log_probs"][3] = 4;
  EXPECT_THAT(refusal("lp_reg", "dapo", line), testing::HasSubstr("row 3: expected a list of lists of numbers, found 4"));
  line["groups"] = {1, 2};
  EXPECT_THAT(refusal("dapo", "dapo", line), testing::HasSubstr("\"groups\""));
  EXPECT_THAT(refusal("dapo", "dapo", Json(3)), testing::HasSubstr("object"));
}

}  // namespace
}  // namespace experiments
