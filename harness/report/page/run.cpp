#include <algorithm>
#include <filesystem>
#include <map>

#include "harness/core/config.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/report/figures/svg.h"
#include "harness/report/page/sections.h"

namespace harness {

namespace {

// The effective config of a row's first seed; empty where it cannot be read.
std::map<std::string, std::string> config_keys(const RowResults& row) {
  std::map<std::string, std::string> keys;
  for (const SeedResults& seed : row.seeds) {
    if (seed.config_path.empty() || !std::filesystem::exists(seed.config_path)) continue;
    try {
      const Config config = Config::from_toml_file(seed.config_path);
      for (const auto& [key, entry] : config.entries()) keys[key] = to_toml(entry.value);
    } catch (const Error&) {
      keys.clear();
    }
    return keys;
  }
  return keys;
}

std::string difference_table(const RowResults& row, const RowResults& base) {
  const auto mine = config_keys(row);
  auto theirs = config_keys(base);
  if (mine.empty() || theirs.empty()) return "";
  std::map<std::string, std::pair<std::string, std::string>> differences;
  for (const auto& [key, value] : mine) {
    const auto found = theirs.find(key);
    if (found == theirs.end() || found->second != value)
      differences[key] = {value, found == theirs.end() ? "-" : found->second};
  }
  for (const auto& [key, value] : theirs) {
    if (!mine.contains(key)) differences[key] = {"-", value};
  }
  std::string text = fmt::format("<h3>{} and {}</h3>", markup_escape(row.record.shown()), markup_escape(base.record.shown()));
  if (differences.empty()) return text + "<p>no difference</p>\n";
  text += fmt::format(
      "<div class=\"scroll\"><table><thead><tr><th>key</th><th class=\"words\">{}</th><th class=\"words\">{}</th></tr>"
      "</thead><tbody>\n",
      markup_escape(row.record.shown()), markup_escape(base.record.shown()));
  for (const auto& [key, values] : differences) {
    text += fmt::format("<tr><td><code>{}</code></td><td class=\"words\">{}</td><td class=\"words\">{}</td></tr>\n",
                        markup_escape(key), markup_escape(values.first), markup_escape(values.second));
  }
  return text + "</tbody></table></div>\n";
}

std::string plain_value(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

// Numbers of a timing.json by dotted name: sums, of peaks the largest; those left out that are neither.
void collect_numbers(const Json& json, const std::string& prefix, std::map<std::string, double>& numbers) {
  for (const auto& [key, value] : json.items()) {
    if (key == "rates") continue;
    if (value.is_number()) {
      double& number = numbers[prefix + key];
      number = key.starts_with("peak_") ? std::max(number, value.get<double>()) : number + value.get<double>();
    }
    if (value.is_object()) collect_numbers(value, prefix + key + ".", numbers);
  }
}

}  // namespace

std::string html_config_differences(const ExperimentResults& results) {
  std::string text;
  for (const RowResults& row : results.rows) {
    const RowResults* base = results.base_of(row);
    if (base != nullptr) text += difference_table(row, *base);
  }
  return text;
}

std::string html_machine(const ExperimentResults& results) {
  std::string text = "<div class=\"scroll\"><table><tbody>\n";
  const auto line = [&](const std::string& name, const std::string& value) {
    text += fmt::format("<tr><td>{}</td><td class=\"words\">{}</td></tr>\n", markup_escape(name), markup_escape(value));
  };
  line("commit", results.record.commit);
  line("config hash", results.record.config_hash);
  line("device", results.record.device);
  for (const auto& [name, value] : results.record.machine.items()) line(name, plain_value(value));
  const std::string folder = std::filesystem::path(results.folder).lexically_normal().string();
  text += "</tbody></table></div>\n<p>Every number of this page follows from the stored outcomes. To derive them again:</p>";
  return text + fmt::format("<pre>medsbench verify {0}\nmedsbench table {0}</pre>\n",
                            markup_escape(folder.empty() ? "FOLDER" : folder));
}

std::string html_alarms(const ExperimentResults& results) {
  std::string lines;
  for (const RowResults& row : results.rows) {
    std::map<std::string, std::pair<int64_t, int64_t>> alarms;  // name -> trainings, first step
    for (const SeedResults& seed : row.seeds) {
      for (const auto& [name, steps] : alarm_onsets(seed.curves)) {
        auto& [trainings, first] = alarms[name];
        first = trainings == 0 ? steps.front() : std::min(first, steps.front());
        ++trainings;
      }
    }
    for (const auto& [name, met] : alarms) {
      lines += fmt::format("<tr><td>{}</td><td class=\"words\"><code>{}</code></td><td>{} of {}</td><td>{}</td></tr>\n",
                           markup_escape(row.record.shown()), markup_escape(name), met.first, row.seeds.size(), met.second);
    }
  }
  if (lines.empty()) return "";
  return "<p class=\"note\">Metrics of a training beyond their thresholds (keys alarm.*, docs/evaluation.md); charts of the "
         "metric bear a tick where one began.</p><div class=\"scroll\"><table><thead><tr><th>method</th>"
         "<th class=\"words\">alarm</th><th>trainings</th><th>first at step</th></tr></thead><tbody>\n" +
         lines + "</tbody></table></div>\n";
}

std::string html_timing(const ExperimentResults& results) {
  std::string text;
  for (const RowResults& row : results.rows) {
    std::map<std::string, double> numbers;
    for (const SeedResults& seed : row.seeds) {
      if (seed.timing_path.empty() || !std::filesystem::exists(seed.timing_path)) continue;
      try {
        collect_numbers(parse_json(read_file(seed.timing_path)), "", numbers);
      } catch (const Error&) {
        continue;  // a damaged timing file costs its numbers, nothing else
      }
    }
    numbers.erase("version");
    if (numbers.empty()) continue;
    std::string values;
    for (const auto& [name, value] : numbers) values += fmt::format("{}{} {:.4g}", values.empty() ? "" : ", ", name, value);
    text += fmt::format("<tr><td>{}</td><td class=\"words\">{}</td></tr>\n", markup_escape(row.record.shown()),
                        markup_escape(values));
  }
  if (text.empty()) return "";
  return "<p class=\"note\">Sums over the seeds of what their timing.json files hold, of peaks the largest.</p><div "
         "class=\"scroll\"><table><tbody>\n" +
         text + "</tbody></table></div>\n";
}

}  // namespace harness
