#include "harness/model/cpu/row_kernels.h"

#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace harness::kernels {

namespace avx512 {
const Table<float>& fp32();
const Table<Bf16>& bf16();
AttendBackward backward();
}  // namespace avx512
namespace avx2 {
const Table<float>& fp32();
const Table<Bf16>& bf16();
AttendBackward backward();
}  // namespace avx2
namespace x86_64 {
const Table<float>& fp32();
const Table<Bf16>& bf16();
AttendBackward backward();
}  // namespace x86_64

namespace {

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq");
}
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

}  // namespace

float LogitStatistics::log_prob(float scaled_logit) const { return scaled_logit - max - std::log(sum); }

float LogitStatistics::entropy() const { return std::log(sum) - moment / sum; }

const char* instruction_set() {
  static const char* const chosen = [] {
    const char* best = has_avx512() ? "avx512" : has_avx2() ? "avx2" : "x86-64";
    const char* asked = std::getenv("MEDSBENCH_INSTRUCTION_SET");
    if (asked == nullptr) return best;
    const std::string_view name = asked;
    if (name == "x86-64") return "x86-64";
    if (name == "avx2" && has_avx2()) return "avx2";
    if (name == "avx512" && has_avx512()) return "avx512";
    throw std::invalid_argument("MEDSBENCH_INSTRUCTION_SET: expected avx512, avx2 or x86-64, at most " + std::string(best) +
                                " on this processor, found " + std::string(name));
  }();
  return chosen;
}

const Table<float>& table_fp32() {
  const std::string_view name = instruction_set();
  return name == "avx512" ? avx512::fp32() : name == "avx2" ? avx2::fp32() : x86_64::fp32();
}

const Table<Bf16>& table_bf16() {
  const std::string_view name = instruction_set();
  return name == "avx512" ? avx512::bf16() : name == "avx2" ? avx2::bf16() : x86_64::bf16();
}

AttendBackward attend_backward() {
  const std::string_view name = instruction_set();
  return name == "avx512" ? avx512::backward() : name == "avx2" ? avx2::backward() : x86_64::backward();
}

}  // namespace harness::kernels
