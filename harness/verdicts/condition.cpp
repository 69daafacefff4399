#include "harness/verdicts/condition.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "harness/core/error.h"

namespace harness {

namespace {

constexpr std::array kConditionNames = {"better", "worse", "equivalent", "not_better", "not_worse", "equal_bytes"};

}  // namespace

std::string condition_name(Condition::Is is) { return kConditionNames.at(static_cast<size_t>(is)); }

std::vector<std::string> condition_names() { return {kConditionNames.begin(), kConditionNames.end()}; }

Condition::Is condition_is(const std::string& name) {
  const auto found = std::find(kConditionNames.begin(), kConditionNames.end(), name);
  if (found == kConditionNames.end()) throw Error("expected one of {}, found {}", fmt::join(kConditionNames, ", "), name);
  return static_cast<Condition::Is>(found - kConditionNames.begin());
}

OrderedJson to_json(const Condition& condition) {
  OrderedJson json{{"name", condition.name}, {"row", condition.row}, {"against", condition.against}};
  if (!condition.metric.empty()) json["metric"] = condition.metric;
  json["is"] = condition_name(condition.is);
  if (condition.by > 0) json["by"] = condition.by;
  return json;
}

Condition condition_from_json(const Json& json) {
  Condition condition;
  condition.name = text_field(json, "name");
  condition.row = text_field(json, "row");
  condition.against = text_field(json, "against");
  condition.is = condition_is(text_field(json, "is"));
  if (condition.is != Condition::Is::equal_bytes) condition.metric = text_field(json, "metric");
  if (json.contains("by")) condition.by = number_field(json, "by");
  return condition;
}

bool condition_holds(const Condition& condition, const ComparisonVerdict& alone) {
  const bool better = alone.decision == Decision::better && alone.difference.value >= condition.by;
  const bool worse = alone.decision == Decision::worse && -alone.difference.value >= condition.by;
  switch (condition.is) {
    case Condition::Is::better:
      return better;
    case Condition::Is::worse:
      return worse;
    case Condition::Is::equivalent:
      return alone.p_equivalence <= 0.05;  // of a difference that is shown, too
    case Condition::Is::not_better:
      return !better;
    case Condition::Is::not_worse:
      return !worse;
    case Condition::Is::equal_bytes:
      break;
  }
  MEDSBENCH_CHECK(false, "equal_bytes is no test");
  return false;
}

}  // namespace harness
