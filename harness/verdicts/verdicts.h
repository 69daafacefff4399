// Verdicts: what a rule fixed beforehand lets one say of each comparison of a family, and who needs more seeds.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "harness/stats/compare.h"
#include "harness/stats/seed_table.h"
#include "harness/stats/undefined.h"
#include "harness/verdicts/anytime.h"
#include "harness/verdicts/seed_rule.h"

namespace harness {

enum class Decision { undecided, better, worse, equivalent };
std::string_view decision_name(Decision decision);

// One planned comparison: row - base.
struct Contrast {
  std::vector<SeedTable> difference;  // one a set; seeds in the order in which they are added
  double margin = 0;                  // differences within it are equivalent; 0: none is called so
};

struct ComparisonVerdict {
  Decision decision = Decision::undecided;
  int64_t seeds = 0;                           // it rests on: at the look that decided, or at the last one
  MeanInterval difference;                     // over those seeds
  double low = kUndefined, high = kUndefined;  // simultaneous over the family and valid under the rule: the interval that
                                               // excludes 0 where the comparison is called better or worse
  double p_value = kUndefined;        // of no difference, adjusted by Holm for the family and by the rule for its looks
  double p_equivalence = kUndefined;  // of a difference of the margin or more, adjusted so too
  int64_t wanted = 0;                 // undecided: seeds that would decide it at the spread and the difference seen; 0: none
                                      // up to kMostSeeds
};
inline constexpr int64_t kMostSeeds = 1000;

// What was decided at one look.
struct Look {
  int64_t seeds = 0;
  int64_t looked_at = 0;        // comparisons that had these seeds and were undecided
  std::vector<size_t> decided;  // of the family
};

struct FamilyVerdicts {
  std::vector<ComparisonVerdict> each;  // one a contrast
  std::vector<Look> looks;              // in order; of a fixed rule none
  std::vector<int64_t> next_seeds;      // of each contrast the seeds that the rule asks for next; 0: no more
};

// Two families of tests, each with an error of 5 % for all its comparisons together by Holm (1979) on p-values that are valid
// under the rule: of no difference, and (two one-sided tests, Schuirmann 1987) of a difference of the margin or more. One that
// is decided stays so. fixed and group_sequential test the crossed mean of seeds and problems (stats/compare.h); anytime and
// half_width the mean over the seeds for these very problems.
class VerdictRule {
 public:
  explicit VerdictRule(SeedRule rule);
  [[nodiscard]] const SeedRule& rule() const { return rule_; }
  [[nodiscard]] FamilyVerdicts judge(std::span<const Contrast> family) const;

 private:
  // What one look says of one contrast, before Holm.
  struct Evidence {
    size_t look = 0;
    MeanInterval difference;
    SeedSample sample;  // of anytime and half_width; of half_width its deviation is that of the first stage
    double p_value = 1, p_equivalence = 1;
  };
  [[nodiscard]] Evidence evidence_at(const Contrast& contrast, size_t look, int64_t seeds) const;
  [[nodiscard]] int64_t seeds_of_look(const Contrast& contrast, size_t look) const;
  // Half width at the level of Holm's step, after `seeds` seeds of which the look saw some.
  [[nodiscard]] double half_width(const Evidence& evidence, double level) const;
  [[nodiscard]] int64_t seeds_to_decide(const Evidence& evidence, const Contrast& contrast, double level) const;

  SeedRule rule_;
  std::optional<SequentialTest> test_;  // of group_sequential
};

}  // namespace harness
