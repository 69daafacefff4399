#include "harness/report/table/columns.h"

#include <algorithm>

#include "harness/core/error.h"

namespace harness {

namespace {

using Kind = Quantity::Kind;

// None given: all are.
void set_primary(const std::vector<std::string>& primary, std::vector<Column>& columns) {
  if (primary.empty()) return;
  for (Column& column : columns) column.primary = false;
  for (const std::string& text : primary) {
    const Column wanted = with_context("primary", [&] { return parse_column(text); });
    for (Column& column : columns) {
      if (column.set == wanted.set && column.quantity == wanted.quantity) column.primary = true;
    }
  }
}

}  // namespace

ColumnKind Column::kind() const {
  switch (quantity.kind) {
    case Kind::pass:
    case Kind::g_pass:
    case Kind::maj:
    case Kind::cover:
      return ColumnKind::pass;
    case Kind::luck:
      return ColumnKind::luck;
    case Kind::distinct_answers:
    case Kind::answer_entropy:
      return ColumnKind::diversity;
    case Kind::no_answer:
    case Kind::undecided:
    case Kind::disagreement:
      return ColumnKind::verifier;
    case Kind::iqm:
      return ColumnKind::aggregate;
    case Kind::train_pass_rate:
    case Kind::rollout_pass_rate:
      return ColumnKind::train;
    default:
      return ColumnKind::budget;
  }
}

bool Column::of_problems() const {
  return kind() == ColumnKind::pass || kind() == ColumnKind::luck || kind() == ColumnKind::diversity ||
         kind() == ColumnKind::verifier;
}

bool Column::percent() const { return kind() != ColumnKind::diversity && kind() != ColumnKind::budget; }

bool Column::compared() const { return kind() == ColumnKind::pass || kind() == ColumnKind::diversity; }

Column parse_column(std::string_view text) {
  const size_t space = text.rfind(' ');
  if (space == std::string_view::npos || space == 0) {
    throw Error("expected a set and a metric such as \"average pass@1\", found \"{}\"", text);
  }
  return {std::string(text.substr(0, space)), parse_quantity(text.substr(space + 1))};
}

std::vector<Column> table_columns(const TableSettings& settings, bool graded_twice) {
  std::vector<Column> columns;
  std::vector<std::string> sets = settings.sets;
  if (sets.size() > 1) sets.push_back(kAverage);
  for (const std::string& set : sets) {
    for (const int64_t k : settings.k) columns.push_back({set, Quantity::pass(k)});
    for (const int64_t k : settings.k) {
      if (k == 1) continue;  // both are pass@1 there
      if (settings.maj) columns.push_back({set, {Kind::maj, k, 0}});
      for (const double tau : settings.g_pass) columns.push_back({set, {Kind::g_pass, k, tau}});
    }
    for (const double tau : settings.cover) columns.push_back({set, {Kind::cover, 0, tau}});
  }
  for (const Kind kind : {Kind::iqm, Kind::luck, Kind::distinct_answers, Kind::answer_entropy, Kind::train_pass_rate,
                          Kind::rollout_pass_rate, Kind::no_answer, Kind::undecided}) {
    columns.push_back({kAverage, {kind}});
  }
  if (graded_twice) columns.push_back({kAverage, {Kind::disagreement}});
  for (const Kind kind :
       {Kind::tokens_generated, Kind::responses_generated, Kind::responses_kept, Kind::updates, Kind::visits_per_problem}) {
    columns.push_back({kAverage, {kind}});
  }
  set_primary(settings.primary, columns);
  return columns;
}

}  // namespace harness
