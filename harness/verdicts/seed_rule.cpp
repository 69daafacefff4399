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

std::vector<std::string> rule_names() { return {kRuleNames.begin(), kRuleNames.end()}; }

SeedRule::Kind rule_kind(const std::string& name) {
  for (size_t kind = 0; kind < kRuleNames.size(); ++kind) {
    if (name == kRuleNames.at(kind)) return static_cast<SeedRule::Kind>(kind);
  }
  throw Error("expected one of {}, found {}", fmt::join(kRuleNames, ", "), name);
}

OrderedJson to_json(const SeedRule& rule) {
  OrderedJson json{{"kind", rule_name(rule.kind)}};
  if (rule.kind == SeedRule::Kind::group_sequential) json["boundary"] = boundary_name(rule.boundary);
  if (!rule.looks.empty()) json["looks"] = rule.looks;
  if (rule.half_width > 0) json["half_width"] = rule.half_width;
  if (rule.margin > 0) json["margin"] = rule.margin;
  return json;
}

SeedRule seed_rule_from_json(const Json& json) {
  SeedRule rule;
  rule.kind = rule_kind(text_field(json, "kind"));
  if (json.contains("boundary")) rule.boundary = boundary_of(text_field(json, "boundary"));
  if (json.contains("looks")) {
    for (const Json& look : json["looks"]) {
      if (!look.is_number_integer()) throw Error("looks: expected integers, found {}", look.dump());
      rule.looks.push_back(look.get<int64_t>());
    }
  }
  if (rule.kind != SeedRule::Kind::fixed) check_looks(rule.looks);
  if (json.contains("half_width")) rule.half_width = number_field(json, "half_width");
  if (json.contains("margin")) rule.margin = number_field(json, "margin");
  if (rule.kind == SeedRule::Kind::half_width && !(rule.half_width > 0)) {
    throw Error("half_width: expected a number above 0, found {}", rule.half_width);
  }
  return rule;
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
