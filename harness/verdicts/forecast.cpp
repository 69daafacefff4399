#include "harness/verdicts/forecast.h"

#include <algorithm>

#include "harness/core/error.h"
#include "harness/core/random.h"

namespace harness {

std::vector<RuleForecast> forecast_rule(const VerdictRule& rule, double paired_deviation, std::span<const double> differences,
                                        int64_t fixed_seeds, int64_t experiments) {
  MEDSBENCH_CHECK(paired_deviation > 0 && experiments > 0, "deviation {}, {} experiments", paired_deviation, experiments);
  const int64_t most = rule.rule().kind == SeedRule::Kind::fixed ? fixed_seeds : rule.rule().looks.back();
  std::vector<RuleForecast> forecasts;
  const double each = 1 / static_cast<double>(experiments);
  for (const double difference : differences) {
    RuleForecast& forecast = forecasts.emplace_back();
    forecast.difference = difference;
    for (int64_t experiment = 0; experiment < experiments; ++experiment) {
      const RandomStream draws("forecast of a rule", {static_cast<uint64_t>(experiment)});
      std::vector<int64_t> seeds;
      for (int64_t s = 0; s < most; ++s) seeds.push_back(s + 1);
      Contrast contrast{{SeedTable(seeds, {"a", "b"})}, rule.rule().margin};
      for (size_t s = 0; s < seeds.size(); ++s) {
        const double value = difference + paired_deviation * draws.normal(s);
        contrast.difference.front().at(s, 0) = contrast.difference.front().at(s, 1) = value;
      }
      const ComparisonVerdict verdict = rule.judge(std::span(&contrast, 1)).each.front();
      (verdict.decision == Decision::better       ? forecast.better
       : verdict.decision == Decision::worse      ? forecast.worse
       : verdict.decision == Decision::equivalent ? forecast.equivalent
                                                  : forecast.undecided) += each;
      forecast.seeds += each * static_cast<double>(verdict.seeds);
    }
  }
  return forecasts;
}

}  // namespace harness
