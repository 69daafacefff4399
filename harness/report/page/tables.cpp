#include <algorithm>
#include <cmath>

#include "harness/core/error.h"
#include "harness/report/figures/svg.h"
#include "harness/report/page/sections.h"
#include "harness/report/table/beside_published.h"
#include "harness/report/table/checkpoints.h"
#include "harness/report/table/noise.h"
#include "harness/report/table/table_layout.h"
#include "harness/report/table/verdict_table.h"

namespace harness {

namespace {

// What the reader sees on pointing at a number: its interval, spread and comparison.
std::string tooltip(const Column& column, const TableEntry& entry) {
  std::string text;
  if (!std::isnan(entry.mean.low)) {
    text += fmt::format("95 % interval {} to {}", shown_value(column, entry.mean.low), shown_value(column, entry.mean.high));
  }
  if (entry.comparison) {
    const Comparison& comparison = *entry.comparison;
    const std::string adjusted =
        !comparison.verdict ? fmt::format("p {:.3g}, not adjusted: outside the table's family", comparison.difference.p_value)
                            : fmt::format("Holm-adjusted p {:.3g}", comparison.verdict->p_value);
    text += fmt::format("{}against {}: {} ({} to {}), {}, probability of improvement {:.2f}", text.empty() ? "" : "; ",
                        comparison.against, shown_value(column, comparison.difference.value),
                        shown_value(column, comparison.difference.low), shown_value(column, comparison.difference.high),
                        adjusted, comparison.improvement);
  }
  return text;
}

std::string table_entry(const Column& column, const TableEntry& entry) {
  const std::string value = shown_value(column, entry.mean.value);
  const std::string tip = tooltip(column, entry);
  const std::string spread = shown_spread(column, entry);
  std::string text = tip.empty() ? "<td>" : fmt::format("<td title=\"{}\">", markup_escape(tip));
  text += entry.best ? "<strong>" + value + "</strong>" : value;
  if (!spread.empty()) text += "<small> \u00b1 " + spread + "</small>";
  text += mark_text(entry, "<span class=\"up\"> \u25b2</span>", "<span class=\"down\"> \u25bc</span>");
  return text + "</td>";
}

std::string table_head(const Summary& summary, const TablePart& part) {
  std::string text = "<thead>";
  if (part.by_set) {
    text += "<tr><th></th><th></th>";
    for (size_t i = 0; i < part.columns.size();) {
      const std::string& set = summary.columns[part.columns[i]].set;
      size_t end = i;
      while (end < part.columns.size() && summary.columns[part.columns[end]].set == set) ++end;
      text += fmt::format("<th class=\"set\" colspan=\"{}\" scope=\"colgroup\">{}</th>", end - i, markup_escape(set));
      i = end;
    }
    text += "</tr>";
  }
  text += "<tr><th scope=\"col\">method</th><th scope=\"col\">seeds</th>";
  for (const size_t c : part.columns) text += fmt::format("<th scope=\"col\">{}</th>", summary.columns[c].quantity.heading());
  return text + "</tr></thead>\n";
}

std::string table_part(const Summary& summary, const TablePart& part) {
  std::string text = fmt::format("<div class=\"scroll\"><table><caption>{}</caption>{}<tbody>\n", markup_escape(part.caption),
                                 table_head(summary, part));
  for (const RowGroup& group : part.groups) {
    if (part.groups.size() > 1) {
      text += fmt::format("<tr class=\"group\"><th colspan=\"{}\" scope=\"rowgroup\">{}</th></tr>\n", part.columns.size() + 2,
                          markup_escape(group.base_model));
    }
    for (const size_t i : group.rows) {
      const SummaryRow& row = summary.rows[i];
      text += row.source.empty() ? "<tr>" : "<tr class=\"published\">";
      text += fmt::format("<td>{}</td><td>{}</td>", markup_escape(row.label), shown_seeds(row));
      for (const size_t c : part.columns) text += table_entry(summary.columns[c], row.entries[c]);
      text += "</tr>\n";
    }
  }
  return text + "</tbody></table></div>\n";
}

std::string plain_table(const std::string& caption, const std::vector<std::string>& headings,
                        const std::vector<std::vector<std::string>>& lines) {
  std::string text = fmt::format("<div class=\"scroll\"><table><caption>{}</caption><thead><tr>", markup_escape(caption));
  for (const std::string& heading : headings) text += fmt::format("<th scope=\"col\">{}</th>", markup_escape(heading));
  text += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& line : lines) {
    text += "<tr>";
    for (const std::string& cell : line) text += "<td>" + markup_escape(cell) + "</td>";
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

std::string published_table(const Summary& summary) {
  std::vector<std::vector<std::string>> lines;
  for (const PublishedPair& pair : published_pairs(summary)) lines.push_back(published_cells(pair));
  return lines.empty() ? "" : plain_table(kPublishedCaption, published_headings(), lines);
}

std::string verdicts_of(const Summary& summary) {
  std::string text;
  for (const VerdictTable& table : verdict_tables(summary)) {
    text += table.lines.empty() ? fmt::format("<p>{}</p>\n", markup_escape(table.caption))
                                : plain_table(table.caption, table.headings, table.lines);
    if (!table.rest.empty()) text += fmt::format("<p class=\"note\">{}</p>\n", markup_escape(table.rest));
  }
  return text;
}

}  // namespace

std::string html_section(const std::string& id, const std::string& title, const std::string& body) {
  if (body.empty()) return "";
  return fmt::format("<section id=\"{}\"><h2>{}</h2>\n{}</section>\n", id, markup_escape(title), body);
}

std::string html_tables(const Summary& summary) {
  std::string text = verdicts_of(summary);
  for (TablePart part : table_parts(summary)) {
    // A screen shows the left of a wide table: there stands the average.
    std::stable_partition(part.columns.begin(), part.columns.end(),
                          [&](size_t c) { return summary.columns[c].set == kAverage; });
    text += table_part(summary, part);
  }
  text += published_table(summary);
  text += "<ul class=\"note\">";
  for (const std::string& line : summary.footer) text += "<li>" + markup_escape(line) + "</li>\n";
  return text + "</ul>\n";
}

std::string html_noise(const ExperimentResults& results, const Summary& summary) {
  std::vector<std::vector<std::string>> lines;
  for (const NoiseRecord& record : shown_noise(noise_records(results, summary))) lines.push_back(noise_cells(record));
  if (lines.empty()) return "";
  return fmt::format("<p class=\"note\">{}</p>\n", markup_escape(noise_note())) +
         plain_table(kNoiseCaption, noise_headings(), lines);
}

std::string html_checkpoints(const ExperimentResults& results) {
  std::string text;
  for (const CheckpointTable& table : checkpoint_tables(results, checkpoint_records(results))) {
    text += plain_table(table.caption, table.headings, table.lines);
  }
  return text;
}

std::string html_figures(const Figures& figures, const std::string& section, const std::string& note) {
  std::string text;
  for (const Figure& figure : figures.figures) {
    if (figure.chart.section != section) continue;
    const bool wide = section == "pass@k" && text.empty();
    text += fmt::format("<figure{}>{}</figure>\n", wide ? " class=\"wide\"" : "", figure.svg);
  }
  if (text.empty()) return "";
  return (note.empty() ? "" : "<p class=\"note\">" + note + "</p>") + "<div class=\"figures\">\n" + text + "</div>\n";
}

}  // namespace harness
