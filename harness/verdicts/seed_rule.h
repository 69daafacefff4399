// SeedRule: how many training seeds rows get, fixed before the first of them is run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/verdicts/sequential.h"

namespace harness {

struct SeedRule {
  enum class Kind {
    fixed,             // those given, one look at the end
    group_sequential,  // until a verdict: t tests at a few looks (sequential.h)
    anytime,           // until a verdict: looks whenever one likes (anytime.h)
    half_width,        // until an interval of a width fixed beforehand: Stein's two stages
  };
  Kind kind = Kind::fixed;
  Boundary boundary = Boundary::obrien_fleming;  // of group_sequential
  // Numbers of seeds. group_sequential, anytime: where one looks; half_width: the first stage and the most there may be; fixed:
  // none.
  std::vector<int64_t> looks;
  double half_width = 0;  // as a share; of half_width
  double margin = 0;      // as a share: differences within it are equivalent; 0: nothing is called equivalent

  bool operator==(const SeedRule&) const = default;
};

// "fixed", "group_sequential", "anytime", "half_width".
std::string rule_name(SeedRule::Kind kind);
std::vector<std::string> rule_names();
// Throws Error for another name.
SeedRule::Kind rule_kind(const std::string& name);
OrderedJson to_json(const SeedRule& rule);
// Throws Error for a missing or unknown field and for looks that no test can have.
SeedRule seed_rule_from_json(const Json& json);
// "group-sequential t tests, O'Brien and Fleming's boundary, looks at 5, 10, 15, 20 seeds".
std::string rule_text(const SeedRule& rule);

}  // namespace harness
