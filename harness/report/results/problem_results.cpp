#include "harness/report/results/problem_results.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "harness/core/error.h"

namespace harness {

namespace {

using Samples = std::vector<const Outcome*>;

// The final answer as it is compared: normalised where the grader could, as written otherwise.
std::optional<std::string> final_answer(const Outcome& outcome) {
  return outcome.normalised ? outcome.normalised : outcome.extracted;
}

bool graders_disagree(const Outcome& outcome, const std::string& grader) {
  const bool right = outcome.correct(grader);
  return std::any_of(outcome.verdicts.begin(), outcome.verdicts.end(),
                     [&](const auto& verdict) { return (verdict.second == "right") != right; });
}

// In nats over the shares of the counts.
double entropy(const std::map<std::string, int64_t>& counts, int64_t total) {
  double sum = 0;
  for (const auto& [answer, count] : counts) {
    const double share = static_cast<double>(count) / static_cast<double>(total);
    sum -= share * std::log(share);
  }
  return std::max(sum, 0.0);
}

ProblemResult count_problem(const Samples& samples, const std::string& grader) {
  ProblemResult result;
  result.problem = samples.front()->problem;
  result.kind = samples.front()->kind;
  result.seed = samples.front()->seed;
  std::map<std::string, int64_t> answers, wrong;
  std::map<std::string, int64_t> places;  // answer -> its place in votes.right
  for (const Outcome* outcome : samples) {
    const bool right = outcome->correct(grader);
    const std::optional<std::string> answer = final_answer(*outcome);
    result.n += 1;
    result.correct += right ? 1 : 0;
    result.no_answer += answer ? 0 : 1;
    result.undecided += outcome->verdicts.at(grader) == "undecided" ? 1 : 0;
    result.disagree += graders_disagree(*outcome, grader) ? 1 : 0;
    result.mean_entropy += outcome->mean_entropy;
    result.mean_tokens += static_cast<double>(outcome->tokens);
    if (answer) {
      ++answers[*answer];
      const auto [place, is_new] = places.try_emplace(*answer, static_cast<int64_t>(places.size()));
      if (is_new) result.votes.right.push_back(0);
      result.votes.right[static_cast<size_t>(place->second)] += right ? 1 : 0;
      result.votes.answers.push_back(place->second);
    } else {
      result.votes.answers.push_back(-1);
    }
    if (!right) {
      if (answer) ++wrong[*answer];
      if (!outcome->error_label.empty()) ++result.error_labels[outcome->error_label];
    }
  }
  for (const auto& [answer, place] : places) {
    result.votes.right[static_cast<size_t>(place)] /= static_cast<double>(answers.at(answer));
  }
  result.mean_entropy /= static_cast<double>(result.n);
  result.mean_tokens /= static_cast<double>(result.n);
  result.answers = result.n - result.no_answer;
  result.distinct_answers = static_cast<int64_t>(answers.size());
  if (result.answers > 0) result.answer_entropy = entropy(answers, result.answers);
  int64_t largest = 0;
  for (const auto& [answer, count] : wrong) {
    result.wrong_groups.push_back(count);
    if (count > largest) {
      largest = count;
      result.most_common_wrong = answer;
    }
  }
  std::sort(result.wrong_groups.rbegin(), result.wrong_groups.rend());
  return result;
}

// One response of the largest groups of equal answers: the first right one and up to three wrong ones, largest group first.
void keep_samples(const Samples& samples, const std::string& grader, std::vector<SampleText>& kept) {
  struct Group {
    const Outcome* first = nullptr;
    int64_t size = 0;
  };
  std::map<std::pair<bool, std::string>, Group> groups;
  for (const Outcome* outcome : samples) {
    Group& group = groups[{outcome->correct(grader), final_answer(*outcome).value_or("")}];
    if (group.first == nullptr) group.first = outcome;
    ++group.size;
  }
  std::vector<Group> order;
  for (const auto& [key, group] : groups) order.push_back(group);
  std::stable_sort(order.begin(), order.end(), [](const Group& a, const Group& b) { return a.size > b.size; });
  int64_t right = 0, wrong = 0;
  for (const Group& group : order) {
    const bool is_right = group.first->correct(grader);
    if ((is_right ? right : wrong) >= (is_right ? 1 : 3)) continue;
    ++(is_right ? right : wrong);
    const Outcome& outcome = *group.first;
    kept.push_back({outcome.set, outcome.problem, outcome.text, final_answer(outcome).value_or(""), outcome.error_label,
                    outcome.verdicts.at(grader), outcome.sample, group.size});
  }
}

bool mixed(const ProblemResult& result) { return result.correct > 0 && result.correct < result.n; }

}  // namespace

PolicyResults count_outcomes(const OutcomeFile& file, const CountSettings& settings) {
  PolicyResults results;
  results.main_grader = settings.grader.empty() ? file.main_grader : settings.grader;
  std::map<std::pair<std::string, std::string>, Samples> problems;
  std::set<std::string> graders;
  for (const Outcome& outcome : file.outcomes) {
    for (const auto& [grader, verdict] : outcome.verdicts) graders.insert(grader);
    if (outcome.sample < settings.n) problems[{outcome.set, outcome.problem}].push_back(&outcome);
  }
  results.graders.assign(graders.begin(), graders.end());
  std::map<std::string, int64_t> kept;
  for (auto& [key, samples] : problems) {
    std::sort(samples.begin(), samples.end(), [](const Outcome* a, const Outcome* b) { return a->sample < b->sample; });
    for (size_t i = 1; i < samples.size(); ++i) {
      if (samples[i]->sample == samples[i - 1]->sample) {
        throw Error("{}, {}: expected one outcome of sample {}, found two", key.first, key.second, samples[i]->sample);
      }
    }
    ProblemResult result = count_problem(samples, results.main_grader);
    for (const Outcome* outcome : samples) {
      for (const auto& [grader, verdict] : outcome->verdicts) {
        if (grader == results.main_grader) continue;
        results.disagreements[grader] += (verdict == "right") != outcome->correct(results.main_grader) ? 1 : 0;
      }
    }
    results.responses += result.n;
    if (kept[key.first] < settings.read_problems && mixed(result)) {
      ++kept[key.first];
      keep_samples(samples, results.main_grader, results.samples);
    }
    results.sets[key.first].problems.push_back(std::move(result));
  }
  return results;
}

}  // namespace harness
