// judge: the two analyses that another model makes of stored responses, over any OpenAI-compatible endpoint.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "datasets/catalog.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/hub/http.h"
#include "harness/metrics/judged.h"

namespace experiments {

namespace {

using harness::Error;
namespace fs = std::filesystem;

// The only places a key may come from; it goes into the request's header and nowhere else.
const char* const kKeyVariables[] = {"MEDSBENCH_JUDGE_KEY", "OPENAI_API_KEY"};

struct JudgeOptions {
  std::string analysis, endpoint, grader, data_dir, out, split = "test";
  std::vector<std::string> paths;
  harness::JudgeSettings judge{"", "runs/judge"};
  harness::JudgedSettings judged;
  int64_t timeout = 120;
};

std::string key_of_environment() {
  for (const char* name : kKeyVariables) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

harness::JudgePost post_to(const std::string& endpoint, int64_t timeout) {
  const std::string key = key_of_environment();
  const std::string url = endpoint + (endpoint.ends_with('/') ? "" : "/") + "chat/completions";
  return [key, url, timeout](const std::string& body) {
    harness::JudgeReply result;
    harness::HttpRequest request{url, key};
    request.stall_s = timeout;
    const harness::HttpReply reply = harness::http_post(request, body, [&](int64_t, std::string_view piece) {
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
    harness::check_interrupt();
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
class Problems {
 public:
  explicit Problems(const JudgeOptions& options) : options_(options) {}

  std::string text(const harness::Outcome& outcome) {
    const auto [set, added] = sets_.try_emplace(outcome.set);
    if (added) load(outcome.set, set->second);
    const auto found = set->second.find(outcome.problem);
    return found == set->second.end() ? "" : found->second;
  }

 private:
  void load(const std::string& name, std::map<std::string, std::string>& texts) {
    datasets::LoadSettings settings;
    settings.data_dir = options_.data_dir;
    std::string known = name;
    for (const std::string& one : datasets::set_names()) {
      if (one == "nano/" + name) known = one;
    }
    try {
      for (const harness::Problem& problem : datasets::load_set(known, settings, options_.split).problems) {
        texts[problem.id] = fmt::format("{} (right answer: {})", problem.text, problem.answer);
      }
    } catch (const Error& error) {
      fmt::print(stderr, "medsbench: the judge reads no problem texts of {}: {}\n", name, error.what());
    }
  }

  const JudgeOptions& options_;
  std::map<std::string, std::map<std::string, std::string>> sets_;
};

int judge_verb(const JudgeOptions& options) {
  std::vector<harness::JudgedStep> steps;
  std::string grader = options.grader;
  for (const std::string& path : options.paths) {
    for (const std::string& file : outcome_files(path)) {
      harness::OutcomeFile outcomes = harness::read_outcomes(file);
      if (grader.empty()) grader = outcomes.main_grader;
      steps.push_back({file, std::move(outcomes.outcomes)});
    }
  }
  harness::Judge judge(options.judge, post_to(options.endpoint, options.timeout), wait);
  Problems problems(options);
  const auto text = [&](const harness::Outcome& outcome) { return problems.text(outcome); };
  harness::OrderedJson result{{"version", 1}, {"analysis", options.analysis}, {"model", options.judge.model}};
  if (options.analysis == "diversity") {
    result.update(to_json(harness::judge_diversity(judge, steps, options.judged, text)));
  } else {
    std::vector<harness::Outcome> all;
    for (harness::JudgedStep& step : steps) {
      std::move(step.outcomes.begin(), step.outcomes.end(), std::back_inserter(all));
    }
    result.update(to_json(harness::judge_errors(judge, std::move(all), grader, options.judged, text)));
  }
  std::cout << harness::dump_line(result) << std::endl;
  if (!options.out.empty()) harness::write_file_atomically(options.out, result.dump(1) + "\n");
  fmt::print(stderr, "{} questions sent, {} answered from {}\n", judge.sent(), judge.cached(), options.judge.cache);
  return 0;
}

}  // namespace

void add_judge(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<JudgeOptions>();
  CLI::App* verb = app.add_subcommand("judge",
                                      "another model rates diversity or names errors of stored responses (key: "
                                      "MEDSBENCH_JUDGE_KEY or OPENAI_API_KEY)");
  verb->add_option("analysis", options->analysis, "diversity (within and across steps) or errors (11 categories)")
      ->required()
      ->check(CLI::IsMember({"diversity", "errors"}));
  verb->add_option("paths", options->paths, "outcome files, evaluations' folders, or a training's folder (its validations)")
      ->required();
  verb->add_option("--endpoint", options->endpoint, "URL up to .../v1")->envname("OPENAI_BASE_URL")->required();
  verb->add_option("--model", options->judge.model, "as the endpoint names it")->required();
  verb->add_option("--cache", options->judge.cache, "folder of the answers, by hash of the question")->capture_default_str();
  verb->add_flag("--cached-only", options->judge.cached_only, "send nothing: derive again from the stored answers");
  verb->add_option("--responses", options->judged.responses, "rated together")
      ->capture_default_str()
      ->check(CLI::Range(2, 10000));
  verb->add_option("--errors", options->judged.wrong_answers, "wrong answers to categorise")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  verb->add_option("--seed", options->judged.seed, "key of the choice of responses")->capture_default_str();
  verb->add_option("--timeout", options->timeout, "seconds without a byte after which an attempt is given up")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  verb->add_option("--attempts", options->judge.attempts, "of one question")->capture_default_str()->check(CLI::PositiveNumber);
  verb->add_option("--first-wait", options->judge.first_wait, "seconds before the second attempt, doubled each time")
      ->capture_default_str();
  verb->add_option("--grader", options->grader, "whose verdicts say what is wrong (default: the main one)");
  verb->add_option("--data", options->data_dir, "where published sets lie");
  verb->add_option("--split", options->split, "split of the problems (validation for a training's folder)")
      ->capture_default_str();
  verb->add_option("--out", options->out, "also write the result to this file");
  verb->callback([&chosen, options] { chosen = [options] { return judge_verb(*options); }; });
}

}  // namespace experiments
