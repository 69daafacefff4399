// experiments/methods.toml takes of each method the knob that experiments/methods_tuning.toml found best, by the rule stated
// there.
#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <map>
#include <sstream>
#include <string>

#include "harness/core/files.h"

namespace tests {
namespace {

using Keys = std::map<std::string, std::string>;  // flattened "loss.clip_high" -> its value as TOML

void flatten(const toml::table& table, const std::string& prefix, Keys& keys) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (node.is_table()) {
      flatten(*node.as_table(), key + ".", keys);
    } else if (node.is_string()) {
      keys[key] = node.as_string()->get();
    } else {
      std::ostringstream text;
      node.visit([&](const auto& value) { text << value; });
      keys[key] = text.str();
    }
  }
}

std::vector<Keys> rows_of(const std::string& path) {
  const toml::table file = toml::parse(harness::read_file(path));
  std::vector<Keys> rows;
  for (const toml::node& row : *file["rows"].as_array()) flatten(*row.as_table(), "", rows.emplace_back());
  return rows;
}

// Row -> mean of average pass@1 and average pass@16.
std::map<std::string, double> tuning_scores() {
  std::istringstream table(harness::read_file(MEDSBENCH_SOURCE_DIR "/results/methods_tuning/table.csv"));
  std::map<std::string, double> scores;
  for (std::string line; std::getline(table, line);) {
    std::vector<std::string> cells;
    std::istringstream rest(line);
    for (std::string cell; std::getline(rest, cell, ',');) cells.push_back(cell);
    if (cells.size() > 5 && cells[3] == "average" && (cells[4] == "pass@1" || cells[4] == "pass@16")) {
      scores[cells[1]] += std::stod(cells[5]) / 2;
    }
  }
  return scores;
}

TEST(MethodsExperiment, TakesOfEachMethodTheKnobThatTuningFoundBest) {
  const std::map<std::string, double> scores = tuning_scores();
  std::map<std::string, Keys> best;  // by method
  std::map<std::string, double> best_score;
  for (Keys row : rows_of(MEDSBENCH_SOURCE_DIR "/experiments/methods_tuning.toml")) {
    const std::string name = row.at("name");
    ASSERT_TRUE(scores.contains(name)) << name << " is not in results/methods_tuning/table.csv";
    const std::string method = row.at("method.name");
    if (best_score.contains(method)) {
      ASSERT_NE(scores.at(name), best_score[method]) << "a tie: " << name;
    }
    if (best_score.contains(method) && scores.at(name) < best_score[method]) continue;
    best_score[method] = scores.at(name);
    for (const char* key : {"name", "base", "method.name"}) row.erase(key);
    best[method] = row;
  }
  EXPECT_EQ(best.size(), 30u);
  int compared = 0;
  for (const Keys& row : rows_of(MEDSBENCH_SOURCE_DIR "/experiments/methods.toml")) {
    const auto found = best.find(row.at("method.name"));
    if (found == best.end()) continue;
    ++compared;
    for (const auto& [key, value] : found->second) {
      EXPECT_EQ(row.contains(key) ? row.at(key) : "nothing", value) << row.at("name") << ": " << key;
    }
  }
  EXPECT_GE(compared, 30);
}

}  // namespace
}  // namespace tests
