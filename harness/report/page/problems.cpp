#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "harness/core/error.h"
#include "harness/report/figures/svg.h"
#include "harness/report/page/sections.h"
#include "harness/stats/seed_table.h"

namespace harness {

namespace {

// Class of a difference of pass rates: p4 .. p1, z0, n1 .. n4.
std::string shade(double difference) {
  constexpr std::array<double, 4> kSteps{0.05, 0.15, 0.30, 0.50};
  int level = 0;
  for (const double step : kSteps) level += std::abs(difference) >= step ? 1 : 0;
  if (level == 0) return "z0";
  return fmt::format("{}{}", difference > 0 ? 'p' : 'n', level);
}

std::string heat_strip(const ExperimentResults& results, const std::string& set) {
  constexpr int kLabel = 210, kCell = 9, kLine = 18;
  std::string rows;
  size_t widest = 0, count = 0;
  for (const RowResults& row : results.rows) {
    const RowResults* base = results.base_of(row);
    if (base == nullptr) continue;
    const SeedTable difference =
        paired_difference(seed_table(row, set, Quantity::pass(1)), seed_table(*base, set, Quantity::pass(1)));
    if (difference.problems.empty() || difference.seeds.empty()) continue;
    const size_t top = count * kLine;
    rows += fmt::format("<text class=\"label\" x=\"0\" y=\"{}\">{}</text>", top + 12,
                        markup_escape(fmt::format("{} \u2212 {}", row.record.shown(), base->record.shown())));
    for (size_t problem = 0; problem < difference.problems.size(); ++problem) {
      const double value = problem_mean(difference, problem);
      rows += fmt::format(
          "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}: {:+.1f} points</title></rect>",
          std::isnan(value) ? "z0" : shade(value), kLabel + problem * kCell, top, kCell - 1, kLine - 3,
          markup_escape(difference.problems[problem]), 100 * value);
    }
    rows += "\n";
    widest = std::max(widest, difference.problems.size());
    ++count;
  }
  if (rows.empty()) return "";
  const size_t width = kLabel + widest * kCell;
  return fmt::format(
      "<h3>{}</h3><div class=\"scroll\"><svg class=\"strip\" role=\"img\" width=\"{}\" height=\"{}\" "
      "viewBox=\"0 0 {} {}\"><title>Change of the pass rate of each problem of {}</title>{}</svg></div>\n",
      markup_escape(set), width, count * kLine, width, count * kLine, markup_escape(set), rows);
}

std::string bar_cell(double share) {
  return fmt::format("<td><span class=\"bar\" style=\"width:{:.2f}em\"></span>{:.1f}</td>", 4 * share, 100 * share);
}

std::string sample_markup(const SampleText& sample) {
  const std::string label = sample.error_label.empty() ? "" : ", " + sample.error_label;
  return fmt::format("<p><strong>{}</strong>{}: answer <code>{}</code>, as {} of {} samples</p><pre>{}</pre>\n",
                     to_string(sample.verdict), markup_escape(label),
                     sample.answer.empty() ? "none" : markup_escape(sample.answer), sample.group_size, sample.samples,
                     markup_escape(sample.text));
}

std::string problem_markup(const SampleText& sample) {
  const std::string head = fmt::format("<h3>{}: {}</h3>\n", markup_escape(sample.set), markup_escape(sample.problem));
  if (sample.problem_text.empty()) return head;
  return head + fmt::format("<pre>{}</pre><p>right answer: <code>{}</code></p>\n", markup_escape(sample.problem_text),
                            markup_escape(sample.right_answer));
}

}  // namespace

std::string html_heat_maps(const ExperimentResults& results) {
  std::string strips;
  for (const std::string& set : results.record.sets) strips += heat_strip(results, set);
  if (strips.empty()) return "";
  std::string legend = "<p class=\"legend\">";
  for (const auto& [name, text] : {std::pair{"n4", "\u2212 50 points and more"},
                                   {"n3", "\u2212 30"},
                                   {"n2", "\u2212 15"},
                                   {"n1", "\u2212 5"},
                                   {"z0", "within 5"},
                                   {"p1", "+ 5"},
                                   {"p2", "+ 15"},
                                   {"p3", "+ 30"},
                                   {"p4", "+ 50 and more"}}) {
    legend += fmt::format("<span><i class=\"{}\"></i>{}</span>", name, text);
  }
  return "<p class=\"note\">One square a problem: pass rate (mean over seeds) minus that of the row it is compared with. Point "
         "at "
         "a square for its problem and number; all counts are in counts.csv.</p>" +
         legend + "</p>\n" + strips;
}

std::string html_wrong_groups(const ExperimentResults& results) {
  constexpr std::array<int64_t, 7> kFrom{1, 2, 3, 5, 9, 17, 33};
  std::string body;
  for (const RowResults& row : results.rows) {
    std::array<int64_t, kFrom.size()> counts{};
    int64_t total = 0;
    for (const SeedResults& seed : row.seeds) {
      for (const auto& [set, problems] : seed.counts.sets) {
        for (const auto& [problem, counted] : problems) {
          for (const int64_t size : counted.wrong_groups) {
            const auto bin = std::upper_bound(kFrom.begin(), kFrom.end(), size) - kFrom.begin() - 1;
            ++counts[static_cast<size_t>(bin)];
            ++total;
          }
        }
      }
    }
    if (total == 0) continue;
    body += fmt::format("<tr><td>{}</td><td>{:.0f}</td>", markup_escape(row.record.shown()),
                        static_cast<double>(total) / static_cast<double>(row.seeds.size()));
    for (const int64_t count : counts) body += bar_cell(static_cast<double>(count) / static_cast<double>(total));
    body += "</tr>\n";
  }
  if (body.empty()) return "";
  std::string head = "<th scope=\"col\">method</th><th scope=\"col\">groups a seed</th>";
  for (size_t bin = 0; bin < kFrom.size(); ++bin) {
    const bool last = bin + 1 == kFrom.size();
    const std::string range = last                               ? fmt::format("{} and more", kFrom[bin])
                              : kFrom[bin] + 1 == kFrom[bin + 1] ? fmt::format("{}", kFrom[bin])
                                                                 : fmt::format("{} to {}", kFrom[bin], kFrom[bin + 1] - 1);
    head += "<th scope=\"col\">" + range + "</th>";
  }
  return "<p class=\"note\">Wrong responses to one problem with the same final answer form a group; columns: responses in a "
         "group, percent of all groups.</p><div class=\"scroll\"><table><thead><tr>" +
         head + "</tr></thead><tbody>\n" + body + "</tbody></table></div>\n";
}

std::string html_error_labels(const ExperimentResults& results) {
  constexpr size_t kShown = 10;
  std::map<std::string, int64_t> totals;
  std::vector<std::map<std::string, int64_t>> rows;
  for (const RowResults& row : results.rows) {
    std::map<std::string, int64_t>& counts = rows.emplace_back();
    for (const SeedResults& seed : row.seeds) {
      for (const auto& [set, problems] : seed.counts.sets) {
        for (const auto& [problem, counted] : problems) {
          for (const auto& [label, count] : counted.error_labels) {
            counts[label] += count;
            totals[label] += count;
          }
        }
      }
    }
  }
  if (totals.empty()) return "";
  std::vector<std::pair<std::string, int64_t>> order(totals.begin(), totals.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  order.resize(std::min(order.size(), kShown));
  std::string text =
      "<p class=\"note\">True labels of wrong answers, known to the generator of the problems: percent of a row's "
      "labelled wrong responses, the most frequent labels.</p><div class=\"scroll\"><table><thead><tr><th>method</th>";
  for (const auto& [label, count] : order) text += "<th scope=\"col\">" + markup_escape(label) + "</th>";
  text += "</tr></thead><tbody>\n";
  for (size_t i = 0; i < rows.size(); ++i) {
    int64_t sum = 0;
    for (const auto& [label, count] : rows[i]) sum += count;
    if (sum == 0) continue;
    text += "<tr><td>" + markup_escape(results.rows[i].record.shown()) + "</td>";
    for (const auto& [label, count] : order) text += bar_cell(static_cast<double>(rows[i][label]) / static_cast<double>(sum));
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

std::string html_responses(const ExperimentResults& results) {
  std::string text;
  for (const RowResults& row : results.rows) {
    if (row.seeds.empty() || row.seeds.front().counts.samples.empty()) continue;
    text += fmt::format("<details><summary>{}, seed {}</summary>\n", markup_escape(row.record.shown()), row.seeds.front().seed);
    std::string problem;
    for (const SampleText& sample : row.seeds.front().counts.samples) {
      if (sample.problem != problem) {
        problem = sample.problem;
        text += problem_markup(sample);
      }
      text += sample_markup(sample);
    }
    text += "</details>\n";
  }
  if (text.empty()) return "";
  return "<p class=\"note\">Of the first problems of each set that are sometimes solved: one right response and one of each of "
         "the largest groups of equal wrong answers.</p>\n" +
         text;
}

}  // namespace harness
