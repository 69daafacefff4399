#include "harness/verdicts/verdicts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "harness/core/error.h"
#include "harness/stats/distributions.h"

namespace harness {

namespace {

using Kind = SeedRule::Kind;

int64_t seeds_of(const Contrast& contrast) {
  return contrast.difference.empty() ? 0 : static_cast<int64_t>(contrast.difference.front().seeds.size());
}

// The first seeds of the contrast: paired differences have the same seeds in every set.
std::vector<SeedTable> first_seeds(const Contrast& contrast, int64_t count) {
  std::vector<SeedTable> tables;
  for (const SeedTable& all : contrast.difference) {
    std::vector<size_t> places(std::min(all.seeds.size(), static_cast<size_t>(count)));
    std::iota(places.begin(), places.end(), size_t{0});
    tables.push_back(chosen_seeds(all, places));
  }
  return tables;
}

// Of the seeds' averages over the sets.
SeedSample sample_of(std::span<const SeedTable> sets) { return seed_sample(crossed_squares(sets).averages); }

// P of two one-sided t tests against a difference of `margin`: the larger of the two.
double outside_margin(double difference, double margin, double standard_error, double degrees) {
  if (margin <= 0 || std::abs(difference) >= margin) return 1;
  if (standard_error <= 0) return 0;
  return t_two_sided_p((margin - std::abs(difference)) / standard_error, degrees) / 2;
}

// Against every mean at the margin or beyond, by E: 1 / the smaller of the two.
double outside_margin(const SeedSample& sample, double margin) {
  if (margin <= 0 || std::abs(sample.mean) >= margin) return 1;
  SeedSample above = sample, below = sample;
  above.mean -= margin;
  below.mean += margin;
  return std::min(1.0, 1 / std::min(e_value(above), e_value(below)));
}

}  // namespace

std::string_view decision_name(Decision decision) {
  static constexpr std::array kNames = {"undecided", "better", "worse", "equivalent"};
  return kNames.at(static_cast<size_t>(decision));
}

VerdictRule::VerdictRule(SeedRule rule) : rule_(std::move(rule)) {
  if (rule_.kind == Kind::group_sequential) test_.emplace(rule_.boundary, rule_.looks);
}

int64_t VerdictRule::seeds_of_look(const Contrast& contrast, size_t look) const {
  if (rule_.kind == Kind::fixed) return seeds_of(contrast);
  if (rule_.kind != Kind::half_width) return rule_.looks.at(look);
  const int64_t first = rule_.looks.front();
  if (look == 0 || seeds_of(contrast) < first) return first;
  const SeedSample sample = sample_of(first_seeds(contrast, first));
  return std::min(rule_.looks.back(), stein_seeds(sample, rule_.half_width, 0.95));
}

VerdictRule::Evidence VerdictRule::evidence_at(const Contrast& contrast, size_t look, int64_t seeds) const {
  Evidence evidence;
  evidence.look = look;
  const std::vector<SeedTable> tables = first_seeds(contrast, seeds);
  evidence.difference = crossed_mean(tables);
  const MeanInterval& d = evidence.difference;
  if (d.seeds < 2 || std::isnan(d.low)) return evidence;
  if (rule_.kind == Kind::fixed || rule_.kind == Kind::group_sequential) {
    const double equivalence = outside_margin(d.value, contrast.margin, d.standard_error, d.degrees);
    evidence.p_value = test_ ? test_->p_value(look, d.p_value) : d.p_value;
    // One-sided at alpha is two-sided at twice alpha.
    evidence.p_equivalence = test_ ? std::min(1.0, test_->p_value(look, std::min(1.0, 2 * equivalence)) / 2) : equivalence;
    if (equivalence >= 1) evidence.p_equivalence = 1;
    return evidence;
  }
  evidence.sample = sample_of(tables);
  if (rule_.kind == Kind::anytime) {
    evidence.p_value = std::min(1.0, 1 / e_value(evidence.sample));
    evidence.p_equivalence = outside_margin(evidence.sample, contrast.margin);
    return evidence;
  }
  const int64_t first = rule_.looks.front();
  evidence.sample.deviation = sample_of(first_seeds(contrast, first)).deviation;
  const auto degrees = static_cast<double>(first - 1);
  const double error = evidence.sample.deviation / std::sqrt(static_cast<double>(evidence.sample.seeds));
  const double mean = evidence.sample.mean;
  evidence.p_value = error > 0 ? t_two_sided_p(mean / error, degrees) : (mean == 0 ? 1 : 0);
  evidence.p_equivalence = outside_margin(mean, contrast.margin, error, degrees);
  return evidence;
}

double VerdictRule::half_width(const Evidence& evidence, double level) const {
  const MeanInterval& d = evidence.difference;
  switch (rule_.kind) {
    case Kind::fixed:
      return d.standard_error > 0 ? t_quantile(level, d.degrees) * d.standard_error : 0.0;
    case Kind::group_sequential:
      return d.standard_error > 0 ? t_critical(test_->levels(1 - level).at(evidence.look), d.degrees) * d.standard_error : 0.0;
    case Kind::anytime:
      return anytime_half_width(evidence.sample, 1 - level);
    case Kind::half_width:
      break;
  }
  return t_quantile(level, static_cast<double>(rule_.looks.front() - 1)) * evidence.sample.deviation /
         std::sqrt(static_cast<double>(evidence.sample.seeds));
}

// Half width with so many seeds, the deviation between seeds and the problems' part as seen.
int64_t VerdictRule::seeds_to_decide(const Evidence& evidence, const Contrast& contrast, double level) const {
  const MeanInterval& d = evidence.difference;
  if (d.seeds < 2 || std::isnan(d.low)) return 0;
  const double distance = std::max(std::abs(d.value), contrast.margin - std::abs(d.value));
  const double between = d.seed_deviation * d.seed_deviation;
  const double problems = std::max(0.0, d.standard_error * d.standard_error - between / static_cast<double>(d.seeds));
  const auto decides = [&](int64_t seeds) {
    const auto n = static_cast<double>(seeds);
    if (rule_.kind == Kind::anytime) return anytime_half_width({seeds, d.value, d.seed_deviation}, 1 - level) < distance;
    if (rule_.kind == Kind::half_width) {
      return half_width(evidence, level) * std::sqrt(static_cast<double>(d.seeds) / n) < distance;
    }
    return t_quantile(level, n - 1) * std::sqrt(problems + between / n) < distance;
  };
  if (!decides(kMostSeeds)) return 0;
  int64_t low = d.seeds, high = kMostSeeds;  // more seeds never widen the interval
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (decides(middle) ? high : low) = middle;
  }
  return high;
}

FamilyVerdicts VerdictRule::judge(std::span<const Contrast> family) const {
  FamilyVerdicts verdicts;
  verdicts.each.resize(family.size());
  verdicts.next_seeds.assign(family.size(), 0);
  std::vector<Evidence> evidence(family.size());
  std::vector<double> p_values(family.size(), 1.0), p_equivalence(family.size(), 1.0);
  const size_t looks = rule_.kind == Kind::fixed ? 1 : rule_.looks.size();
  std::vector<HolmDecision> different, equivalent;
  for (size_t look = 0; look < looks; ++look) {
    Look record{rule_.kind == Kind::fixed ? 0 : rule_.looks.at(look), 0, {}};
    for (size_t i = 0; i < family.size(); ++i) {
      if (verdicts.each[i].decision != Decision::undecided || verdicts.next_seeds[i] > 0) continue;
      const int64_t seeds = seeds_of_look(family[i], look);
      if (seeds_of(family[i]) < seeds) {
        verdicts.next_seeds[i] = seeds;
        continue;
      }
      if (rule_.kind == Kind::half_width && look == 0) continue;  // the first stage tells the spread alone
      evidence[i] = evidence_at(family[i], look, seeds);
      p_values[i] = std::min(p_values[i], evidence[i].p_value);
      p_equivalence[i] = std::min(p_equivalence[i], evidence[i].p_equivalence);
      ++record.looked_at;
    }
    different = holm(p_values);
    equivalent = holm(p_equivalence);
    for (size_t i = 0; i < family.size(); ++i) {
      ComparisonVerdict& verdict = verdicts.each[i];
      if (verdict.decision != Decision::undecided) continue;
      if (different[i].different) {
        verdict.decision = evidence[i].difference.value > 0 ? Decision::better : Decision::worse;
      } else if (equivalent[i].different) {
        verdict.decision = Decision::equivalent;
      }
      if (verdict.decision == Decision::undecided) continue;
      verdicts.next_seeds[i] = 0;
      record.decided.push_back(i);
    }
    if (rule_.kind != Kind::fixed && record.looked_at > 0) verdicts.looks.push_back(std::move(record));
  }
  for (size_t i = 0; i < family.size(); ++i) {
    ComparisonVerdict& verdict = verdicts.each[i];
    verdict.difference = evidence[i].difference;
    verdict.seeds = evidence[i].difference.seeds;
    if (verdict.seeds == 0) continue;
    verdict.p_value = different[i].adjusted_p;
    if (family[i].margin > 0) verdict.p_equivalence = equivalent[i].adjusted_p;
    const double middle =
        rule_.kind == Kind::anytime || rule_.kind == Kind::half_width ? evidence[i].sample.mean : verdict.difference.value;
    const double half = half_width(evidence[i], different[i].level);
    verdict.low = middle - half;
    verdict.high = middle + half;
    if (verdict.decision == Decision::undecided) {
      verdict.wanted = seeds_to_decide(evidence[i], family[i], different[i].level);
    }
  }
  return verdicts;
}

}  // namespace harness
