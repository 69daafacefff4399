// Fuzz target: any bytes as an experiment file: its head, rows, base models and keys, --set, and as the data manifest.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "datasets/manifest.h"
#include "harness/core/config.h"
#include "harness/core/error.h"
#include "harness/experiment/scale.h"
#include "harness/report/table/table_keys.h"

namespace {

using harness::Config;

template <typename Body>
void answered(Body&& body) {
  try {
    body();
  } catch (const harness::Error&) {
    // bad input is answered, not a finding
  }
}

bool same(const Config::Value& a, const Config::Value& b) {
  if (const auto* x = std::get_if<double>(&a)) {
    const auto* y = std::get_if<double>(&b);
    return y != nullptr && (*x == *y || (std::isnan(*x) && std::isnan(*y)));
  }
  if (const auto* x = std::get_if<std::vector<double>>(&a)) {
    const auto* y = std::get_if<std::vector<double>>(&b);
    if (y == nullptr || x->size() != y->size()) return false;
    for (size_t i = 0; i < x->size(); ++i) {
      if (!same(Config::Value((*x)[i]), Config::Value((*y)[i]))) return false;
    }
    return true;
  }
  return a == b;
}

// What is written into a cell's file reads back as the same value.
void check_round_trip(const Config& config) {
  for (const auto& [key, entry] : config.entries()) {
    const Config again = Config::from_toml_text("value = " + harness::to_toml(entry.value) + "\n", "again");
    if (!same(again.entries().at("value").value, entry.value)) std::abort();
  }
}

void read(Config config) {
  check_round_trip(config);
  for (Config& row : config.take_tables("rows")) {
    check_round_trip(row);
    harness::ConfigReader keys(row);
    answered([&] { (void)harness::read_row_head(keys, {1}, {}); });
    config.overlay(row);
  }
  for (const Config& condition : config.take_tables("conditions")) {
    harness::ConfigReader keys(condition);
    answered([&] { (void)harness::read_condition(keys); });
  }
  const Config models = config.take("models");
  harness::ConfigReader model(models), head(config), keys(config);
  answered([&] { (void)harness::read_model_keys(model, "models.NAME"); });
  answered([&] { model.finish(); });
  answered([&] { (void)harness::read_file_head(head, "fuzz"); });
  answered([&] { head.finish(); });
  for (const auto& [key, entry] : config.entries()) {
    answered([&] { (void)keys.number(key, 0, -1e6, 1e6, ""); });
    answered([&] { (void)keys.integer(key, 0, -100, 1000, ""); });
    answered([&] { (void)keys.text(key, "", {"a", "b"}, ""); });
    answered([&] { (void)keys.texts(key, {}, ""); });
    answered([&] { (void)keys.numbers(key, {}, ""); });
    answered([&] { (void)keys.integers(key, {}, ""); });
    answered([&] { (void)keys.boolean(key, true, ""); });
  }
  (void)harness::to_toml(keys.effective(), true);
  (void)harness::entries_hash(keys.effective(), {"run.jobs"});
  answered([&] { keys.finish(); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  answered([&] { read(Config::from_toml_text(text, "fuzz.toml")); });
  answered([&] { (void)datasets::parse_manifest(text, "fuzz.toml"); });
  Config config;
  answered([&] { config.set(std::string(text)); });
  answered([&] { check_round_trip(config); });
  return 0;
}
