#include "baselines/outcome_exploration.h"

#include <algorithm>
#include <cmath>

#include "baselines/state_file.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"

namespace baselines {

namespace {

class OutcomeExploration : public harness::Method {
 public:
  explicit OutcomeExploration(harness::MethodKeys& keys)
      : c_(keys.number("c", 0.2, 0, 100, "weight of the bonus")),
        constant_(keys.number("constant", 0.5, -1, 1, "bonus that counts as neutral")) {}
  [[nodiscard]] std::string name() const override { return "outcome_exploration"; }
  [[nodiscard]] harness::Needs needs() const override { return {.answers = true}; }
  [[nodiscard]] bool shapes_rewards() const override { return true; }
  [[nodiscard]] bool remembers() const override { return true; }

  void shape_rewards(const harness::StepBatch& step, std::vector<double>& scores, harness::Metrics& metrics) override {
    double total = 0;
    for (size_t i = 0; i < step.samples.size(); ++i) {
      const double bonus = bonus_of(step.samples[i]);
      total += bonus;
      scores[i] += c_ * (bonus - constant_);
    }
    metrics["exploration_bonus"] = step.samples.empty() ? 0 : total / static_cast<double>(step.samples.size());
    for (const harness::Sample& sample : step.samples) {
      if (sample.has_answer) ++counts_[sample.problem][harness::hash64(sample.answer)];
    }
  }

  void save_state(const std::string& folder, const std::string& /*previous*/) const override {
    harness::Json problems = harness::Json::object();
    for (const auto& [problem, answers] : counts_) {
      harness::Json& of_problem = problems[fmt::format("{:016x}", problem)];
      for (const auto& [answer, count] : answers) of_problem[fmt::format("{:016x}", answer)] = count;
    }
    write_state(folder, name(), {{"counts", std::move(problems)}});
  }

  void load_state(const std::string& folder) override {
    const harness::Json state = read_state(folder, name());
    counts_.clear();
    try {
      for (const auto& [problem, answers] : state.at("counts").items()) {
        auto& of_problem = counts_[std::stoull(problem, nullptr, 16)];
        for (const auto& [answer, count] : answers.items()) of_problem[std::stoull(answer, nullptr, 16)] = count.get<int64_t>();
      }
    } catch (const std::exception& error) {
      throw harness::Error("{}/{}.json: counts: expected counts by problem and answer, found {}", folder, name(), error.what());
    }
  }

  void report_state(harness::Metrics& metrics) const override {
    size_t outcomes = 0;
    for (const auto& [problem, answers] : counts_) outcomes += answers.size();
    metrics["known_outcomes"] = static_cast<double>(outcomes);
  }

 private:
  // min(1, N^-1/2), 1 for N = 0.
  [[nodiscard]] double bonus_of(const harness::Sample& sample) const {
    if (!sample.has_answer) return 0;
    const auto problem = counts_.find(sample.problem);
    if (problem == counts_.end()) return 1;
    const auto seen = problem->second.find(harness::hash64(sample.answer));
    return seen == problem->second.end() ? 1 : std::min(1.0, 1 / std::sqrt(static_cast<double>(seen->second)));
  }

  double c_, constant_;
  std::map<uint64_t, std::map<uint64_t, int64_t>> counts_;  // problem -> hash of the answer -> times given
};

}  // namespace

harness::MethodEntry outcome_exploration_entry() {
  return {.name = "outcome_exploration",
          .title = "Outcome-based exploration",
          .source = "arXiv 2509.06941",
          .make = [](harness::MethodKeys& keys) { return std::make_unique<OutcomeExploration>(keys); }};
}

}  // namespace baselines
