// The verbs that read lines, from outside: committed inputs against the answers of independent programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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

const std::string kTestdata = std::string(MEDSBENCH_SOURCE_DIR) + "/tests/testdata/";

// Where `found` departs from `expected`, "" nowhere. Objects may hold more fields than expected; numbers agree to
// `tolerance`, absolute below 1 and relative above.
std::string difference(const Json& expected, const Json& found, double tolerance, const std::string& place = "") {
  const auto differs = [&] { return place + ": expected " + expected.dump() + ", found " + found.dump(); };
  if (expected.is_object()) {
    if (!found.is_object()) return differs();
    for (const auto& [key, value] : expected.items()) {
      if (!found.contains(key)) return place + ": expected the field " + key + ", found none";
      const std::string inner = difference(value, found.at(key), tolerance, place + "/" + key);
      if (!inner.empty()) return inner;
    }
    return "";
  }
  if (expected.is_array()) {
    if (!found.is_array() || found.size() != expected.size()) return differs();
    for (size_t i = 0; i < expected.size(); ++i) {
      const std::string inner = difference(expected[i], found[i], tolerance, place + "/" + std::to_string(i));
      if (!inner.empty()) return inner;
    }
    return "";
  }
  if (expected.is_number() && found.is_number()) {
    const double e = expected.get<double>();
    return std::abs(e - found.get<double>()) <= tolerance * std::max(1.0, std::abs(e)) ? "" : differs();
  }
  return expected == found ? "" : differs();
}

struct Golden {
  std::string name;
  double tolerance = 0;
};

void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.name; }

class VerbGolden : public testing::TestWithParam<Golden> {};

TEST_P(VerbGolden, AnswersAsTheIndependentProgramDoes) {
  const Json golden = Json::parse(harness::read_file(kTestdata + GetParam().name + ".json"));
  ASSERT_FALSE(golden.at("runs").empty());
  for (const Json& run : golden.at("runs")) {
    std::vector<std::string> arguments = run.at("arguments");
    std::replace(arguments.begin(), arguments.end(), std::string("MODEL"), kTestdata + "tiny-qwen3");
    std::string input;
    for (const Json& line : run.at("input")) input += line.dump() + "\n";
    const auto result = medsbench(arguments, input);
    EXPECT_EQ(result.status, 0) << run.at("arguments") << result.err;
    EXPECT_EQ(difference(run.at("output"), Json(lines_of(result.out)), GetParam().tolerance), "") << run.at("arguments");
  }
}

std::string name_of(const testing::TestParamInfo<Golden>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Parts, VerbGolden,
                         testing::Values(Golden{"tokens"}, Golden{"clusters"}, Golden{"memory", 1e-12}, Golden{"grade"},
                                         Golden{"score", 1e-12}),
                         name_of);

// One line of the verb between one that is no JSON, one of the wrong type and an empty one, with CRLF and no last newline.
TEST(LineVerbs, AnswerEveryLineInItsPlaceAndExitWithOneAfterABadOne) {
  struct Case {
    std::vector<std::string> arguments;
    std::string line;
  };
  const std::vector<Case> cases = {{{"grade"}, R"({"response": "\\boxed{1}", "answer": "1", "more": [1]})"},
                                   {{"inspect", "clusters"}, R"({"vectors": [[1, 2]]})"},
                                   {{"inspect", "memory"}, R"({"responses": []})"},
                                   {{"inspect", "tokens", "--model", kTestdata + "tiny-qwen3"}, R"({"text": "a"})"}};
  for (const Case& c : cases) {
    const auto result = medsbench(c.arguments, c.line + "\r\nnot JSON\r\n\r\n[1]\n" + c.line);
    EXPECT_EQ(result.status, 1);
    const std::vector<Json> lines = lines_of(result.out);
    ASSERT_EQ(lines.size(), 4u) << result.out;
    EXPECT_EQ(lines[0], lines[3]) << result.out;
    EXPECT_FALSE(lines[0].contains("error")) << result.out;
    for (const size_t bad : {1, 2}) {
      EXPECT_EQ(lines[bad].size(), 1u) << result.out;
      EXPECT_THAT(lines[bad].at("error").get<std::string>(), testing::StartsWith(bad == 1 ? "line 2: " : "line 4: "));
    }
  }
}

TEST(LineVerbs, EndWithStatus130WhenInterruptedWhileTheyWaitForInput) {
  const harness::ScratchFolder folder;
  // The shell holds the pipe open, so that the program waits; its first answer shows that it has begun to.
  const auto result = harness::run_process(
      {"bash", "-c",
       "mkfifo \"$1\" \"$1.out\"; exec 3<>\"$1\"; \"$0\" grade <\"$1\" >\"$1.out\" & pid=$!; "
       "echo '{\"response\": \"\", \"answer\": \"1\"}' >&3; read -r line <\"$1.out\"; kill -INT $pid; wait $pid; "
       "status=$?; exit $status",
       MEDSBENCH_PROGRAM, folder.path("fifo")},
      "");
  EXPECT_EQ(result.status, 130) << result.err;
}

TEST(DataShow, ShowsATestProblemWhereNoSplitIsNamed) {
  const auto result = medsbench({"data", "show", "nano/prec"}, "");
  ASSERT_EQ(result.status, 0) << result.err;
  const std::vector<Json> lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0], lines_of(medsbench({"data", "show", "nano/prec:test"}, "").out).at(0));
  EXPECT_NE(lines[0], lines_of(medsbench({"data", "show", "nano/prec", "--split", "train"}, "").out).at(0));
}

INSTANTIATE_TEST_SUITE_P(Models, VerbGolden,
                         testing::Values(Golden{"logits", 1e-4}, Golden{"fingerprint", 1e-4}, Golden{"generate", 1e-4},
                                         Golden{"loss", 1e-9}),
                         name_of);

TEST(Generate, SamplesDoNotDependOnTheOrderAndCompanyOfLines) {
  const auto lines_of = [](const std::string& input) {
    const auto answer =
        medsbench({"generate", "--model", kTestdata + "tiny-qwen3", "--n", "2", "--max-new-tokens", "12"}, input);
    EXPECT_EQ(answer.status, 0) << answer.out;
    std::istringstream in(answer.out);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  };
  const std::string a = "{\"ids\": [264, 290, 288]}\n", b = "{\"ids\": [264, 290]}\n";
  const auto alone = lines_of(a), second = lines_of(b + a), twice = lines_of(a + b + a);
  ASSERT_EQ(alone.size(), 2u);
  ASSERT_EQ(second.size(), 4u);
  ASSERT_EQ(twice.size(), 6u);
  EXPECT_EQ(std::vector<std::string>(second.begin() + 2, second.end()), alone);
  EXPECT_EQ(std::vector<std::string>(twice.begin(), twice.begin() + 2), alone);
  EXPECT_NE(twice[4], twice[0]) << "a prompt that comes again is sampled anew";
  EXPECT_NE(alone[0], alone[1]);
}

const std::string kBatch = R"({"groups": [0, 0, 0], "rewards": [1, 0, 0], "correct": [true, false, false], )"
                           R"("mask": [[1, 1], [1, 0], [1, 1]], "log_probs": [[-1, -2], [-1, -1], [-0.5, -1]], )"
                           R"("old_log_probs": [[-1, -1], [-2, -1], [-1, -1]])";

TEST(InspectLoss, ReadsResponsesWithoutFingerprintsAsHavingNone) {
  const std::string lines = kBatch + "}\n" + kBatch + "}\n";
  const auto meds = medsbench({"inspect", "loss", "--method", "meds"}, lines);
  const auto dapo = medsbench({"inspect", "loss", "--method", "dapo"}, lines);
  ASSERT_EQ(meds.status, 0) << meds.out;
  const std::vector<Json> expected = lines_of(dapo.out);
  const std::vector<Json> found = lines_of(meds.out);
  ASSERT_EQ(found.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    for (const char* key : {"advantages", "loss", "grad_log_probs"}) EXPECT_EQ(found[i].at(key), expected[i].at(key)) << key;
  }
}

TEST(InspectLoss, RefusesALineThatLacksWhatTheMethodNeeds) {
  const auto result = medsbench({"inspect", "loss", "--method", "entropy_bonus", "--base", "dapo"}, kBatch + "}\n");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, testing::HasSubstr("\\\"entropies\\\""));
}

TEST(InspectLoss, TakesEqualAnswersAsStrategiesWhereTheLinesHaveNoFingerprints) {
  const std::string right = R"({"groups": [0, 0, 0, 0], "rewards": [1, 1, 1, 0], "correct": [true, true, true, false], )"
                            R"("mask": [[1], [1], [1], [1]], "log_probs": [[-1], [-1], [-1], [-1]], )"
                            R"("old_log_probs": [[-1], [-1], [-1], [-1]], "answers": ["3", "3", "2", "9"]})";
  const auto result = medsbench({"inspect", "loss", "--method", "uniqueness", "--base", "dapo"}, right + "\n");
  ASSERT_EQ(result.status, 0) << result.out;
  const double plain = 0.25 / (0.5 + 1e-6);  // rewards 1, 1, 1, 0: mean 3/4, standard deviation 1/2
  const Json expected = {{plain / 2}, {plain / 2}, {plain}, {-3 * plain}};
  EXPECT_EQ(difference(expected, lines_of(result.out).at(0).at("advantages"), 1e-12), "");
}

TEST(ScoreFiles, AreThoseOfOtherProgramsAndWhatIsImportedFromThem) {
  const harness::ScratchFolder folder;
  const std::string goldens = std::string(MEDSBENCH_SOURCE_DIR) + "/harness/exchange/testdata/lm_eval_";
  const auto sums = [&](int run) { return fmt::format("{}{}/samples_sums_2026-01-02T03-04-05.678901.jsonl", goldens, run); };
  const auto theirs = medsbench({"score", sums(1), sums(2), "--filter", "strict-match"});
  ASSERT_EQ(theirs.status, 0) << theirs.err;
  const Json first = lines_of(theirs.out).at(0);
  EXPECT_EQ(first["set"], "sums");
  EXPECT_EQ(first["seeds"], 2);
  EXPECT_EQ(first["pass@k"]["1"]["value"], 3 / 12.0);  // lm_eval: 0.3333 and 0.1667
  const std::string rows = folder.write(
      "rows.toml", fmt::format("verdict.filter = \"strict-match\"\n[[rows]]\nname = \"A\"\nbase_model = \"M\"\nfiles.1 = "
                               "\"{}\"\nfiles.2 = \"{}\"\n",
                               sums(1), sums(2)));
  const auto imported = medsbench({"results", "import", rows, "--out", folder.path("out")});
  EXPECT_EQ(imported.status, 0) << imported.err;
  EXPECT_THAT(imported.err, testing::HasSubstr("1 rows, 2 files, 12 responses; `medsbench table "));
  EXPECT_EQ(medsbench({"table", folder.path("out")}).status, 0);
  EXPECT_EQ(medsbench({"verify", folder.path("out")}).status, 0);
  const auto ours =
      medsbench({"score", folder.path("out/M/A/seed1/outcomes.jsonl.zst"), folder.path("out/M/A/seed2/outcomes.jsonl.zst")});
  EXPECT_EQ(ours.out, theirs.out);
  // Which answer the choice of a pair is, is not known.
  const auto pairs = medsbench({"score", goldens + "1/samples_pairs_2026-01-02T03-04-05.678901.jsonl", "--metric", "acc"});
  EXPECT_EQ(lines_of(pairs.out).at(0)["maj@k"], Json::object()) << pairs.err;
  EXPECT_FALSE(lines_of(pairs.out).at(0)["diversity"].contains("distinct_answers"));
  const auto open = medsbench({"score", sums(1)});
  EXPECT_EQ(open.status, 1);
  EXPECT_THAT(open.err, testing::HasSubstr("expected one filter, found flexible-extract, strict-match"));
}

}  // namespace
}  // namespace tests
