// The gradient of the head norm and rotary embedding against its definition in double precision.
#include "harness/cuda/testing.h"

namespace harness::cuda {
namespace {

using RotateGradient = KernelTest;

template <typename T>
struct RotateCase {
  Heads s;
  int64_t rows;
  Buffer<T> gradient, qkv, q_norm, k_norm;  // gradient [R, (H + 2K) E]: of q, k and v side by side
  Buffer<float> cosine, sine;
  Buffer<int64_t> positions;
  [[nodiscard]] int64_t width() const { return (s.heads + 2 * s.kv_heads) * s.dim; }
};

constexpr int64_t kPositions = 9;

template <typename T>
RotateCase<T> make_case(Heads s, int64_t rows) {
  const int64_t width = (s.heads + 2 * s.kv_heads) * s.dim, half = s.dim / 2;
  RotateCase<T> c{s,
                  rows,
                  random_buffer<T>(rows * width, 1),
                  random_buffer<T>(rows * width, 2),
                  random_buffer<T>(s.dim, 3),
                  random_buffer<T>(s.dim, 4),
                  random_buffer<float>(kPositions * half, 5),
                  random_buffer<float>(kPositions * half, 6),
                  Buffer<int64_t>(rows)};
  for (int64_t r = 0; r < rows; ++r) c.positions.data()[r] = (5 * r + 1) % kPositions;
  return c;
}

template <typename T>
struct RotateAnswer {
  Buffer<T> dqkv;
  Buffer<float> dq_norm, dk_norm;
};

// In place: the gradients stand in dqkv. Otherwise they are three tensors without gaps, as q, k and v are.
template <typename T>
RotateAnswer<T> run(const Table<T>& table, Stand stand, const RotateCase<T>& c, bool norms, bool in_place) {
  const int64_t q_width = c.s.heads * c.s.dim, kv = c.s.kv_heads * c.s.dim;
  RotateAnswer<T> answer{Buffer<T>(c.rows * c.width()), random_buffer<float>(c.s.dim, 7), random_buffer<float>(c.s.dim, 8)};
  Buffer<T> dq(c.rows * q_width), dk(c.rows * kv), dv(c.rows * kv);
  for (int64_t r = 0; r < c.rows; ++r) {
    const T* row = c.gradient.data() + r * c.width();
    std::copy(row, row + q_width, dq.data() + r * q_width);
    std::copy(row + q_width, row + q_width + kv, dk.data() + r * kv);
    std::copy(row + q_width + kv, row + c.width(), dv.data() + r * kv);
  }
  if (in_place) std::copy(c.gradient.data(), c.gradient.data() + c.gradient.size(), answer.dqkv.data());
  Buffer<float> workspace(rotate_chunks(c.rows) * 2 * c.s.dim);
  SplitRotateBackward<T> a;
  a.dq = dq.data(), a.dk = dk.data(), a.dv = dv.data(), a.q_stride = q_width, a.kv_stride = kv;
  if (in_place) {
    a.dq = answer.dqkv.data(), a.dk = a.dq + q_width, a.dv = a.dk + kv;
    a.q_stride = a.kv_stride = c.width();
  }
  if (norms) {
    a.qkv = c.qkv.data(), a.q_norm = c.q_norm.data(), a.k_norm = c.k_norm.data();
    a.dq_norm = answer.dq_norm.data(), a.dk_norm = answer.dk_norm.data(), a.workspace = workspace.data();
  }
  a.cosine = c.cosine.data(), a.sine = c.sine.data(), a.positions = c.positions.data();
  a.dqkv = answer.dqkv.data(), a.rows = c.rows, a.shape = c.s, a.eps = 1e-6f;
  table.split_rotate_backward(a, nullptr);
  finish(stand);
  return answer;
}

template <typename T>
void expect_definition(const RotateCase<T>& c, const RotateAnswer<T>& answer, bool norms) {
  const int64_t dim = c.s.dim, half = dim / 2, rotated = c.s.heads + c.s.kv_heads;
  std::vector<double> dnorm[2];
  for (int which = 0; which < 2; ++which) {
    const auto before = random_buffer<float>(dim, 7 + static_cast<uint64_t>(which));
    for (int64_t e = 0; e < dim; ++e) dnorm[which].push_back(before[e]);
  }
  for (int64_t r = 0; r < c.rows; ++r) {
    for (int64_t h = 0; h < rotated; ++h) {
      const int64_t at = r * c.width() + h * dim, angle = static_cast<int64_t>(c.positions[r]) * half;
      const Buffer<T>& norm = h < c.s.heads ? c.q_norm : c.k_norm;
      std::vector<double> g(static_cast<size_t>(dim));  // before the rotation
      for (int64_t i = 0; i < half; ++i) {
        const double low = c.gradient[at + i], high = c.gradient[at + half + i], cos = c.cosine[angle + i],
                     sin = c.sine[angle + i];
        g[static_cast<size_t>(i)] = low * cos + high * sin;
        g[static_cast<size_t>(half + i)] = high * cos - low * sin;
      }
      double squares = 0, dot = 0;
      for (int64_t e = 0; e < dim; ++e) {
        squares += c.qkv[at + e] * c.qkv[at + e];
        dot += g[static_cast<size_t>(e)] * norm[e] * c.qkv[at + e];
      }
      const double scale = 1 / std::sqrt(squares / static_cast<double>(dim) + 1e-6);
      const double back = dot * scale * scale * scale / static_cast<double>(dim);
      for (int64_t e = 0; e < dim; ++e) {
        double expected = g[static_cast<size_t>(e)];
        if (norms) {
          dnorm[h < c.s.heads ? 0 : 1][static_cast<size_t>(e)] += expected * c.qkv[at + e] * scale;
          expected = expected * norm[e] * scale - c.qkv[at + e] * back;
        }
        ASSERT_NEAR(answer.dqkv[at + e], expected, tolerance<T>(expected, 1e-5)) << "row " << r << ", head " << h;
      }
    }
    for (int64_t i = rotated * dim; i < c.width(); ++i)
      ASSERT_EQ(answer.dqkv[r * c.width() + i], c.gradient[r * c.width() + i]);
  }
  for (int64_t e = 0; e < dim; ++e) {
    const double q = dnorm[0][static_cast<size_t>(e)], k = dnorm[1][static_cast<size_t>(e)];
    const double room = 2e-5 * std::sqrt(static_cast<double>(c.rows * c.s.heads));  // terms of size 1 that cancel
    ASSERT_NEAR(answer.dq_norm[e], q, 1e-5 * std::abs(q) + room);
    ASSERT_NEAR(answer.dk_norm[e], k, 1e-5 * std::abs(k) + room);
  }
}

template <typename T>
void check(const Table<T>& table, Stand stand, Heads s, int64_t rows) {
  SCOPED_TRACE(testing::Message() << rows << " rows, " << s.heads << " and " << s.kv_heads << " heads of " << s.dim);
  const auto c = make_case<T>(s, rows);
  for (const bool norms : {false, true}) {
    const auto apart = run(table, stand, c, norms, false), in_place = run(table, stand, c, norms, true);
    expect_definition(c, apart, norms);
    EXPECT_TRUE(in_place.dqkv.same_bytes(apart.dqkv));
    EXPECT_TRUE(in_place.dq_norm.same_bytes(apart.dq_norm) && in_place.dk_norm.same_bytes(apart.dk_norm));
  }
}

TEST_P(RotateGradient, IsItsDefinitionInPlaceAndApart) {
  for (const Heads shape : {Heads{4, 2, 6}, Heads{1, 1, 2}, Heads{2, 2, 32}, Heads{14, 2, 64}, Heads{8, 1, 80},
                            Heads{4, 4, 128}, Heads{2, 1, 256}}) {
    for (const int64_t rows : {1, 15, 16, 17, 70}) {
      check(table<float>(), GetParam(), shape, rows);
      check(table<Bf16>(), GetParam(), shape, rows);
    }
  }
}

// 700 rows are 44 chunks: more than the sections that sum them.
TEST_P(RotateGradient, OfTheNormsIsTheSumOverManyRows) {
  check(table<float>(), GetParam(), {4, 2, 64}, 700);
  check(table<Bf16>(), GetParam(), {4, 2, 64}, 700);
}

MEDSBENCH_KERNEL_STANDS(RotateGradient);

}  // namespace
}  // namespace harness::cuda
