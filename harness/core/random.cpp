#include "harness/core/random.h"

#include <Random123/philox.h>

#include <cmath>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>

#include "harness/core/error.h"
#include "harness/core/hash.h"

namespace harness {

namespace {

std::pair<uint64_t, uint64_t> philox(uint64_t key, uint64_t counter) {
  const r123::Philox4x32::ctr_type input = {{static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0}};
  const r123::Philox4x32::key_type philox_key = {{static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)}};
  const r123::Philox4x32::ctr_type out = r123::Philox4x32()(input, philox_key);
  return {(static_cast<uint64_t>(out[1]) << 32) | out[0], (static_cast<uint64_t>(out[3]) << 32) | out[2]};
}

double to_unit(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1.0p-53; }

}  // namespace

RandomStream::RandomStream(std::string_view purpose, std::initializer_list<uint64_t> parts) {
  std::string name(purpose);
  for (const uint64_t part : parts) name += fmt::format("/{}", part);
  key_ = hash64(name);
}

uint64_t RandomStream::bits(uint64_t counter) const { return philox(key_, counter).first; }

double RandomStream::uniform(uint64_t counter) const { return to_unit(bits(counter)); }

uint64_t RandomStream::below(uint64_t counter, uint64_t bound) const {
  MEDSBENCH_CHECK(bound > 0, "bound is 0");
  const auto product = static_cast<unsigned __int128>(bits(counter)) * bound;
  return static_cast<uint64_t>(product >> 64);
}

double RandomStream::normal(uint64_t counter) const {
  const auto [first, second] = philox(key_, counter);
  const double u = 1.0 - to_unit(first);  // (0, 1]
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * to_unit(second));
}

std::vector<int64_t> RandomStream::permutation(int64_t n) const {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = 0; i + 1 < n; ++i) {
    const auto j = i + static_cast<int64_t>(below(static_cast<uint64_t>(i), static_cast<uint64_t>(n - i)));
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(j)]);
  }
  return order;
}

}  // namespace harness
