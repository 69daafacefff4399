#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "harness/train/method/method.h"

namespace harness {

namespace {

std::string range_text(double low, double high) {
  if (std::isinf(low) && std::isinf(high)) return "any";
  if (std::isinf(high)) return fmt::format(">= {}", low);
  if (std::isinf(low)) return fmt::format("<= {}", high);
  return fmt::format("[{}, {}]", low, high);
}

std::string range_text(int64_t low, int64_t high) {
  const bool no_low = low == std::numeric_limits<int64_t>::min();
  const bool no_high = high == std::numeric_limits<int64_t>::max();
  if (no_low && no_high) return "any";
  if (no_high) return fmt::format(">= {}", low);
  if (no_low) return fmt::format("<= {}", high);
  return fmt::format("[{}, {}]", low, high);
}

}  // namespace

std::string MethodKeys::place(const std::string& key) const {
  const std::string own = fmt::format("method.{}.{}", method_, key);
  return config_.has(own) ? own : "method." + key;
}

bool MethodKeys::has(const std::string& key) const { return config_.has(place(key)); }

LossSettings MethodKeys::base_loss() const { return read_loss_settings(config_, 0); }

double MethodKeys::number(const std::string& key, double fallback, double low, double high, const std::string& meaning) {
  keys_.push_back({key, "number", fmt::format("{}", fallback), range_text(low, high), meaning});
  return config_.number(place(key), fallback, low, high);
}

int64_t MethodKeys::integer(const std::string& key, int64_t fallback, int64_t low, int64_t high, const std::string& meaning) {
  keys_.push_back({key, "integer", fmt::format("{}", fallback), range_text(low, high), meaning});
  return config_.integer(place(key), fallback, low, high);
}

bool MethodKeys::boolean(const std::string& key, bool fallback, const std::string& meaning) {
  keys_.push_back({key, "true/false", fallback ? "true" : "false", "", meaning});
  return config_.boolean(place(key), fallback);
}

std::string MethodKeys::text(const std::string& key, const std::string& fallback, const std::vector<std::string>& choices,
                             const std::string& meaning) {
  keys_.push_back({key, "text", fallback, fmt::format("{}", fmt::join(choices, " | ")), meaning});
  return config_.text(place(key), fallback, choices);
}

}  // namespace harness
