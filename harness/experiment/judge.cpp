#include "harness/experiment/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/hub/http.h"
#include "harness/metrics/judged.h"

namespace harness {

namespace {

namespace fs = std::filesystem;

// The only places a key may come from; it goes into the request's header and nowhere else.
const char* const kKeyVariables[] = {"MEDSBENCH_JUDGE_KEY", "OPENAI_API_KEY"};

std::string key_of_environment() {
  for (const char* name : kKeyVariables) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

JudgePost post_to(const std::string& endpoint, int64_t timeout) {
  const std::string key = key_of_environment();
  const std::string url = endpoint + (endpoint.ends_with('/') ? "" : "/") + "chat/completions";
  return [key, url, timeout](const std::string& body) {
    JudgeReply result;
    HttpRequest request{url, key};
    request.stall_s = timeout;
    const HttpReply reply = http_post(request, body, [&](int64_t, std::string_view piece) {
      result.body += piece;
      return result.body.size() < (size_t{1} << 24);
    });
    result.status = reply.status;
    result.failure = reply.failure;
    result.retry_after = reply.retry_after;
    if (result.body.empty()) result.body = reply.refusal;
    // A refusal may repeat the key.
    for (size_t at = 0; !key.empty() && (at = result.body.find(key, at)) != std::string::npos;) {
      result.body.replace(at, key.size(), "***");
    }
    return result;
  };
}

void wait(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    check_interrupt();
    std::this_thread::sleep_for(
        std::min<std::chrono::duration<double>>(std::chrono::milliseconds(50), end - std::chrono::steady_clock::now()));
  }
}

// FILE.jsonl.zst, an evaluation's folder, or a training's folder with the responses of its validations.
std::vector<std::string> outcome_files(const std::string& path) {
  if (!fs::is_directory(path)) return {path};
  if (fs::exists(path + "/outcomes.jsonl.zst")) return {path + "/outcomes.jsonl.zst"};
  std::vector<std::string> files;
  if (fs::is_directory(path + "/validation")) {
    for (const auto& entry : fs::directory_iterator(path + "/validation")) {
      if (entry.path().string().ends_with(".jsonl.zst")) files.push_back(entry.path().string());
    }
  }
  if (files.empty()) {
    throw Error("{}: expected outcomes.jsonl.zst or the folder validation of a training with eval.every > 0, found neither",
                path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Texts of the problems, as far as their sets can be loaded.
class ProblemTexts {
 public:
  ProblemTexts(const ProblemCatalog& catalog, const StoredProblemSettings& settings) : problems_(catalog, settings) {}

  std::string operator()(const Outcome& outcome) {
    if (absent_.contains(outcome.set)) return "";
    try {
      const Problem* problem = problems_.find(outcome);
      return problem == nullptr ? "" : fmt::format("{} (right answer: {})", problem->text, problem->answer);
    } catch (const Error& error) {
      absent_.insert(outcome.set);
      fmt::print(stderr, "medsbench: the judge reads no problem texts of {}: {}\n", outcome.set, error.what());
      return "";
    }
  }

 private:
  StoredProblems problems_;
  std::set<std::string> absent_;
};

}  // namespace

Judging judge_responses(const JudgingOptions& options, const ProblemCatalog& catalog) {
  std::vector<JudgedStep> steps;
  std::string grader = options.grader;
  for (const std::string& path : options.paths) {
    for (const std::string& file : outcome_files(path)) {
      OutcomeFile outcomes = read_outcomes(file);
      if (grader.empty()) grader = outcomes.main_grader;
      steps.push_back({file, std::move(outcomes.outcomes)});
    }
  }
  Judge judge(options.judge, post_to(options.endpoint, options.timeout), wait);
  ProblemTexts texts(catalog, options.problems);
  const auto text = [&](const Outcome& outcome) { return texts(outcome); };
  Judging done;
  done.result = {{"version", 1}, {"analysis", options.analysis}, {"model", options.judge.model}};
  if (options.analysis == "diversity") {
    done.result.update(to_json(judge_diversity(judge, steps, options.judged, text)));
  } else {
    std::vector<Outcome> all;
    for (JudgedStep& step : steps) std::move(step.outcomes.begin(), step.outcomes.end(), std::back_inserter(all));
    done.result.update(to_json(judge_errors(judge, std::move(all), grader, options.judged, text)));
  }
  done.sent = judge.sent();
  done.cached = judge.cached();
  return done;
}

}  // namespace harness
