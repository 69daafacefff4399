#include "harness/model/kernels.h"

#include <cmath>

namespace harness::kernels {

namespace avx512 {
const Table<float>& fp32();
const Table<Bf16>& bf16();
}  // namespace avx512
namespace avx2 {
const Table<float>& fp32();
const Table<Bf16>& bf16();
}  // namespace avx2
namespace x86_64 {
const Table<float>& fp32();
const Table<Bf16>& bf16();
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

const Table<float>& table_fp32() { return has_avx512() ? avx512::fp32() : has_avx2() ? avx2::fp32() : x86_64::fp32(); }

const Table<Bf16>& table_bf16() { return has_avx512() ? avx512::bf16() : has_avx2() ? avx2::bf16() : x86_64::bf16(); }

const char* instruction_set() { return has_avx512() ? "avx512" : has_avx2() ? "avx2" : "x86-64"; }

}  // namespace harness::kernels
