#include "harness/report/table/conditions.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "harness/core/csv.h"
#include "harness/core/error.h"

namespace harness {

namespace {

using State = ConditionFinding::State;

const SeedResults* find_seed(const RowResults& row, int64_t seed) {
  const auto found = std::find_if(row.seeds.begin(), row.seeds.end(), [&](const SeedResults& one) { return one.seed == seed; });
  return found == row.seeds.end() ? nullptr : &*found;
}

// Planned for both rows; an untrained one stands against every seed.
std::vector<int64_t> common_seeds(const RowRecord& row, const RowRecord& against) {
  std::vector<int64_t> seeds = row.seeds;
  if (against.seeds == std::vector<int64_t>{0}) return seeds;
  std::erase_if(
      seeds, [&](int64_t seed) { return std::find(against.seeds.begin(), against.seeds.end(), seed) == against.seeds.end(); });
  return seeds;
}

// Into counts and differing. A problem that one of the two lacks differs.
void compare_counts(const SeedResults& row, const SeedResults& against, const std::vector<std::string>& sets,
                    ConditionFinding& finding) {
  static const SetCounts kNone;
  const auto of_set = [](const SeedResults& seed, const std::string& set) -> const SetCounts& {
    const auto found = seed.counts.sets.find(set);
    return found == seed.counts.sets.end() ? kNone : found->second;
  };
  for (const std::string& set : sets) {
    const SetCounts &mine = of_set(row, set), &theirs = of_set(against, set);
    for (const auto& [problem, counts] : mine) {
      ++finding.counts;
      const auto other = theirs.find(problem);
      const bool equal = other != theirs.end() && other->second.n == counts.n && other->second.right == counts.right;
      if (!equal) ++finding.differing;
    }
    for (const auto& [problem, counts] : theirs) {
      if (mine.contains(problem)) continue;
      ++finding.counts;
      ++finding.differing;
    }
  }
}

State state_of(bool holds) { return holds ? State::holds : State::fails; }

// `difference`: of the metric, one table a set; empty where the table has no such column.
void judge_difference(const SeedRule& rule, const Column& column, std::vector<SeedTable> difference,
                      ConditionFinding& finding) {
  SeedRule alone;
  alone.margin = rule.margin;
  const Contrast contrast{std::move(difference), column.percent() ? rule.margin : 0};
  finding.alone = VerdictRule(alone).judge(std::span(&contrast, 1)).each.front();
  if (finding.seeds < finding.planned || finding.alone.seeds < 2 || std::isnan(finding.alone.low)) return;
  finding.state = state_of(condition_holds(finding.condition, finding.alone));
}

}  // namespace

std::string state_name(State state) {
  static constexpr std::array kNames = {"not yet", "does not hold", "holds"};
  return kNames.at(static_cast<size_t>(state));
}

std::vector<ConditionFinding> judge_conditions(const ExperimentResults& results, const std::vector<Column>& columns,
                                               std::span<const RowTables> tables) {
  std::vector<ConditionFinding> findings;
  for (const Condition& condition : results.record.conditions) {
    for (const RowResults& row : results.rows) {
      const RowResults* against = results.find(row.record.base_model, condition.against);
      if (row.record.name != condition.row || against == nullptr) continue;
      ConditionFinding& finding = findings.emplace_back();
      finding.condition = condition;
      finding.base_model = row.record.base_model;
      const std::vector<int64_t> planned = common_seeds(row.record, against->record);
      finding.planned = std::ssize(planned);
      for (const int64_t seed : planned) {
        const SeedResults* mine = find_seed(row, seed);
        const SeedResults* theirs =
            against->record.seeds == std::vector<int64_t>{0} ? find_seed(*against, 0) : find_seed(*against, seed);
        if (mine == nullptr || theirs == nullptr) continue;
        ++finding.seeds;
        if (condition.is == Condition::Is::equal_bytes) compare_counts(*mine, *theirs, results.record.sets, finding);
      }
      if (condition.is == Condition::Is::equal_bytes) {
        if (finding.seeds == finding.planned && finding.counts > 0) finding.state = state_of(finding.differing == 0);
        continue;
      }
      const Column wanted = parse_column(condition.metric);
      const auto column = std::find_if(columns.begin(), columns.end(), [&](const Column& one) {
        return one.set == wanted.set && one.quantity == wanted.quantity && one.compared();
      });
      if (column == columns.end()) continue;  // as at a smaller scale
      const auto place = [&](const RowResults& one) { return static_cast<size_t>(&one - results.rows.data()); };
      judge_difference(results.record.rule, *column,
                       paired_differences(tables[place(row)], tables[place(*against)], *column, row.record.seeds), finding);
    }
  }
  return findings;
}

std::string why_withheld(std::span<const ConditionFinding> findings, const std::string& base_model) {
  std::string why;
  for (const ConditionFinding& finding : findings) {
    if (finding.base_model != base_model || finding.state == State::holds) continue;
    why += fmt::format("{}{} {}", why.empty() ? "withheld: " : ", ", finding.condition.name,
                       finding.state == State::fails ? "does not hold" : "cannot be judged yet");
  }
  return why;
}

std::string conditions_csv(std::span<const ConditionFinding> findings) {
  std::string text =
      "base_model,condition,row,against,metric,is,by,seeds,planned_seeds,difference,low,high,p_equivalence,counts,differing,"
      "finding\n";
  for (const ConditionFinding& finding : findings) {
    const Condition& condition = finding.condition;
    const ComparisonVerdict& alone = finding.alone;
    const bool bytes = condition.is == Condition::Is::equal_bytes;
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", csv_field(finding.base_model),
                        csv_field(condition.name), csv_field(condition.row), csv_field(condition.against),
                        csv_field(condition.metric), condition_name(condition.is), csv_number(condition.by), finding.seeds,
                        finding.planned, csv_number(bytes ? kUndefined : alone.difference.value), csv_number(alone.low),
                        csv_number(alone.high), csv_number(alone.p_equivalence), bytes ? std::to_string(finding.counts) : "",
                        bytes ? std::to_string(finding.differing) : "", state_name(finding.state));
  }
  return text;
}

}  // namespace harness
