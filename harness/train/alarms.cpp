#include "harness/train/alarms.h"

#include "harness/core/error.h"
#include "harness/reward/all_graders.h"

namespace harness {

namespace {

struct AlarmRule {
  const char *name, *metric, *key;
  double low, high;  // met below or above; 0: never
  const char *what, *meaning;
};

std::vector<AlarmRule> alarm_rules(const AlarmSettings& s, double first_entropy) {
  const double inverse_ratio = s.perplexity_ratio > 0 ? 1 / s.perplexity_ratio : 0;
  return {
      {"collapse", "sampling_entropy", "train.collapse_entropy", s.collapse_entropy, 0, "mean token entropy",
       "the policy has collapsed"},
      {"entropy_fall", "sampling_entropy", "alarm.entropy_fall", s.entropy_fall * first_entropy, 0, "mean token entropy",
       "little of the first step's is left, the policy hardly explores any more"},
      {"entropy_rise", "sampling_entropy", "alarm.entropy_rise", 0, s.entropy_rise * first_entropy, "mean token entropy",
       "far above the first step's, responses may be turning into noise"},
      {"truncated", "truncated", "alarm.truncated", 0, s.truncated, "share of truncated responses",
       "they end at sampling.max_new_tokens before their answer"},
      {"one_sided_groups", "one_sided_groups", "alarm.one_sided_groups", 0, s.one_sided_groups,
       "share of groups all right or all wrong", "they teach a group advantage nothing"},
      {"repeated_wrong", "repeated_wrong", "alarm.repeated_wrong", 0, s.repeated_wrong,
       "share of wrong answers that another response of the group gives too", "the policy makes the same mistakes"},
      {"disagreement", "grader_disagreement", "alarm.disagreement", 0, s.disagreement,
       "share of responses that alarm.second_grader grades otherwise",
       "rewards may go to wrong answers, or right ones may go without"},
      {"log_ratio", "largest_log_ratio", "alarm.log_ratio", 0, s.log_ratio, "largest |log ratio| of a token",
       "updates move the policy far from the one that sampled"},
      {"sampling_log_ratio", "sampling_scoring_difference", "alarm.log_ratio", 0, s.log_ratio,
       "largest |log ratio| of scoring to sampling", "their numerics differ, a cap (train.importance_cap) bounds what follows"},
      {"chi_square", "sampling_scoring_chi_square", "alarm.chi_square", 0, s.chi_square,
       "chi-square of scoring against sampling", "their numerics differ, a cap (train.importance_cap) bounds what follows"},
      {"perplexity_ratio", "sampling_scoring_perplexity", "alarm.perplexity_ratio", inverse_ratio, s.perplexity_ratio,
       "perplexity ratio of scoring to sampling", "their numerics differ, a cap (train.importance_cap) bounds what follows"},
  };
}

}  // namespace

AlarmSettings read_alarm_settings(ConfigReader& keys) {
  AlarmSettings s;
  const auto share = [&](const char* key, double fallback, const char* meaning) {
    return keys.number(key, fallback, 0, 1, meaning);
  };
  s.collapse_entropy =
      keys.number("train.collapse_entropy", s.collapse_entropy, 0, 100, "a mean entropy below it is warned of");
  s.entropy_fall =
      share("alarm.entropy_fall", s.entropy_fall, "warn of a mean token entropy below this share of the first step's; 0: off");
  s.entropy_rise = keys.number("alarm.entropy_rise", s.entropy_rise, 0,
                               "warn of a mean token entropy above this multiple of the first step's; 0: off");
  s.truncated = share("alarm.truncated", s.truncated, "warn of a larger share of truncated responses; 0: off");
  s.one_sided_groups = share("alarm.one_sided_groups", s.one_sided_groups,
                             "warn of a larger share of groups that are all right or all wrong; 0: off");
  s.repeated_wrong = share("alarm.repeated_wrong", s.repeated_wrong,
                           "warn of a larger share of wrong answers that another response of the group gives too; 0: off");
  s.disagreement = share("alarm.disagreement", s.disagreement,
                         "warn where the second grader grades a larger share of its responses otherwise; 0: off");
  s.log_ratio = keys.number("alarm.log_ratio", s.log_ratio, 0, "warn of a token with a larger |log ratio|, nats; 0: off");
  s.chi_square =
      keys.number("alarm.chi_square", s.chi_square, 0,
                  "warn of a larger chi-square of scoring against sampling (train.old_log_probs = \"recomputed\"); 0: off");
  s.perplexity_ratio = keys.number("alarm.perplexity_ratio", s.perplexity_ratio, 0,
                                   "warn where scoring and sampling perplexities differ by a larger factor; 0: off");
  s.second_grader = keys.text("alarm.second_grader", s.second_grader,
                              "grades a sample of the responses again and changes no reward; none: nobody");
  if (s.second_grader != "none") with_context("alarm.second_grader", [&] { make_grader(s.second_grader); });
  s.second_share = share("alarm.second_share", s.second_share, "share of the responses that the second grader grades");
  return s;
}

std::vector<std::string> Alarms::check(int64_t step, Metrics& metrics) {
  if (!first_entropy_) first_entropy_ = metrics.at("sampling_entropy");
  std::vector<std::string> lines;
  std::set<std::string> met;
  for (const AlarmRule& rule : alarm_rules(settings_, *first_entropy_)) {
    const auto found = metrics.find(rule.metric);
    if (found == metrics.end()) continue;
    const double value = found->second;
    const bool below = rule.low > 0 && value < rule.low;
    const bool above = rule.high > 0 && value > rule.high;
    if (!below && !above) continue;
    met.insert(rule.name);
    if (met_.contains(rule.name)) continue;
    lines.push_back(fmt::format("step {}: {} {:.3g} is {} {:.3g} ({}): {}", step, rule.what, value, below ? "below" : "above",
                                below ? rule.low : rule.high, rule.key, rule.meaning));
  }
  met_ = std::move(met);
  for (const std::string& name : met_) metrics[kAlarmPrefix + name] = 1;
  return lines;
}

}  // namespace harness
