#include "harness/report/table/footer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "harness/core/error.h"

namespace harness {

namespace {

std::string sampling_line(const ExperimentRecord& record) {
  return fmt::format(
      "n = {} samples a problem at {}, {}; pass@k is the unbiased estimate from all n "
      "samples for k = {}, in percent; a set's value is the mean over its problems, the average is over the sets.",
      record.n, record.temperature ? fmt::format("temperature {}", *record.temperature) : "an unknown temperature",
      record.eval_seed ? fmt::format("evaluation seed {}", *record.eval_seed) : "evaluation seeds unknown",
      fmt::join(record.k, ", "));
}

// Where seeds have fewer samples: which values are over which.
std::string fewer_samples_line(const ExperimentResults& results) {
  for (const RowResults& row : results.rows) {
    for (const SeedResults& seed : row.seeds) {
      if (seed.n == 0) continue;
      return fmt::format(
          "Of a row's seeds those in brackets have {} samples a problem, the others {}: pass@k, G-pass@k and maj@k with k "
          "above {}, Cover@tau, luck, distinct answers and their entropy are over those in brackets, all else over all.",
          results.record.n, seed.n, seed.n);
    }
  }
  return "";
}

std::string seeds_line(const ExperimentResults& results) {
  std::set<int64_t> seeds;
  size_t most = 0;
  for (const RowResults& row : results.rows) {
    if (!row.trained()) continue;
    most = std::max(most, row.seeds.size());
    for (const SeedResults& seed : row.seeds) seeds.insert(seed.seed);
  }
  if (seeds.empty()) return "No trained policy: one evaluation a row.";
  if (most == 1) return fmt::format("Training seed: {}.", fmt::join(seeds, ", "));
  return fmt::format(
      "Training seeds: {}; \u00b1 is the standard deviation over them. The error of the finite number of samples is "
      "given apart, in table.csv (sampling_error), and so are the 95 % intervals.",
      fmt::join(seeds, ", "));
}

std::string marks_line(const ExperimentResults& results, const Summary& summary) {
  if (summary.comparisons == 0) {
    const bool asked = std::any_of(results.rows.begin(), results.rows.end(),
                                   [](const RowResults& row) { return !row.record.compare_to.empty(); });
    return asked
               ? "No mark and no bold: with one training seed a row the spread between seeds is unknown, so no difference can "
                 "be told from chance."
               : "No mark: no row names another to be compared with (compare_to).";
  }
  std::set<std::string> against;
  for (const SummaryRow& row : summary.rows) {
    for (const TableEntry& entry : row.entries) {
      if (entry.comparison) against.insert(entry.comparison->against);
    }
  }
  const std::vector<std::string>& primary = results.record.primary;
  const std::string family =
      primary.empty() ? fmt::format("all {} comparisons of this table", summary.comparisons)
                      : fmt::format("the {} comparisons fixed beforehand ({})", summary.comparisons, fmt::join(primary, ", "));
  return fmt::format(
      "\u25b2 above and \u25bc below {} (same base model), paired by seed and problem, where the 95 % interval "
      "adjusted by Holm for {} excludes zero{}. Bold: best pass@k of its base model, where its paired interval against the "
      "second best, adjusted by Holm for the {} such leads, excludes zero.",
      fmt::join(against, ", "), family, summary.rule.kind == SeedRule::Kind::fixed ? "" : ", at the look that decided",
      summary.leads);
}

// What the rule's verdicts speak of, and what was changed after a look.
void add_rule_lines(const Summary& summary, const ExperimentRecord& record, std::vector<std::string>& lines) {
  const SeedRule& rule = summary.rule;
  if (rule.margin > 0) {
    lines.push_back(
        fmt::format("Equivalent: two one-sided tests show a difference smaller than {:.3g} points, adjusted by Holm for the "
                    "same comparisons.",
                    100 * rule.margin));
  }
  if (rule.kind == SeedRule::Kind::anytime || rule.kind == SeedRule::Kind::half_width) {
    lines.push_back(
        "Verdicts and their intervals are over training seeds, for the test problems as they are; the other intervals take the "
        "problems as a sample too.");
  }
  for (const std::string& change : record.amended) {
    lines.push_back(
        fmt::format("Changed {}. What was decided before and after does not err as seldom as the rule says.", change));
  }
}

// Where rows have other numbers of seeds.
std::string shared_seeds_line(const Summary& summary) {
  const auto differ = [](const SummaryRow& row) {
    return std::any_of(row.entries.begin(), row.entries.end(), [&](const TableEntry& entry) {
      return entry.comparison && entry.comparison->difference.seeds < entry.mean.seeds;
    });
  };
  std::set<int64_t> numbers;
  for (const SummaryRow& row : summary.rows) {
    if (row.source.empty() && row.seeds_planned > 1) numbers.insert(row.seeds_done);
  }
  const bool some = numbers.size() > 1 || std::any_of(summary.rows.begin(), summary.rows.end(), differ);
  return some ? "Differences, marks and verdicts are over the seeds that both rows have: where rows have other seeds, they are "
                "not the difference of the two means shown."
              : "";
}

std::string provenance_line(const ExperimentRecord& record) {
  const std::string largest = record.largest_log_prob_difference ? fmt::format("{:.3g}", *record.largest_log_prob_difference)
                                                                 : std::string("not measured");
  return fmt::format("Commit {}, config {}, device {}; largest difference of sampling and scoring log-probs: {}.",
                     record.commit.empty() ? "unknown" : record.commit,
                     record.config_hash.empty() ? "unknown" : record.config_hash.substr(0, 16),
                     record.device.empty() ? "unknown" : record.device, largest);
}

// How often a response is right by the main grader and not by another, or the other way round: over all rows' responses.
std::string graders_line(const ExperimentResults& results) {
  std::set<std::string> main;
  std::map<std::string, std::pair<int64_t, int64_t>> others;  // grader -> disagreements, responses
  for (const RowResults& row : results.rows) {
    for (const SeedResults& seed : row.seeds) {
      if (seed.counts.main_grader.empty()) continue;
      main.insert(seed.counts.main_grader);
      for (const auto& [grader, count] : seed.counts.disagreements) {
        others[grader].first += count;
        others[grader].second += seed.counts.responses;
      }
    }
  }
  if (main.empty()) return "";
  std::vector<std::string> parts;
  for (const auto& [grader, counts] : others) {
    parts.push_back(fmt::format(
        "{} on {:.2f} % of {} responses", grader,
        100.0 * static_cast<double>(counts.first) / static_cast<double>(std::max<int64_t>(1, counts.second)), counts.second));
  }
  const std::string line = fmt::format("Graded by {}", fmt::join(main, " or "));
  return parts.empty() ? line + "." : fmt::format("{}; graded otherwise by {}.", line, fmt::join(parts, ", by "));
}

// Steps at which too few groups were kept, where the run goes on with fewer or none.
std::string starved_line(const ExperimentResults& results) {
  double starved = 0;
  for (const RowResults& row : results.rows) {
    for (const SeedResults& seed : row.seeds) {
      const auto found = seed.curves.find("starved");
      if (found == seed.curves.end()) continue;
      for (const auto& [step, value] : found->second) starved += value;
    }
  }
  return starved > 0 ? fmt::format("{:.0f} training steps had fewer kept groups than asked for.", starved) : "";
}

// Alarms of the trainings: in how many, and of which rows.
std::string alarms_line(const ExperimentResults& results) {
  std::map<std::string, std::pair<int64_t, std::vector<std::string>>> met;  // name -> trainings, rows
  for (const RowResults& row : results.rows) {
    for (const SeedResults& seed : row.seeds) {
      for (const auto& [name, steps] : alarm_onsets(seed.curves)) {
        auto& [trainings, rows] = met[name];
        ++trainings;
        if (rows.empty() || rows.back() != row.record.shown()) rows.push_back(row.record.shown());
      }
    }
  }
  std::vector<std::string> parts;
  for (const auto& [name, where] : met) {
    parts.push_back(fmt::format("{} in {} ({})", name, where.first, fmt::join(where.second, ", ")));
  }
  return parts.empty() ? "" : fmt::format("Alarms while training, in so many trainings: {}.", fmt::join(parts, "; "));
}

std::string imported_line(const ExperimentRecord& record) {
  if (record.imported_from.empty()) return "";
  return fmt::format(
      "Evaluated elsewhere, read from files of {} (`medsbench results import`): what the trainings spent is not known.",
      record.imported_from);
}

std::string undefined_line(const Summary& summary) {
  for (const SummaryRow& row : summary.rows) {
    for (size_t c = 0; c < row.entries.size(); ++c) {
      if (summary.columns[c].kind() == ColumnKind::pass && std::isnan(row.entries[c].mean.value)) {
        return "- : no value (k above the number of samples, or a set that was not evaluated).";
      }
    }
  }
  return "";
}

}  // namespace

std::vector<std::string> footer_lines(const ExperimentResults& results, const Summary& summary) {
  std::vector<std::string> lines{sampling_line(results.record), seeds_line(results), marks_line(results, summary),
                                 provenance_line(results.record)};
  add_rule_lines(summary, results.record, lines);
  for (const std::string& line :
       {fewer_samples_line(results), shared_seeds_line(summary), imported_line(results.record), graders_line(results),
        starved_line(results), alarms_line(results), undefined_line(summary)}) {
    if (!line.empty()) lines.push_back(line);
  }
  lines.insert(lines.end(), results.record.notes.begin(), results.record.notes.end());
  std::set<std::string> sources;
  for (const SummaryRow& row : summary.rows) {
    if (!row.source.empty()) sources.insert(row.source);
  }
  if (!sources.empty()) lines.push_back(fmt::format("Published numbers: {}.", fmt::join(sources, "; ")));
  for (const RowResults& row : results.rows) {
    for (const std::string& failure : row.failures) lines.push_back("Failed: " + failure + ".");
  }
  return lines;
}

}  // namespace harness
