#include "harness/report/table/table_keys.h"

#include "harness/core/error.h"
#include "harness/report/table/columns.h"

namespace harness {

namespace {

// Where the key stands, for errors.
std::string place_of_key(const ConfigReader& keys, const std::string& key) {
  const Config::Entry* entry = keys.config().find(key);
  return (entry == nullptr ? keys.config().name() : entry->origin) + ": " + key;
}

// until.*: how many seeds rows get.
SeedRule read_seed_rule(ConfigReader& keys) {
  SeedRule rule;
  rule.kind = rule_kind(keys.text("until.rule", rule_name(rule.kind), rule_names(), "how many training seeds rows get"));
  rule.boundary =
      boundary_of(keys.text("until.boundary", std::string(boundary_name(rule.boundary)), {"obrien_fleming", "pocock"},
                            "of group_sequential: how the error is spread over the looks"));
  rule.looks = keys.integers("until.looks", {}, "of group_sequential: numbers of seeds at which one looks");
  const int64_t smallest = keys.integer("until.smallest", 5, 2, "of anytime and half_width: seeds before the first look");
  const int64_t largest = keys.integer("until.largest", 40, 2, "of anytime and half_width: most seeds");
  const int64_t step = keys.integer("until.step", 1, 1, "of anytime: seeds between two looks");
  rule.half_width =
      keys.number("until.half_width", 0, 0, 100, "of half_width: of the interval of a difference, in points of a percentage") /
      100;
  rule.margin =
      keys.number("table.margin", 0, 0, 100, "points within which two rows are equivalent; 0: none are called so") / 100;
  if (rule.kind != SeedRule::Kind::group_sequential && !rule.looks.empty()) {
    throw Error("{}: expected none with until.rule = \"{}\"", place_of_key(keys, "until.looks"), rule_name(rule.kind));
  }
  if (rule.kind == SeedRule::Kind::fixed) return rule;
  if (rule.kind != SeedRule::Kind::group_sequential && largest <= smallest) {
    throw Error("{}: expected more than until.smallest = {}, found {}", place_of_key(keys, "until.largest"), smallest, largest);
  }
  if (rule.kind == SeedRule::Kind::anytime) {
    for (int64_t seeds = smallest; seeds < largest; seeds += step) rule.looks.push_back(seeds);
    rule.looks.push_back(largest);
  } else if (rule.kind == SeedRule::Kind::half_width) {
    rule.looks = {smallest, largest};
    if (!(rule.half_width > 0))
      throw Error("{}: expected a number above 0, found none", place_of_key(keys, "until.half_width"));
  }
  with_context(place_of_key(keys, "until.looks"), [&] { check_looks(rule.looks); });
  return rule;
}

}  // namespace

void read_table_keys(ConfigReader& keys, TableSettings& table) {
  table.k = keys.integers("table.k", {1, 128}, "k of the pass@k columns; not given: those that eval.n allows");
  if (table.k.empty()) throw Error("{}: expected at least one number, found none", place_of_key(keys, "table.k"));
  for (const int64_t k : table.k) {
    if (k < 1) throw Error("{}: expected numbers >= 1, found {}", place_of_key(keys, "table.k"), k);
  }
  table.g_pass = keys.numbers("table.g_pass", {}, "thresholds of G-pass@k columns, in [0, 1]");
  for (const double tau : table.g_pass) {
    if (!(tau >= 0 && tau <= 1))
      throw Error("{}: expected numbers in [0, 1], found {}", place_of_key(keys, "table.g_pass"), tau);
  }
  table.maj = keys.boolean("table.maj", table.maj, "maj@k columns");
  table.cover = keys.numbers("table.cover", {}, "thresholds of Cover@tau columns, in (0, 1]");
  for (const double tau : table.cover) {
    if (!(tau > 0 && tau <= 1)) throw Error("{}: expected numbers in (0, 1], found {}", place_of_key(keys, "table.cover"), tau);
  }
  table.primary = keys.texts("table.primary", {}, "columns whose comparisons were fixed beforehand; none: all");
  for (const std::string& column : table.primary) {
    with_context(place_of_key(keys, "table.primary"), [&] { parse_column(column); });
  }
  table.rule = read_seed_rule(keys);
}

Condition read_condition(ConfigReader& keys) {
  Condition condition;
  condition.row = keys.required_text("row", "row that is judged");
  condition.against = keys.required_text("against", "row that it is held against");
  condition.is = condition_is(keys.required_text("is", condition_names(), "what must hold of row against against"));
  const bool bytes = condition.is == Condition::Is::equal_bytes;
  condition.metric = keys.text("metric", "", "column in which they are compared, as in table.primary; none of equal_bytes");
  const double by = keys.number("by", 0, 0, "points by which the difference must be better or worse");
  condition.name = keys.text("name",
                             fmt::format("{} {} {}{}", condition.row, condition_name(condition.is), condition.against,
                                         bytes ? "" : " in " + condition.metric),
                             "as shown; none: made of the others");
  keys.finish();
  if (bytes != condition.metric.empty()) {
    throw Error("{}: expected {} beside is = \"{}\", found {}", place_of_key(keys, "metric"), bytes ? "none" : "a column",
                condition_name(condition.is), bytes ? condition.metric : "none");
  }
  if (by > 0 && (bytes || condition.is == Condition::Is::equivalent)) {
    throw Error("{}: expected none beside is = \"{}\", found {}", place_of_key(keys, "by"), condition_name(condition.is), by);
  }
  if (bytes) return condition;
  const Column column = with_context(place_of_key(keys, "metric"), [&] { return parse_column(condition.metric); });
  condition.by = column.percent() ? by / 100 : by;
  return condition;
}

}  // namespace harness
