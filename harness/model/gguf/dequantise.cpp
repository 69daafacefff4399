#include "harness/model/gguf/dequantise.h"

#include <cstring>
#include <map>
#include <string>

#include "harness/core/bf16.h"
#include "harness/core/error.h"
#include "harness/model/gguf/fp16.h"

namespace harness {

namespace {

// Products and sums are rounded separately, as in the reference: this file is compiled without contraction (CMakeLists.txt).

using Block = const uint8_t*;
using Unpack = void (*)(Block block, float* out);

float half_at(Block bytes) { return float_from_fp16(static_cast<uint16_t>(bytes[0] | bytes[1] << 8)); }

uint32_t word_at(Block bytes) {
  uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

void unpack_f32(Block block, float* out) { std::memcpy(out, block, sizeof(float)); }
void unpack_f16(Block block, float* out) { *out = half_at(block); }
void unpack_bf16(Block block, float* out) { *out = to_float(Bf16{static_cast<uint16_t>(block[0] | block[1] << 8)}); }

// Blocks of 32: scale d (half), perhaps minimum m (half), perhaps the fifth bits (32 of them), 16 bytes of two nibbles: the
// low ones are numbers 0..15, the high ones 16..31.
void unpack_q4_0(Block block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((block[2 + i] & 15) - 8);
    out[i + 16] = d * static_cast<float>((block[2 + i] >> 4) - 8);
  }
}

void unpack_q4_1(Block block, float* out) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(block[4 + i] & 15) + m;
    out[i + 16] = d * static_cast<float>(block[4 + i] >> 4) + m;
  }
}

int fifth_bit(uint32_t bits, int index) { return static_cast<int>(bits >> index & 1u) << 4; }

void unpack_q5_0(Block block, float* out) {
  const float d = half_at(block);
  const uint32_t high = word_at(block + 2);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(((block[6 + i] & 15) | fifth_bit(high, i)) - 16);
    out[i + 16] = d * static_cast<float>(((block[6 + i] >> 4) | fifth_bit(high, i + 16)) - 16);
  }
}

void unpack_q5_1(Block block, float* out) {
  const float d = half_at(block);
  const float m = half_at(block + 2);
  const uint32_t high = word_at(block + 4);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((block[8 + i] & 15) | fifth_bit(high, i)) + m;
    out[i + 16] = d * static_cast<float>((block[8 + i] >> 4) | fifth_bit(high, i + 16)) + m;
  }
}

void unpack_q8_0(Block block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(static_cast<int8_t>(block[2 + i])) * d;
}

// Blocks of 256. Q4_K and Q5_K: d, dmin, 12 bytes of eight 6-bit scales and minimums, then the numbers in four runs of 64.
struct ScaleMin {
  int scale = 0;
  int minimum = 0;
};

ScaleMin scale_min(int index, Block packed) {
  if (index < 4) return {packed[index] & 63, packed[index + 4] & 63};
  return {(packed[index + 4] & 15) | (packed[index - 4] >> 6) << 4, (packed[index + 4] >> 4) | (packed[index] >> 6) << 4};
}

void unpack_q4_k(Block block, float* out) {
  const float d = half_at(block);
  const float dmin = half_at(block + 2);
  const Block nibbles = block + 16;
  for (int run = 0; run < 8; ++run) {
    const ScaleMin packed = scale_min(run, block + 4);
    const float scale = d * static_cast<float>(packed.scale);
    const float minimum = dmin * static_cast<float>(packed.minimum);
    for (int i = 0; i < 32; ++i) {
      const int q = nibbles[run / 2 * 32 + i] >> (run % 2 * 4) & 15;
      out[run * 32 + i] = scale * static_cast<float>(q) - minimum;
    }
  }
}

void unpack_q5_k(Block block, float* out) {
  const float d = half_at(block);
  const float dmin = half_at(block + 2);
  const Block high = block + 16;
  const Block nibbles = block + 48;
  for (int run = 0; run < 8; ++run) {
    const ScaleMin packed = scale_min(run, block + 4);
    const float scale = d * static_cast<float>(packed.scale);
    const float minimum = dmin * static_cast<float>(packed.minimum);
    for (int i = 0; i < 32; ++i) {
      const int q = (nibbles[run / 2 * 32 + i] >> (run % 2 * 4) & 15) | (high[i] >> run & 1) << 4;
      out[run * 32 + i] = scale * static_cast<float>(q) - minimum;
    }
  }
}

// 128 bytes of low nibbles, 64 of the upper two bits, 16 scales, d.
void unpack_q6_k(Block block, float* out) {
  const float d = half_at(block + 208);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128;
    const int within = i % 128;
    const int low = block[half * 64 + within % 64] >> (within / 64 * 4) & 15;
    const int high = block[128 + half * 32 + within % 32] >> (within / 32 * 2) & 3;
    const float scale = d * static_cast<float>(static_cast<int8_t>(block[192 + i / 16]));
    out[i] = scale * static_cast<float>((low | high << 4) - 32);
  }
}

// 16 bytes of nibble pairs (scale, minimum), 64 of two-bit numbers, d, dmin.
void unpack_q2_k(Block block, float* out) {
  const float d = half_at(block + 80);
  const float dmin = half_at(block + 82);
  for (int i = 0; i < 256; ++i) {
    const int q = block[16 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
    const int packed = block[i / 16];
    const float scale = d * static_cast<float>(packed & 15);
    const float minimum = dmin * static_cast<float>(packed >> 4);
    out[i] = scale * static_cast<float>(q) - minimum;
  }
}

// 32 bytes of third bits (set: no offset), 64 of two-bit numbers, 12 of sixteen 6-bit scales, d.
void unpack_q3_k(Block block, float* out) {
  const float d = half_at(block + 108);
  const Block scales = block + 96;
  for (int i = 0; i < 256; ++i) {
    const int group = i / 16;
    const int low = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4;
    const int high = scales[8 + group % 4] >> (group / 4 * 2) & 3;
    const float scale = d * static_cast<float>((low | high << 4) - 32);
    const int q = block[32 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
    const int third = block[i % 32] >> (i / 32) & 1;
    out[i] = scale * static_cast<float>(q - (third != 0 ? 0 : 4));
  }
}

Unpack unpacker(const std::string& type) {
  static const std::map<std::string, Unpack> kUnpackers = {
      {"F32", unpack_f32},   {"F16", unpack_f16},   {"BF16", unpack_bf16}, {"Q4_0", unpack_q4_0}, {"Q4_1", unpack_q4_1},
      {"Q5_0", unpack_q5_0}, {"Q5_1", unpack_q5_1}, {"Q8_0", unpack_q8_0}, {"Q2_K", unpack_q2_k}, {"Q3_K", unpack_q3_k},
      {"Q4_K", unpack_q4_k}, {"Q5_K", unpack_q5_k}, {"Q6_K", unpack_q6_k}};
  const auto found = kUnpackers.find(type);
  MEDSBENCH_CHECK(found != kUnpackers.end(), "no unpacking for {}", type);
  return found->second;
}

}  // namespace

std::vector<float> dequantise_row(const GgufTensor& tensor, int64_t row) {
  const Unpack unpack = unpacker(tensor.type.name);
  const auto packed = tensor.row(row);
  std::vector<float> values(static_cast<size_t>(tensor.row_length()));
  const auto* block = reinterpret_cast<Block>(packed.data());
  for (int64_t first = 0; first < tensor.row_length(); first += tensor.type.block, block += tensor.type.bytes) {
    unpack(block, values.data() + first);
  }
  return values;
}

}  // namespace harness
