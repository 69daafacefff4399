#include "harness/report/table/beside_published.h"

#include <fmt/format.h>

#include <cmath>

#include "harness/report/table/table_layout.h"

namespace harness {

namespace {

PublishedPair make_pair(const SummaryRow& row, const Column& column, const MeanInterval& ours, double published) {
  PublishedPair pair{row.base_model,
                     row.name,
                     full_heading(column),
                     shown_value(column, ours.value),
                     "-",
                     shown_value(column, published),
                     "",
                     "-"};
  const double factor = column.percent() ? 100 : 1;
  pair.difference = fmt::format("{:+.{}f}", factor * (ours.value - published), column.percent() ? 1 : 2);
  if (!std::isnan(ours.low)) {
    pair.interval = fmt::format("{} to {}", shown_value(column, ours.low), shown_value(column, ours.high));
    pair.inside = ours.low <= published && published <= ours.high ? "yes" : "no";
  }
  return pair;
}

}  // namespace

std::vector<PublishedPair> published_pairs(const Summary& summary) {
  std::vector<PublishedPair> pairs;
  for (const SummaryRow& row : summary.rows) {
    if (!row.source.empty()) continue;
    for (const SummaryRow& other : summary.rows) {
      if (other.source.empty() || other.base_model != row.base_model || other.name != row.name) continue;
      for (size_t c = 0; c < summary.columns.size(); ++c) {
        const double published = other.entries[c].mean.value;
        const MeanInterval& ours = row.entries[c].mean;
        if (!std::isnan(published) && !std::isnan(ours.value))
          pairs.push_back(make_pair(row, summary.columns[c], ours, published));
      }
    }
  }
  return pairs;
}

std::vector<std::string> published_headings() {
  return {"base model", "method", "column", "ours", "95 % interval", "published", "difference", "inside"};
}

std::vector<std::string> published_cells(const PublishedPair& pair) {
  return {pair.base_model, pair.method, pair.column, pair.ours, pair.interval, pair.published, pair.difference, pair.inside};
}

}  // namespace harness
