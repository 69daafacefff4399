#include "harness/report/table/cluster_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "harness/core/csv.h"
#include "harness/core/error.h"
#include "harness/stats/aggregate.h"
#include "harness/stats/distributions.h"
#include "harness/stats/undefined.h"

namespace harness {

namespace {

constexpr const char* kHeader = "base_model,row,choice,measure,seed,first_third,middle_third,last_third";
constexpr const char* kPrefix = "clusters/";
constexpr const char* kPlace = "place";

int64_t last_step(const TrainingCurves& curves) {
  int64_t last = 0;
  for (const auto& [name, values] : curves) {
    if (!values.empty()) last = std::max(last, values.rbegin()->first);
  }
  return last;
}

void set_thirds(const std::map<int64_t, double>& values, int64_t steps, ClusterRecord& record) {
  double sums[3] = {0, 0, 0};
  int64_t counts[3] = {0, 0, 0};
  for (const auto& [step, value] : values) {
    const auto third = static_cast<size_t>(std::clamp<int64_t>((step - 1) * 3 / steps, 0, 2));
    sums[third] += value;
    ++counts[third];
  }
  for (size_t t = 0; t < 3; ++t) record.thirds[t] = counts[t] == 0 ? kUndefined : sums[t] / static_cast<double>(counts[t]);
}

// The measures of one training by choice, in the order in which the training lists its choices.
std::vector<ClusterRecord> records_of(const ClusterRecord& line, const TrainingCurves& curves) {
  const int64_t steps = last_step(curves);
  std::map<std::string, double> place;
  std::vector<ClusterRecord> records;
  for (const auto& [name, values] : curves) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string rest = name.substr(std::string(kPrefix).size());
    const size_t slash = rest.find('/');
    if (slash == std::string::npos || values.empty()) continue;
    ClusterRecord record = line;
    record.choice = rest.substr(0, slash);
    record.measure = rest.substr(slash + 1);
    if (record.measure == kPlace) {
      place[record.choice] = values.begin()->second;
      continue;
    }
    set_thirds(values, steps, record);
    records.push_back(record);
  }
  std::stable_sort(records.begin(), records.end(),
                   [&](const ClusterRecord& a, const ClusterRecord& b) { return place[a.choice] < place[b.choice]; });
  return records;
}

double number_of(const std::string& text, const std::string& place) {
  if (text.empty()) return kUndefined;
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) throw Error("{}: expected a number, found {}", place, text);
  return value;
}

// Values of one measure by seed.
using BySeed = std::map<int64_t, double>;

struct Choice {
  std::string name;
  std::map<std::string, std::map<int64_t, const ClusterRecord*>> measures;

  [[nodiscard]] BySeed values(const std::string& measure, size_t third) const {
    BySeed values;
    const auto found = measures.find(measure);
    if (found == measures.end()) return values;
    for (const auto& [seed, record] : found->second) {
      if (!std::isnan(record->thirds[third])) values[seed] = record->thirds[third];
    }
    return values;
  }
};

struct Row {
  std::string base_model, name;
  std::vector<Choice> choices;
  size_t seeds = 0;
};

std::vector<Row> rows_of(const std::vector<ClusterRecord>& records) {
  std::vector<Row> rows;
  for (const ClusterRecord& record : records) {
    auto row = std::find_if(rows.begin(), rows.end(),
                            [&](const Row& r) { return r.base_model == record.base_model && r.name == record.row; });
    if (row == rows.end()) row = rows.insert(rows.end(), Row{record.base_model, record.row, {}, 0});
    auto choice =
        std::find_if(row->choices.begin(), row->choices.end(), [&](const Choice& c) { return c.name == record.choice; });
    if (choice == row->choices.end()) choice = row->choices.insert(row->choices.end(), Choice{record.choice, {}});
    auto& seeds = choice->measures[record.measure];
    seeds[record.seed] = &record;
    row->seeds = std::max(row->seeds, seeds.size());
  }
  return rows;
}

// "0.712 (0.690 to 0.734)": mean over seeds with its 95 % interval; one seed has none.
std::string mean_text(const BySeed& values, bool sign) {
  if (values.empty()) return "-";
  std::vector<double> list;
  for (const auto& [seed, value] : values) list.push_back(value);
  const auto n = static_cast<double>(list.size());
  const double mean = mean_of(list);
  const std::string text = sign ? fmt::format("{:+.3f}", mean) : fmt::format("{:.3f}", mean);
  if (list.size() < 2) return text;
  const double half = t_quantile(0.95, n - 1) * deviation_of(list) / std::sqrt(n);
  return fmt::format("{} ({:.3f} to {:.3f})", text, mean - half, mean + half);
}

BySeed difference(const BySeed& a, const BySeed& b) {
  BySeed values;
  for (const auto& [seed, value] : a) {
    if (b.contains(seed)) values[seed] = value - b.at(seed);
  }
  return values;
}

std::string escaped(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
  return text;
}

// Choices against the classes of one kind of truth, last third.
std::string truth_table(const Row& row, const std::string& truth) {
  const Choice& first = row.choices.front();
  std::string text =
      fmt::format("| clusters | adjusted Rand | minus {} | homogeneity | completeness | purity |\n|---|---|---|---|---|---|\n",
                  escaped(first.name));
  bool any = false;
  for (const Choice& choice : row.choices) {
    const BySeed rand = choice.values(truth + "/adjusted_rand", 2);
    any = any || !rand.empty();
    text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", escaped(choice.name), mean_text(rand, false),
                        &choice == &first ? "" : mean_text(difference(rand, first.values(truth + "/adjusted_rand", 2)), true),
                        mean_text(choice.values(truth + "/homogeneity", 2), false),
                        mean_text(choice.values(truth + "/completeness", 2), false),
                        mean_text(choice.values(truth + "/purity", 2), false));
  }
  return any ? text + "\n" : "";
}

std::string thirds_table(const Row& row) {
  std::string text =
      "| clusters | adjusted Rand, first third | middle third | last third | share in no cluster | clusters a problem |\n"
      "|---|---|---|---|---|---|\n";
  for (const Choice& choice : row.choices) {
    text += fmt::format("| {}", escaped(choice.name));
    for (size_t third = 0; third < 3; ++third) text += " | " + mean_text(choice.values("labels/adjusted_rand", third), false);
    text += fmt::format(" | {} | {} |\n", mean_text(choice.values("noise", 2), false),
                        mean_text(choice.values("per_problem", 2), false));
  }
  return text + "\n";
}

}  // namespace

std::vector<ClusterRecord> cluster_records(const ExperimentResults& results) {
  std::vector<ClusterRecord> records;
  for (const RowResults& row : results.rows) {
    for (const SeedResults& seed : row.seeds) {
      ClusterRecord line;
      line.base_model = row.record.base_model;
      line.row = row.record.name;
      line.seed = seed.seed;
      const std::vector<ClusterRecord> found = records_of(line, seed.curves);
      records.insert(records.end(), found.begin(), found.end());
    }
  }
  return records;
}

std::string clusters_csv(const std::vector<ClusterRecord>& records) {
  std::string text = std::string(kHeader) + "\n";
  for (const ClusterRecord& r : records) {
    text +=
        fmt::format("{},{},{},{},{},{},{},{}\n", csv_field(r.base_model), csv_field(r.row), csv_field(r.choice),
                    csv_field(r.measure), r.seed, csv_number(r.thirds[0]), csv_number(r.thirds[1]), csv_number(r.thirds[2]));
  }
  return text;
}

std::vector<ClusterRecord> read_clusters_csv(const std::string& text) {
  if (!text.starts_with(std::string(kHeader) + "\n")) throw Error("line 1: expected {}, found another header", kHeader);
  const auto lines = read_csv(text);
  std::vector<ClusterRecord> records;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::string place = fmt::format("line {}", i + 1);
    if (lines[i].size() != 8) throw Error("{}: expected 8 fields, found {}", place, lines[i].size());
    ClusterRecord record{lines[i][0], lines[i][1], lines[i][2], lines[i][3], 0, {}};
    record.seed = static_cast<int64_t>(number_of(lines[i][4], place));
    for (size_t third = 0; third < 3; ++third) record.thirds[third] = number_of(lines[i][5 + third], place);
    records.push_back(record);
  }
  return records;
}

std::string clusters_markdown(const std::vector<ClusterRecord>& records) {
  std::string text =
      "# Clusters of wrong responses against the truth\n\nAll wrong responses that a training has stored, clustered problem by "
      "problem; mean over the steps of the last third of the training, then over seeds, with a 95 % interval (Student's t over "
      "seeds; none with one seed). Every choice sees the same responses, so differences are paired. Noise counts as one "
      "cluster. Thirds by seed stand in clusters.csv, every step in curves.csv.\n\n";
  const std::pair<const char*, const char*> truths[] = {{"labels", "True error labels"},
                                                        {"labels_without_slips", "True error labels, slips left out"},
                                                        {"answers", "Equal answers"}};
  for (const Row& row : rows_of(records)) {
    text += fmt::format("## {} ({}), {} seed{}\n\n", row.name, row.base_model, row.seeds, row.seeds == 1 ? "" : "s");
    for (const auto& [truth, title] : truths) {
      const std::string table = truth_table(row, truth);
      if (!table.empty()) text += fmt::format("{}:\n\n{}", title, table);
    }
    text += "Over training:\n\n" + thirds_table(row);
  }
  text.pop_back();
  return text;
}

}  // namespace harness
