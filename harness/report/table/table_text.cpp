#include "harness/report/table/table_text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "harness/core/csv.h"
#include "harness/core/error.h"
#include "harness/report/table/beside_published.h"
#include "harness/report/table/table_layout.h"
#include "harness/report/table/verdict_table.h"

namespace harness {

namespace {

std::string markdown_entry(const Column& column, const TableEntry& entry) {
  std::string text = shown_value(column, entry.mean.value);
  if (entry.best) text = "**" + text + "**";
  const std::string spread = shown_spread(column, entry);
  if (!spread.empty()) text += " \u00b1 " + spread;
  return text + mark_text(entry, " \u25b2", " \u25bc");
}

std::string latex_entry(const Column& column, const TableEntry& entry) {
  std::string text = latex_escape(shown_value(column, entry.mean.value));
  if (text == "-") return "--";
  if (entry.best) text = "\\textbf{" + text + "}";
  const std::string spread = shown_spread(column, entry);
  if (!spread.empty()) text += "\\,{\\scriptsize$\\pm$" + latex_escape(spread) + "}";
  return text + mark_text(entry, "\\,$\\uparrow$", "\\,$\\downarrow$");
}

void markdown_part(const Summary& summary, const TablePart& part, std::string& text) {
  const bool groups = part.groups.size() > 1;
  text += groups ? "| base model | method | seeds |" : "| method | seeds |";
  for (const size_t c : part.columns) text += fmt::format(" {} |", markdown_escape(full_heading(summary.columns[c])));
  text += groups ? "\n|---|---|---:|" : "\n|---|---:|";
  for (size_t i = 0; i < part.columns.size(); ++i) text += "---:|";
  text += "\n";
  for (const RowGroup& group : part.groups) {
    for (const size_t i : group.rows) {
      const SummaryRow& row = summary.rows[i];
      if (groups) text += fmt::format("| {} ", i == group.rows.front() ? markdown_escape(group.base_model) : "");
      text += fmt::format("| {} | {} |", markdown_escape(row.label), shown_seeds(row));
      for (const size_t c : part.columns) text += fmt::format(" {} |", markdown_entry(summary.columns[c], row.entries[c]));
      text += "\n";
    }
  }
}

// Two header lines: sets over their metrics.
void latex_header(const Summary& summary, const TablePart& part, std::string& text) {
  std::string sets, rules, metrics;
  for (size_t i = 0; i < part.columns.size();) {
    const std::string& set = summary.columns[part.columns[i]].set;
    size_t end = i;
    while (end < part.columns.size() && summary.columns[part.columns[end]].set == set) ++end;
    sets += fmt::format(" & \\multicolumn{{{}}}{{c}}{{{}}}", end - i, latex_escape(set));
    rules += fmt::format("\\cmidrule(lr){{{}-{}}}", i + 3, end + 2);
    i = end;
  }
  for (const size_t c : part.columns) metrics += fmt::format(" & {}", latex_escape(summary.columns[c].quantity.heading()));
  if (part.by_set) text += " &" + sets + " \\\\\n" + rules + "\n";
  text += "method & seeds" + metrics + " \\\\\n\\midrule\n";
}

void latex_part(const Summary& summary, const TablePart& part, std::string& text) {
  text += fmt::format("\\begin{{tabular}}{{l{}}}\n\\toprule\n", std::string(part.columns.size() + 1, 'r'));
  latex_header(summary, part, text);
  for (const RowGroup& group : part.groups) {
    if (&group != &part.groups.front()) text += "\\midrule\n";
    if (part.groups.size() > 1) {
      text += fmt::format("\\multicolumn{{{}}}{{l}}{{\\emph{{{}}}}} \\\\\n", part.columns.size() + 2,
                          latex_escape(group.base_model));
    }
    for (const size_t i : group.rows) {
      text += latex_escape(summary.rows[i].label) + " & " + shown_seeds(summary.rows[i]);
      for (const size_t c : part.columns) text += " & " + latex_entry(summary.columns[c], summary.rows[i].entries[c]);
      text += " \\\\\n";
    }
  }
  text += "\\bottomrule\n\\end{tabular}\n";
}

std::string csv_line(const SummaryRow& row, const Column& column, const TableEntry& entry) {
  const MeanInterval& mean = entry.mean;
  std::string line = fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}", csv_field(row.base_model), csv_field(row.name),
                                 csv_field(row.source), csv_field(column.set), column.quantity.name(), csv_number(mean.value),
                                 csv_number(mean.low), csv_number(mean.high), csv_number(mean.seed_deviation),
                                 csv_number(entry.sampling_error), mean.seeds, mean.problems);
  if (!entry.comparison) return line + fmt::format(",,,,,,,,,,,{}\n", entry.best ? 1 : 0);
  const Comparison& comparison = *entry.comparison;
  const ComparisonVerdict verdict = comparison.verdict.value_or(ComparisonVerdict{});
  return line + fmt::format(",{},{},{},{},{},{},{},{},{},{},{}\n", csv_field(comparison.against),
                            csv_number(comparison.difference.value), csv_number(comparison.difference.low),
                            csv_number(comparison.difference.high), csv_number(comparison.difference.p_value),
                            csv_number(verdict.p_value), csv_number(verdict.low), csv_number(verdict.high),
                            comparison.difference.seeds, comparison.mark(), entry.best ? 1 : 0);
}

// Columns a terminal shows of a UTF-8 text without combining marks.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(std::string_view text, size_t width, bool right) {
  const std::string space(width - std::min(width, width_of(text)), ' ');
  return right ? space + std::string(text) : std::string(text) + space;
}

// Columns from `first_right` on to the right; a rule below the header's lines.
void add_aligned(const std::vector<std::vector<std::string>>& lines, size_t header, size_t first_right, std::string& text) {
  std::vector<size_t> widths;
  for (const auto& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], width_of(line[c]));
  }
  size_t total = 0;
  for (const size_t width : widths) total += width + 2;
  for (size_t l = 0; l < lines.size(); ++l) {
    std::string line;
    for (size_t c = 0; c < lines[l].size(); ++c) line += (c > 0 ? "  " : "") + padded(lines[l][c], widths[c], c >= first_right);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    if (l + 1 == header) text += std::string(total - 2, '-') + "\n";
  }
}

void terminal_part(const Summary& summary, const TablePart& part, std::string& text) {
  std::vector<std::vector<std::string>> lines(part.by_set ? 2 : 1);
  if (part.by_set) {
    lines[0].assign(2, "");
    std::string last;
    for (const size_t c : part.columns) {
      lines[0].push_back(summary.columns[c].set == last ? "" : summary.columns[c].set);
      last = summary.columns[c].set;
    }
  }
  lines.back() = {"method", "seeds"};
  for (const size_t c : part.columns) lines.back().push_back(summary.columns[c].quantity.heading());
  const size_t header = lines.size();
  std::vector<size_t> group_starts;
  for (const RowGroup& group : part.groups) {
    if (part.groups.size() > 1) {
      group_starts.push_back(lines.size());
      lines.push_back({group.base_model});
    }
    for (const size_t i : group.rows) {
      lines.push_back({(part.groups.size() > 1 ? "  " : "") + summary.rows[i].label, shown_seeds(summary.rows[i])});
      for (const size_t c : part.columns) {
        const TableEntry& entry = summary.rows[i].entries[c];
        lines.back().push_back(shown_value(summary.columns[c], entry.mean.value) + (entry.best ? "*" : "") +
                               mark_text(entry, "\u25b2", "\u25bc"));
      }
    }
  }
  add_aligned(lines, header, 1, text);
}

void markdown_published(const Summary& summary, std::string& text) {
  const auto pairs = published_pairs(summary);
  if (pairs.empty()) return;
  text += fmt::format("\n{}\n\n| {} |\n|---|---|---|---:|---:|---:|---:|---|\n", kPublishedCaption,
                      fmt::join(published_headings(), " | "));
  for (const PublishedPair& pair : pairs) {
    for (const std::string& cell : published_cells(pair)) text += "| " + markdown_escape(cell) + " ";
    text += "|\n";
  }
}

void latex_published(const Summary& summary, std::string& text) {
  const auto pairs = published_pairs(summary);
  if (pairs.empty()) return;
  text += fmt::format("\\begin{{table*}}[t]\n\\centering\n\\footnotesize\n\\caption{{{}}}\n", latex_escape(kPublishedCaption));
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string joined;
    for (const std::string& cell : cells) joined += (joined.empty() ? "" : " & ") + latex_escape(cell);
    return joined + " \\\\\n";
  };
  text += "\\begin{tabular}{lllrrrrl}\n\\toprule\n" + line(published_headings()) + "\\midrule\n";
  for (const PublishedPair& pair : pairs) text += line(published_cells(pair));
  text += "\\bottomrule\n\\end{tabular}\n\\end{table*}\n";
}

void markdown_verdicts(const VerdictTable& table, std::string& text) {
  text += fmt::format("\n{}\n\n", markdown_escape(table.caption));
  if (!table.lines.empty()) {
    text += fmt::format("| {} |\n|---|---|---|---:|---:|---:|---:|\n", fmt::join(table.headings, " | "));
    for (const auto& line : table.lines) {
      for (const std::string& cell : line) text += "| " + markdown_escape(cell) + " ";
      text += "|\n";
    }
  }
  if (!table.rest.empty()) text += (table.lines.empty() ? "" : "\n") + table.rest + "\n";
}

void latex_verdicts(const std::string& title, const VerdictTable& table, std::string& text) {
  text += fmt::format("\\begin{{table*}}[t]\n\\centering\n\\footnotesize\n\\caption{{{}: {}}}\n", latex_escape(title),
                      latex_escape(table.caption));
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string joined;
    for (const std::string& cell : cells) joined += (joined.empty() ? "" : " & ") + latex_escape(cell);
    return joined + " \\\\\n";
  };
  if (!table.lines.empty()) {
    text += "\\begin{tabular}{lllrrrr}\n\\toprule\n" + line(table.headings) + "\\midrule\n";
    for (const auto& cells : table.lines) text += line(cells);
    text += "\\bottomrule\n\\end{tabular}\n";
  }
  if (!table.rest.empty()) text += "\\par\\smallskip\n" + latex_escape(table.rest) + "\n";
  text += "\\end{table*}\n";
}

}  // namespace

std::string markdown_escape(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    if (character == '\n' || character == '\r') {
      escaped += ' ';
      continue;
    }
    if (std::string_view("\\`*_{}[]<>#|").find(character) != std::string_view::npos) escaped += '\\';
    escaped += character;
  }
  return escaped;
}

std::string latex_escape(std::string_view text) {
  std::string escaped;
  for (size_t i = 0; i < text.size(); ++i) {
    const char character = text[i];
    const std::string_view rest = text.substr(i);
    if (std::string_view("&%$#_{}").find(character) != std::string_view::npos) {
      escaped += std::string("\\") + character;
    } else if (character == '\\') {
      escaped += "\\textbackslash{}";
    } else if (character == '~') {
      escaped += "\\textasciitilde{}";
    } else if (character == '^') {
      escaped += "\\textasciicircum{}";
    } else if (character == '<' || character == '>') {
      escaped += character == '<' ? "\\textless{}" : "\\textgreater{}";
    } else if (rest.starts_with("\u00b1")) {
      escaped += "$\\pm$";
      i += 1;
    } else if (rest.starts_with("\u25b2") || rest.starts_with("\u25bc")) {
      escaped += rest.starts_with("\u25b2") ? "$\\uparrow$" : "$\\downarrow$";
      i += 2;
    } else {
      escaped += character == '\n' || character == '\r' ? ' ' : character;
    }
  }
  return escaped;
}

std::string markdown_table(const Summary& summary) {
  std::string text = fmt::format("# {}\n", markdown_escape(summary.title));
  for (const VerdictTable& table : verdict_tables(summary)) markdown_verdicts(table, text);
  for (const TablePart& part : table_parts(summary)) {
    text += fmt::format("\n{}\n\n", markdown_escape(part.caption));
    markdown_part(summary, part, text);
  }
  markdown_published(summary, text);
  text += "\n";
  for (const std::string& line : summary.footer) text += fmt::format("- {}\n", markdown_escape(line));
  return text;
}

std::string latex_table(const Summary& summary) {
  std::string text = "% needs \\usepackage{booktabs}\n";
  for (const VerdictTable& table : verdict_tables(summary)) latex_verdicts(summary.title, table, text);
  for (const TablePart& part : table_parts(summary)) {
    text += "\\begin{table*}[t]\n\\centering\n\\footnotesize\n\\setlength{\\tabcolsep}{3pt}\n";
    text += fmt::format("\\caption{{{}: {}}}\n", latex_escape(summary.title), latex_escape(part.caption));
    latex_part(summary, part, text);
    if (part.last) {
      text += "\\par\\smallskip\n\\begin{minipage}{\\textwidth}\\scriptsize\n";
      for (const std::string& line : summary.footer) text += latex_escape(line) + "\n";
      text += "\\end{minipage}\n";
    }
    text += "\\end{table*}\n";
  }
  latex_published(summary, text);
  return text;
}

std::string csv_table(const Summary& summary) {
  std::string text =
      "base_model,row,source,set,metric,value,low,high,seed_deviation,sampling_error,seeds,problems,against,difference,"
      "difference_low,difference_high,p,p_holm,adjusted_low,adjusted_high,paired_seeds,mark,best\n";
  for (const SummaryRow& row : summary.rows) {
    for (size_t c = 0; c < row.entries.size(); ++c) text += csv_line(row, summary.columns[c], row.entries[c]);
  }
  return text;
}

std::string verdicts_text(const Summary& summary) {
  std::string text;
  for (const VerdictTable& table : verdict_tables(summary)) {
    text += "\n" + table.caption + "\n";
    if (!table.lines.empty()) {
      std::vector<std::vector<std::string>> lines{table.headings};
      lines.insert(lines.end(), table.lines.begin(), table.lines.end());
      add_aligned(lines, 1, 3, text);
    }
    if (!table.rest.empty()) text += table.rest + "\n";
  }
  return text;
}

std::string terminal_table(const Summary& summary) {
  std::string text = summary.title + "\n" + verdicts_text(summary);
  for (const TablePart& part : table_parts(summary)) {
    text += fmt::format("\n{}\n", part.caption);
    terminal_part(summary, part, text);
  }
  text += "\n";
  for (const std::string& line : summary.footer) text += line + "\n";
  return text;
}

}  // namespace harness
