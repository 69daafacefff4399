// `judge` against a loopback server: what it asks, keeps, survives and never writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/core/subprocess.h"
#include "harness/core/testing.h"
#include "harness/data/outcome.h"
#include "tests/loopback_server.h"

namespace tests {
namespace {

namespace fs = std::filesystem;
using harness::Json;
using testing::HasSubstr;
using testing::Not;

const char* const kKey = "sk-secret-of-the-test";

ServerReply completion(const std::string& content) {
  Json choice;
  choice["message"] = {{"role", "assistant"}, {"content", content}};
  Json body;
  body["choices"] = Json::array();
  body["choices"].push_back(choice);
  return {200, body.dump()};
}

class JudgeVerb : public testing::Test {
 protected:
  JudgeVerb() : server_([this](const ServerRequest& request) { return answer_(request); }) {
    setenv("MEDSBENCH_JUDGE_KEY", kKey, 1);
  }
  ~JudgeVerb() override { unsetenv("MEDSBENCH_JUDGE_KEY"); }

  // Wrong answers of two problems in two directions each; the text names the direction.
  std::string write_step(const std::string& name, int64_t samples) {
    harness::OutcomeFile file{"math", {}};
    for (const char* problem : {"p", "q"}) {
      for (int64_t sample = 0; sample < samples; ++sample) {
        harness::Outcome one;
        one.set = "made-up";
        one.problem = problem;
        one.sample = sample;
        one.verdicts["math"] = sample == 0 ? harness::Correctness::right : harness::Correctness::wrong;
        one.extracted = one.normalised = std::to_string(sample % 2);
        one.text = sample % 2 == 0 ? "I added." : "I misread \"it\".";
        one.finish = "stop";
        const float x = static_cast<float>(sample) * 0.001F;
        one.fingerprint = sample % 2 == 0 ? std::vector<float>{1, x} : std::vector<float>{x, 1};
        file.outcomes.push_back(one);
      }
    }
    const std::string path = scratch_.path(name + ".jsonl.zst");
    harness::write_outcomes(path, file);
    return path;
  }
  harness::ProcessResult judge(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {MEDSBENCH_PROGRAM, "judge"});
    const std::vector<std::string> more = {"--endpoint",           server_.url() + "/v1", "--model", "m",          "--cache",
                                           scratch_.path("cache"), "--first-wait",        "0.001",   "--attempts", "3"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return harness::run_process(arguments);
  }

  const harness::ScratchFolder scratch_;
  std::function<ServerReply(const ServerRequest&)> answer_ = [](const ServerRequest&) { return completion("{\"rating\": 4}"); };
  LoopbackServer server_;
};

TEST_F(JudgeVerb, RatesEachStepAndEachPairOfNeighboursAndAsksNothingTwice) {
  const std::string a = write_step("a", 6), b = write_step("b", 6);
  const auto first = judge({"diversity", a, b});
  ASSERT_EQ(first.status, 0) << first.err;
  const Json json = harness::parse_json(first.out);
  ASSERT_EQ(json["within"].size(), 2U);
  EXPECT_EQ(json["within"][0]["rating"], 4);
  EXPECT_EQ(json["within"][0]["responses"], 12);
  EXPECT_EQ(json["across"][0]["from"], a);
  EXPECT_EQ(json["across"][0]["to"], b);
  // The two steps hold the same responses: one question for both, one for the pair.
  const auto requests = server_.requests();
  EXPECT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].path, "/v1/chat/completions");
  EXPECT_EQ(requests[0].headers.at("authorization"), std::string("Bearer ") + kKey);
  EXPECT_EQ(harness::parse_json(requests[0].body)["model"], "m");
  EXPECT_THAT(requests[0].body, HasSubstr(R"(I misread \"it\".)"));
  const auto again = judge({"diversity", a, b, "--cached-only"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.out, first.out);
  EXPECT_EQ(server_.requests().size(), 2U);
}

TEST_F(JudgeVerb, NamesErrorsAndSaysHowWellTheClustersAgree) {
  answer_ = [](const ServerRequest& request) {
    return completion(request.body.find("I misread") != std::string::npos ? "```json\n{\"category\": 1}\n```"
                                                                          : "It is {\"category\": 4}.");
  };
  const auto result = judge({"errors", write_step("a", 41)});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = harness::parse_json(result.out);
  EXPECT_EQ(json["judged"], 80);
  EXPECT_EQ(json["categories"].size(), 11U);
  EXPECT_NEAR(json["categories"]["misread the problem"].get<double>(), 0.5, 1e-12);
  EXPECT_NEAR(json["categories"]["arithmetic slip"].get<double>(), 0.5, 1e-12);
  EXPECT_EQ(json["agreement"]["items"], 80);
  EXPECT_GT(json["agreement"]["homogeneity"].get<double>(), 0.9);
}

TEST_F(JudgeVerb, AsksAgainAfter429And500AndBrokenJson) {
  int count = 0;
  for (const ServerReply& fault : {ServerReply{429, "slow down", {"Retry-After: 0"}}, ServerReply{500, "oops"},
                                   ServerReply{200, "{\"choices\": ["}, ServerReply{200, "{\"choices\": []}"}}) {
    fs::remove_all(scratch_.path("cache"));
    count = 0;
    answer_ = [&](const ServerRequest&) { return ++count < 3 ? fault : completion("{\"rating\": 7}"); };
    const auto result = judge({"diversity", write_step("a", 4)});
    EXPECT_EQ(result.status, 0) << fault.status << result.err;
    EXPECT_EQ(count, 3);
    EXPECT_THAT(result.out, HasSubstr("\"rating\":7"));
  }
}

TEST_F(JudgeVerb, GivesUpOnASlowAnswerAndAsksAgain) {
  int count = 0;
  answer_ = [&](const ServerRequest&) {
    ServerReply slow;
    slow.never = true;
    return ++count == 1 ? slow : completion("{\"rating\": 2}");
  };
  const auto result = judge({"diversity", write_step("a", 4), "--timeout", "1"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(count, 2);
}

TEST_F(JudgeVerb, EndsInOneLineWhereTheEndpointRefusesOrStaysBroken) {
  answer_ = [](const ServerRequest&) { return ServerReply{401, std::string("no such key: ") + kKey}; };
  const auto refused = judge({"diversity", write_step("a", 4)});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("HTTP status 401: no such key: ***"));
  EXPECT_EQ(server_.requests().size(), 1U);
  answer_ = [](const ServerRequest&) { return ServerReply{503, "down"}; };
  const auto down = judge({"diversity", write_step("a", 4)});
  EXPECT_EQ(down.status, 1);
  EXPECT_THAT(down.err, testing::EndsWith("medsbench: judge: expected an answer, found HTTP status 503 after 3 attempts\n"));
}

TEST_F(JudgeVerb, CountsAnAnswerWithoutANumberAndKeepsIt) {
  answer_ = [](const ServerRequest&) { return completion("I would rather not. {\"rating\": 99}"); };
  const auto result = judge({"diversity", write_step("a", 4)});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(harness::parse_json(result.out)["within"][0]["rating"], nullptr);
}

TEST_F(JudgeVerb, WritesItsKeyNowhere) {
  const auto result = judge({"diversity", write_step("a", 4), "--out", scratch_.path("judged.json")});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out + result.err, Not(HasSubstr(kKey)));
  int64_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(scratch_.path())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    EXPECT_THAT(harness::read_file(entry.path().string()), Not(HasSubstr(kKey))) << entry.path();
  }
  EXPECT_EQ(files, 3);  // the outcomes, one answer, the result
}

TEST_F(JudgeVerb, WithoutAStoredAnswerAndNothingToSendSaysSo) {
  const auto result = judge({"diversity", write_step("a", 4), "--cached-only"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("expected the stored answer to this question, found none"));
  EXPECT_TRUE(server_.requests().empty());
}

}  // namespace
}  // namespace tests
