// Fuzz target: any bytes as an experiment file: its keys, rows and sub-tables, --scale and --set, and as the data manifest.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "datasets/manifest.h"
#include "experiments/cli/scale.h"
#include "harness/core/config.h"
#include "harness/core/error.h"

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
  for (Config row : config.take_tables("rows")) {
    check_round_trip(row);
    answered([&] { (void)row.required_text("name"); });
    Config whole = config;
    whole.overlay(row);
    answered([&] { (void)experiments::apply_scale(whole, 0.1); });
  }
  Config models = config.take("models");
  answered([&] { models.finish(); });
  const Config all = config;
  for (const auto& entry : all.entries()) {
    const std::string& key = entry.first;
    answered([&] { (void)config.number(key, 0, -1e6, 1e6); });
    answered([&] { (void)config.integer(key, 0, -100, 1000); });
    answered([&] { (void)config.text(key, "", {"a", "b"}); });
    answered([&] { (void)config.texts(key, {}); });
    answered([&] { (void)config.numbers(key, {}); });
    answered([&] { (void)config.integers(key, {}); });
    answered([&] { (void)config.boolean(key, true); });
  }
  (void)config.effective_toml(true);
  (void)config.identity({"run."});
  answered([&] { config.finish(); });
  answered([&] { (void)experiments::apply_scale(config, 0.01); });
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
