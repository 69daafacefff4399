#include "harness/experiment/jobs/rates.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace harness {

std::optional<RatePeak> rate_peak(const std::string& device_name, const Numerics& numerics, int64_t processes) {
  const auto peak = cuda::peak_of(device_name);
  if (numerics.device.is_cpu() || !peak) return std::nullopt;
  const auto devices = static_cast<double>(processes);
  return RatePeak{devices * (numerics.dtype == torch::kBFloat16 ? peak->bf16_flops : peak->fp32_flops), devices * peak->bytes};
}

OrderedJson rates_json(const Seconds& seconds, const Work& work, const std::optional<RatePeak>& peak) {
  OrderedJson done = OrderedJson::object(), rates = OrderedJson::object();
  for (const auto& [part, value] : work) {
    done[part] = {{"tokens", value.tokens}, {"flops", value.flops}};
    if (value.bytes > 0) done[part]["bytes"] = value.bytes;
    const auto found = seconds.find(part);
    if (found == seconds.end() || found->second <= 0 || value.tokens <= 0) continue;
    const double time = found->second;
    OrderedJson rate{{"tokens_per_second", value.tokens / time}, {"flops_per_second", value.flops / time}};
    if (value.bytes > 0) rate["bytes_per_second"] = value.bytes / time;
    if (peak) rate["flop_utilisation"] = value.flops / time / peak->flops;
    if (peak && value.bytes > 0) rate["bandwidth_share"] = value.bytes / time / peak->bytes;
    rates[part] = rate;
  }
  return {{"work", done}, {"rates", rates}};
}

namespace {

std::string short_number(double value) {
  if (value >= 1e6) return fmt::format("{:.2f}M", value / 1e6);
  return value >= 1e4 ? fmt::format("{:.1f}k", value / 1e3) : fmt::format("{:.0f}", value);
}

std::string flops_text(double value) {
  return value >= 1e12 ? fmt::format("{:.1f} TFLOP/s", value / 1e12) : fmt::format("{:.1f} GFLOP/s", value / 1e9);
}

}  // namespace

std::string rates_line(const Json& timing) {
  const auto rates = timing.find("rates");
  if (rates == timing.end() || !rates->is_object()) return "";
  constexpr std::array<std::pair<const char*, const char*>, 4> kParts = {
      {{"rollout", "rollout"}, {"decode", "decoding alone"}, {"score", "scoring"}, {"update", "update"}}};
  std::string line;
  for (const auto& [part, shown] : kParts) {
    const auto rate = rates->find(part);
    if (rate == rates->end()) continue;
    line += fmt::format("{}{} {} tokens/s ({}", line.empty() ? "" : ", ", shown,
                        short_number(rate->value("tokens_per_second", 0.0)), flops_text(rate->value("flops_per_second", 0.0)));
    if (rate->contains("flop_utilisation")) {
      line += fmt::format(", {:.1f} % of the peak", 100 * rate->value("flop_utilisation", 0.0));
    }
    if (rate->contains("bandwidth_share")) {
      line += fmt::format(", {:.1f} % of the memory bandwidth", 100 * rate->value("bandwidth_share", 0.0));
    }
    line += ")";
  }
  return line;
}

}  // namespace harness
