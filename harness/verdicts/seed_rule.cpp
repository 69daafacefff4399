#include "harness/verdicts/seed_rule.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "harness/core/error.h"

namespace harness {

namespace {

constexpr std::array kRuleNames = {"fixed", "group_sequential", "anytime", "half_width"};

}  // namespace

std::string rule_name(SeedRule::Kind kind) { return kRuleNames.at(static_cast<size_t>(kind)); }

SeedRule::Kind rule_kind(const std::string& name) {
  for (size_t kind = 0; kind < kRuleNames.size(); ++kind) {
    if (name == kRuleNames.at(kind)) return static_cast<SeedRule::Kind>(kind);
  }
  throw Error("expected one of {}, found {}", fmt::join(kRuleNames, ", "), name);
}

std::string rule_text(const SeedRule& rule) {
  switch (rule.kind) {
    case SeedRule::Kind::group_sequential:
      return fmt::format("group-sequential t tests, {} boundary, looks at {} seeds",
                         rule.boundary == Boundary::pocock ? "Pocock's" : "O'Brien and Fleming's", fmt::join(rule.looks, ", "));
    case SeedRule::Kind::anytime:
      return fmt::format("anytime-valid t tests, looks from {} to {} seeds", rule.looks.front(), rule.looks.back());
    case SeedRule::Kind::half_width:
      return fmt::format("seeds until a half width of {:.2g} points by Stein's two stages, {} seeds first, {} at most",
                         100 * rule.half_width, rule.looks.front(), rule.looks.back());
    case SeedRule::Kind::fixed:
      break;
  }
  return "one look at the seeds given";
}

}  // namespace harness
