// `inspect memory` and `inspect clusters` from outside: steps in, a saved memory printed, bad lines answered in their place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/testing.h"
#include "tests/program.h"

namespace tests {
namespace {

using harness::Json;
using testing::HasSubstr;

harness::ProcessResult inspect(std::vector<std::string> arguments, const std::string& input = {}) {
  arguments.insert(arguments.begin(), "inspect");
  return medsbench(std::move(arguments), input);
}

class InspectMemory : public testing::Test {
 protected:
  [[nodiscard]] std::string folder() const { return scratch_.path("memory"); }
  const harness::ScratchFolder scratch_;
};

// Two errors of problem "a", two responses each, and one right response.
constexpr const char* kStep = R"({"responses": [{"problem": "a", "correct": false, "fingerprint": [1, 0.00], "answer": "8"},)"
                              R"({"problem": "a", "correct": false, "fingerprint": [1, 0.01], "answer": "9"},)"
                              R"({"problem": "a", "correct": false, "fingerprint": [0.00, 1], "answer": "5"},)"
                              R"({"problem": "a", "correct": false, "fingerprint": [0.01, 1], "answer": "5"},)"
                              R"({"problem": "a", "correct": true, "fingerprint": [1, 1], "answer": "7"}]})"
                              "\n";

TEST_F(InspectMemory, PrintsASavedMemoryWithClustersSizesAndExampleAnswers) {
  const auto run = inspect({"memory", "--save", folder()}, kStep);
  ASSERT_EQ(run.status, 0) << run.err;
  const auto print = inspect({"memory", "--file", folder()});
  ASSERT_EQ(print.status, 0) << print.err;
  const std::vector<Json> lines = lines_of(print.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["correct"], false);
  EXPECT_EQ(lines[0]["vectors"], 4);
  EXPECT_EQ(lines[0]["first_step"], 1);
  EXPECT_EQ(lines[0]["last_step"], 1);
  EXPECT_EQ(lines[0]["clusters"], Json::parse(R"([{"label": 0, "size": 2, "answers": ["8", "9"]},
                                                  {"label": 1, "size": 2, "answers": ["5"]}])"));
  EXPECT_EQ(lines[1]["correct"], true);
  EXPECT_EQ(lines[1]["clusters"], Json::parse(R"([{"label": -1, "size": 1, "answers": ["7"]}])"));
  EXPECT_THAT(print.err, HasSubstr("5 vectors of 2 numbers in 2 histories"));
}

TEST_F(InspectMemory, ABadLineIsAnsweredInItsPlaceAndLeavesTheMemoryAlone) {
  const std::string longer = R"({"responses": [{"problem": "a", "correct": false, "fingerprint": [1, 0, 0]}]})";
  const std::string text = R"({"responses": [{"problem": "a", "correct": false, "fingerprint": [1, "NaN"]}]})";
  const std::string infinite = R"({"responses": [{"problem": "a", "correct": false, "fingerprint": [1, 1e39]}]})";  // as float
  const auto run = inspect({"memory"}, kStep + longer + "\n" + text + "\n" + infinite + "\n{\n" + kStep);
  EXPECT_EQ(run.status, 1);
  const std::vector<Json> lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_THAT(lines[1]["error"].get<std::string>(), HasSubstr("expected a fingerprint of 2 numbers, found one of 3"));
  EXPECT_THAT(lines[2]["error"].get<std::string>(), HasSubstr("expected numbers, found string"));
  EXPECT_THAT(lines[3]["error"].get<std::string>(), HasSubstr("expected a finite fingerprint, found inf"));
  EXPECT_TRUE(lines[4].contains("error"));
  EXPECT_EQ(lines[5]["sizes"], Json({2, 2, 2, 2, 0})) << "only the first step is history";
}

TEST_F(InspectMemory, ADamagedMemoryIsRefusedInOneLineAndLeftAsItIs) {
  ASSERT_EQ(inspect({"memory", "--save", folder()}, kStep).status, 0);
  const std::string vectors = folder() + "/meds-00000.safetensors";
  const std::string cut = harness::read_file(vectors).substr(0, 100);
  harness::write_file_atomically(vectors, cut);
  const auto print = inspect({"memory", "--file", folder()});
  EXPECT_EQ(print.status, 1);
  EXPECT_EQ(print.out, "");
  EXPECT_THAT(print.err, HasSubstr("meds.json: expected the meds-00000.safetensors that was written with it, found another"));
  EXPECT_EQ(std::count(print.err.begin(), print.err.end(), '\n'), 1) << print.err;
  EXPECT_EQ(harness::read_file(vectors), cut);
}

TEST(InspectClusters, VectorsOfDifferingLengthsAndInfiniteOnesAreAnsweredInTheirPlace) {
  const auto run = inspect({"clusters"},
                           "{\"vectors\": [[1, 0], [1]]}\n{\"vectors\": [[1, 0], [1e999, 0]]}\n"
                           "{\"vectors\": [[1, 0], [1, 0.01], [0, 1], [0.01, 1]]}\n{\"vectors\": []}\n");
  EXPECT_EQ(run.status, 1);
  const std::vector<Json> lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_THAT(lines[0]["error"].get<std::string>(), HasSubstr("expected vectors of one length 2, found one of 1"));
  EXPECT_TRUE(lines[1].contains("error"));
  EXPECT_EQ(lines[2]["labels"], Json({0, 0, 1, 1}));
  EXPECT_EQ(lines[3]["labels"], Json::array());
}

}  // namespace
}  // namespace tests
