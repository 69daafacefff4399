// RMSNorm, head norm and rotary embedding, key-value write, SwiGLU and AdamW against their definitions in double precision.
#include <span>

#include "harness/cuda/testing.h"

namespace harness::cuda {
namespace {

using LayerKernels = KernelTest;

template <typename T>
void check_embed(const Table<T>& table, Stand stand, int64_t width, int64_t offset) {
  SCOPED_TRACE(testing::Message() << width << " columns from " << offset);
  const auto embedding = random_buffer<T>(7 * width, 1, 1.0, offset);
  const Buffer<int64_t> ids(std::vector<int64_t>{6, 99, 0, 99}), sources(std::vector<int64_t>{-1, 2, -1, 0}),
      drawn(std::vector<int64_t>{5, 99, 3});
  Buffer<T> y(4 * width);
  table.embed({embedding.data(), ids.data(), sources.data(), drawn.data(), y.data(), 4, width}, nullptr);
  finish(stand);
  const int64_t expected[] = {6, 3, 0, 5};
  for (int64_t i = 0; i < 4 * width; ++i) ASSERT_EQ(y[i], embedding[expected[i / width] * width + i % width]);
}

TEST_P(LayerKernels, EmbedTakesTheRowOfAnIdOrOfATokenDrawnBefore) {
  for (const int64_t width : {1, 6, 64, 1040}) {
    for (const int64_t offset : {0, 1}) {
      check_embed(table<float>(), GetParam(), width, offset);
      check_embed(table<Bf16>(), GetParam(), width, offset);
    }
  }
}

template <typename T>
void check_rms_norm(const Table<T>& table, Stand stand, int64_t rows, int64_t width, bool with_copy, int64_t offset) {
  SCOPED_TRACE(testing::Message() << rows << " x " << width << (with_copy ? " with" : " without") << " a copy");
  const auto x = random_buffer<T>(rows * width, 1, 1.0, offset);
  const auto w = random_buffer<T>(width, 3);
  Buffer<T> y(rows * width), copy(rows * width);
  Buffer<float> rstd(rows);
  RmsNorm<T> a;
  a.x = x.data(), a.weight = w.data(), a.y = y.data(), a.rstd = rstd.data();
  if (with_copy) a.copy = copy.data();
  a.rows = rows, a.width = width, a.eps = 1e-6f;
  table.rms_norm(a, nullptr);
  finish(stand);
  for (int64_t r = 0; r < rows; ++r) {
    double squares = 0;
    for (int64_t i = r * width; i < (r + 1) * width; ++i) {
      ASSERT_EQ(copy[i], with_copy ? x[i] : 0);
      squares += x[i] * x[i];
    }
    const double scale = 1 / std::sqrt(squares / static_cast<double>(width) + 1e-6);
    ASSERT_NEAR(rstd[r], scale, 1e-5 * scale);
    for (int64_t i = 0; i < width; ++i) {
      const double expected = x[r * width + i] * scale * w[i];
      ASSERT_NEAR(y[r * width + i], expected, tolerance<T>(expected)) << "row " << r << ", column " << i;
    }
  }
}

TEST_P(LayerKernels, RmsNormIsItsDefinitionForAnyWidthAndAlignment) {
  for (const int64_t width : {1, 6, 24, 64, 130, 576, 1000, 1040, 4096}) {
    for (const bool copy : {false, true}) {
      for (const int64_t offset : {0, 1}) {
        check_rms_norm(table<float>(), GetParam(), 3, width, copy, offset);
        check_rms_norm(table<Bf16>(), GetParam(), 3, width, copy, offset);
      }
    }
  }
}

template <typename T>
void check_rms_norm_backward(const Table<T>& table, Stand stand, int64_t rows, int64_t width) {
  SCOPED_TRACE(testing::Message() << rows << " x " << width);
  const auto x = random_buffer<T>(rows * width, 1), dy = random_buffer<T>(rows * width, 2), w = random_buffer<T>(width, 3);
  const auto dx = random_buffer<T>(rows * width, 4), dx_before = random_buffer<T>(rows * width, 4);
  const auto dw = random_buffer<float>(width, 5), dw_before = random_buffer<float>(width, 5);
  Buffer<float> rstd(rows), workspace(norm_chunks(rows) * width);
  for (int64_t r = 0; r < rows; ++r) {
    double squares = 0;
    for (int64_t i = 0; i < width; ++i) squares += x[r * width + i] * x[r * width + i];
    rstd.data()[r] = static_cast<float>(1 / std::sqrt(squares / static_cast<double>(width) + 1e-6));
  }
  table.rms_norm_backward({dy.data(), x.data(), w.data(), rstd.data(), dx.data(), dw.data(), workspace.data(), rows, width},
                          nullptr);
  finish(stand);
  std::vector<double> weights(static_cast<size_t>(width), 0);
  for (int64_t r = 0; r < rows; ++r) {
    double dot = 0;
    for (int64_t i = 0; i < width; ++i) dot += dy[r * width + i] * w[i] * x[r * width + i];
    const double c = dot * std::pow(rstd[r], 3) / static_cast<double>(width);
    for (int64_t i = 0; i < width; ++i) {
      const int64_t at = r * width + i;
      const double expected = dx_before[at] + dy[at] * w[i] * rstd[r] - x[at] * c;
      ASSERT_NEAR(dx[at], expected, tolerance<T>(expected));
      weights[static_cast<size_t>(i)] += dy[at] * x[at] * rstd[r];
    }
  }
  for (int64_t i = 0; i < width; ++i) {
    const double expected = dw_before[i] + weights[static_cast<size_t>(i)];
    ASSERT_NEAR(dw[i], expected, 1e-4 * std::abs(expected) + 1e-4);
  }
}

TEST_P(LayerKernels, RmsNormBackwardAddsTheGradientsOfInputAndWeight) {
  for (const int64_t rows : {1, 63, 64, 65, 200}) {
    for (const int64_t width : {5, 64, 136}) {
      check_rms_norm_backward(table<float>(), GetParam(), rows, width);
      check_rms_norm_backward(table<Bf16>(), GetParam(), rows, width);
    }
  }
}

// 1219 rows are 20 chunks: more than the sections that sum them.
TEST_P(LayerKernels, RmsNormBackwardOfItsWeightIsTheSumOverManyRows) {
  check_rms_norm_backward(table<float>(), GetParam(), 1219, 40);
  check_rms_norm_backward(table<Bf16>(), GetParam(), 1219, 40);
}

template <typename T>
void check_split_rotate(const Table<T>& table, Stand stand, Heads s, bool norms) {
  SCOPED_TRACE(testing::Message() << s.heads << " and " << s.kv_heads << " heads of " << s.dim << (norms ? ", norms" : ""));
  const int64_t rows = 5, stored = 4, half = s.dim / 2, width = (s.heads + 2 * s.kv_heads) * s.dim, kv = s.kv_heads * s.dim;
  const auto qkv = random_buffer<T>(rows * width, 1), q_norm = random_buffer<T>(s.dim, 2), k_norm = random_buffer<T>(s.dim, 3);
  const auto cosine = random_buffer<float>(9 * half, 4), sine = random_buffer<float>(9 * half, 5);
  const Buffer<int64_t> positions(std::vector<int64_t>{8, 0, 3, 3, 7});
  Buffer<T> q(rows * s.heads * s.dim), k(rows * kv), keys(40 * kv), values(40 * kv);
  Buffer<uint64_t> key_places(rows), value_places(rows), layer_bytes(rows);  // the last row is padding: 0
  for (int64_t r = 0; r < stored; ++r) {  // in layer 0; this is layer 2, and every row's store has another size
    key_places.data()[r] = reinterpret_cast<uint64_t>(keys.data() + (2 * r + 1) * kv);
    value_places.data()[r] = reinterpret_cast<uint64_t>(values.data() + (3 * r + 1) * kv);
    layer_bytes.data()[r] = static_cast<uint64_t>((r + 4) * kv) * sizeof(T);
  }
  const auto key_row = [](int64_t r) { return 2 * r + 1 + 2 * (r + 4); };
  const auto value_row = [](int64_t r) { return 3 * r + 1 + 2 * (r + 4); };
  SplitRotate<T> a;
  a.qkv = qkv.data(), a.cosine = cosine.data(), a.sine = sine.data(), a.positions = positions.data();
  if (norms) a.q_norm = q_norm.data(), a.k_norm = k_norm.data();
  a.q = q.data(), a.k = k.data(), a.rows = rows, a.shape = s, a.eps = 1e-6f;
  a.key_places = key_places.data(), a.value_places = value_places.data();
  a.layer_bytes = layer_bytes.data(), a.layer = 2;
  table.split_rotate(a, nullptr);
  finish(stand);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t h = 0; h < s.heads + s.kv_heads; ++h) {
      const bool query = h < s.heads;
      std::vector<double> x;
      double squares = 0;
      for (int64_t e = 0; e < s.dim; ++e) {
        x.push_back(qkv[r * width + h * s.dim + e]);
        squares += x.back() * x.back();
      }
      for (int64_t e = 0; norms && e < s.dim; ++e) {
        x[static_cast<size_t>(e)] *= (query ? q_norm : k_norm)[e] / std::sqrt(squares / static_cast<double>(s.dim) + 1e-6);
      }
      for (int64_t i = 0; i < half; ++i) {
        const double c = cosine[static_cast<int64_t>(positions[r]) * half + i],
                     sn = sine[static_cast<int64_t>(positions[r]) * half + i];
        const double lo = x[static_cast<size_t>(i)], hi = x[static_cast<size_t>(half + i)];
        const int64_t at = query ? (r * s.heads + h) * s.dim + i : (r * s.kv_heads + h - s.heads) * s.dim + i;
        const Buffer<T>& out = query ? q : k;
        const double low = lo * c - hi * sn, high = hi * c + lo * sn, room = 2e-5 * (std::abs(lo) + std::abs(hi)) + 1e-5;
        ASSERT_NEAR(out[at], low, tolerance<T>(low) + room);
        ASSERT_NEAR(out[at + half], high, tolerance<T>(high) + room);
      }
    }
    for (int64_t i = 0; r < stored && i < kv; ++i) {
      ASSERT_EQ(keys[key_row(r) * kv + i], k[r * kv + i]);
      ASSERT_EQ(values[value_row(r) * kv + i], qkv[r * width + (s.heads + s.kv_heads) * s.dim + i]);
      ASSERT_EQ(keys[(key_row(r) - 1) * kv + i], 0) << "a place of no row was written";
    }
  }
  Buffer<T> keys_before(40 * kv);
  std::memcpy(keys_before.data(), keys.data(), sizeof(T) * static_cast<size_t>(40 * kv));
  std::memset(keys.data(), 0, sizeof(T) * static_cast<size_t>(40 * kv));
  a.k = nullptr;
  table.split_rotate(a, nullptr);
  finish(stand);
  ASSERT_TRUE(keys.same_bytes(keys_before)) << "keys that go to their places alone";
}

TEST_P(LayerKernels, SplitRotateNormalisesRotatesAndStoresKeysAndValues) {
  for (const Heads shape :
       {Heads{4, 2, 6}, Heads{1, 1, 2}, Heads{9, 3, 64}, Heads{14, 2, 64}, Heads{4, 4, 128}, Heads{2, 1, 256}}) {
    for (const bool norms : {false, true}) {
      check_split_rotate(table<float>(), GetParam(), shape, norms);
      check_split_rotate(table<Bf16>(), GetParam(), shape, norms);
    }
  }
}

// Few rows are shared by blocks, many are not.
TEST_P(LayerKernels, SplitRotateOfARowIsTheSameBytesAmongFewRowsAndAmongMany) {
  const Heads s{14, 2, 8};
  const int64_t rows = 512, half = s.dim / 2, width = (s.heads + 2 * s.kv_heads) * s.dim, kv = s.kv_heads * s.dim;
  const auto qkv = random_buffer<Bf16>(rows * width, 1), norm = random_buffer<Bf16>(s.dim, 2);
  const auto cosine = random_buffer<float>(half, 3), sine = random_buffer<float>(half, 4);
  const Buffer<int64_t> positions(rows);
  Buffer<Bf16> q[2] = {Buffer<Bf16>(rows * s.heads * s.dim), Buffer<Bf16>(rows * s.heads * s.dim)};
  Buffer<Bf16> k[2] = {Buffer<Bf16>(rows * kv), Buffer<Bf16>(rows * kv)},
               values[2] = {Buffer<Bf16>(rows * kv), Buffer<Bf16>(rows * kv)},
               keys[2] = {Buffer<Bf16>(rows * kv), Buffer<Bf16>(rows * kv)};
  const Buffer<uint64_t> layer_bytes(rows);
  for (const int64_t at_once : {512, 3}) {
    const int which = at_once == 3;
    Buffer<uint64_t> key_places(rows), value_places(rows);
    for (int64_t r = 0; r < rows; ++r) {
      key_places.data()[r] = reinterpret_cast<uint64_t>(keys[which].data() + r * kv);
      value_places.data()[r] = reinterpret_cast<uint64_t>(values[which].data() + r * kv);
    }
    for (int64_t r = 0; r < rows; r += at_once) {
      SplitRotate<Bf16> a;
      a.qkv = qkv.data() + r * width, a.q_norm = a.k_norm = norm.data(), a.cosine = cosine.data(), a.sine = sine.data();
      a.positions = positions.data() + r, a.q = q[which].data() + r * s.heads * s.dim, a.k = k[which].data() + r * kv;
      a.key_places = key_places.data() + r, a.value_places = value_places.data() + r, a.layer_bytes = layer_bytes.data() + r;
      a.rows = std::min(at_once, rows - r), a.shape = s, a.eps = 1e-6f;
      table<Bf16>().split_rotate(a, nullptr);
    }
    finish(GetParam());
  }
  EXPECT_TRUE(q[0].same_bytes(q[1]) && k[0].same_bytes(k[1]) && keys[0].same_bytes(keys[1]));
  EXPECT_TRUE(values[0].same_bytes(values[1]) && keys[0].same_bytes(k[0]));
  EXPECT_NE(q[0][rows * s.heads * s.dim - 1], 0);
  EXPECT_EQ(values[0][rows * kv - 1], qkv[rows * width - 1]);
}

template <typename T>
void check_swiglu(const Table<T>& table, Stand stand, int64_t rows, int64_t width, int64_t offset) {
  const auto gate_up = random_buffer<T>(rows * 2 * width, 1, 2.0, offset), dy = random_buffer<T>(rows * width, 2);
  Buffer<T> y(rows * width), d(rows * 2 * width);
  table.swiglu({gate_up.data(), nullptr, y.data(), nullptr, rows, width}, nullptr);
  table.swiglu({gate_up.data(), dy.data(), nullptr, d.data(), rows, width}, nullptr);
  finish(stand);
  for (int64_t i = 0; i < rows * width; ++i) {
    const int64_t gate_at = i / width * 2 * width + i % width, up_at = gate_at + width;
    const double gate = gate_up[gate_at], up = gate_up[up_at], sigmoid = 1 / (1 + std::exp(-gate));
    ASSERT_NEAR(y[i], gate * sigmoid * up, tolerance<T>(gate * sigmoid * up));
    const double dgate = dy[i] * up * sigmoid * (1 + gate * (1 - sigmoid)), dup = dy[i] * gate * sigmoid;
    ASSERT_NEAR(d[gate_at], dgate, tolerance<T>(dgate));
    ASSERT_NEAR(d[up_at], dup, tolerance<T>(dup));
  }
}

TEST_P(LayerKernels, SwigluAndItsGradientAreTheirDefinitions) {
  for (const int64_t width : {1, 36, 64, 192, 1000}) {
    for (const int64_t offset : {0, 1}) {
      check_swiglu(table<float>(), GetParam(), 3, width, offset);
      check_swiglu(table<Bf16>(), GetParam(), 3, width, offset);
    }
  }
}

TEST_P(LayerKernels, SwigluOfExtremeGatesIsItsLimit) {
  const int64_t width = 8;
  const Buffer<float> gate_up(std::vector<float>{-3e38f, -1e4f, -100, -88, 88, 100, 1e4f, 3e38f, 2, 2, 2, 2, 1, 1, 1, 1}),
      dy(std::vector<float>(width, 1.0f));
  Buffer<float> y(width), d(2 * width);
  table<float>().swiglu({gate_up.data(), nullptr, y.data(), nullptr, 1, width}, nullptr);
  table<float>().swiglu({gate_up.data(), dy.data(), nullptr, d.data(), 1, width}, nullptr);
  finish(GetParam());
  for (int64_t i = 0; i < width; ++i) {
    const double high = gate_up[i] > 0 ? 1 : 0;
    EXPECT_NEAR(y[i], high * gate_up[i], 1e-30 + 1e-6 * high * gate_up[i]) << i;
    EXPECT_NEAR(d[i], high, 1e-30 + 1e-6 * high) << i;
    EXPECT_NEAR(d[width + i], high * gate_up[i], 1e-30 + 1e-6 * high * gate_up[i]) << i;
  }
}

TEST_P(LayerKernels, AdamWMakesTheStepsOfItsDefinition) {
  const int64_t count = 1000;
  const auto master = random_buffer<float>(count, 1), before = random_buffer<float>(count, 1);
  Buffer<float> first(count), second(count);
  Buffer<Bf16> parameter(count);
  std::vector<double> p(count), m(count, 0), v(count, 0);
  for (int64_t i = 0; i < count; ++i) p[static_cast<size_t>(i)] = before[i];
  for (int step = 1; step <= 4; ++step) {
    const auto gradient = random_buffer<float>(count, 10 + static_cast<uint64_t>(step), 0.1);
    AdamW<Bf16> a;
    a.master = master.data(), a.first = first.data(), a.second = second.data(), a.gradient = gradient.data();
    a.parameter = parameter.data(), a.count = count;
    a.lr = 1e-2f, a.beta1 = 0.9f, a.beta2 = 0.99f, a.eps = 1e-8f, a.weight_decay = 0.1f, a.gradient_scale = 0.5f;
    a.correction1 = static_cast<float>(1 - std::pow(0.9, step)),
    a.correction2_root = static_cast<float>(std::sqrt(1 - std::pow(0.99, step)));
    table<Bf16>().adamw(a, nullptr);
    finish(GetParam());
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      const double g = 0.5 * gradient[static_cast<int64_t>(i)];
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.99 * v[i] + 0.01 * g * g;
      p[i] =
          p[i] * (1 - 1e-3) - 1e-2 * (m[i] / (1 - std::pow(0.9, step))) / (std::sqrt(v[i] / (1 - std::pow(0.99, step))) + 1e-8);
      ASSERT_NEAR(master[static_cast<int64_t>(i)], p[i], 2e-6 * (1 + std::abs(p[i])));
      ASSERT_EQ(parameter[static_cast<int64_t>(i)], static_cast<double>(to_float(from_float<Bf16>(master.data()[i]))));
    }
  }
}

MEDSBENCH_KERNEL_STANDS(LayerKernels);

}  // namespace
}  // namespace harness::cuda
