// The bindings of the backward kernels against the plain operations, on the host and on a GPU.
#include "harness/model/ops/testing.h"

namespace harness::ops {
namespace {

class GpuBackward : public GpuOps {
 protected:
  // Within 2e-5 (in bf16 2^-6: the rounding of the result and that of `out`, which the plain operation does without) of a
  // value's own size or, where its terms cancel, of the largest of its row and the typical one of all.
  void expect_near(const torch::Tensor& found, const torch::Tensor& expected) const {
    ASSERT_EQ(found.sizes(), expected.sizes());
    ASSERT_EQ(found.scalar_type(), expected.scalar_type());
    const auto a = found.to(torch::kCPU, torch::kFloat64), b = expected.to(torch::kCPU, torch::kFloat64);
    const double room = std::get<1>(GetParam()) == torch::kBFloat16 ? 1.0 / 64 : 2e-5;
    const auto allowed = room * (b.abs() + b.abs().amax(-1, true) + b.square().mean().sqrt());
    EXPECT_TRUE(((a - b).abs() <= allowed).all().item<bool>()) << "largest difference " << (a - b).abs().max().item<double>()
                                                               << ", typical size " << b.square().mean().sqrt().item<double>();
  }
};

struct Batch {
  kernels::HeadShape shape;
  int64_t rows = 0;  // with padding
  std::vector<AttentionSpan> spans;
};

// Prompts with responses, a sequence alone, padding; 8 heads of 500 rows are several parts of the first prompt's gradient.
std::vector<Batch> batches() {
  const std::vector<AttentionSpan> family = {{0, 17, -1}, {17, 1, 0}, {18, 40, 0}, {58, 70, 0}, {128, 5, -1}, {133, 9, 4}};
  return {{{4, 2, 16}, 192, family},
          {{7, 1, 64}, 192, family},
          {{4, 4, 80}, 192, family},
          {{2, 1, 128}, 192, family},
          {{8, 1, 32}, 640, {{0, 60, -1}, {60, 256, 0}, {316, 184, 0}, {500, 100, -1}}}};
}

TEST_P(GpuBackward, AttentionAndRotationOfPackedRowsAreThePlainOnes) {
  for (const Batch& b : batches()) {
    const int64_t dim = b.shape.dim, width = (b.shape.heads + 2 * b.shape.kv_heads) * dim;
    SCOPED_TRACE(testing::Message() << b.shape.heads << " and " << b.shape.kv_heads << " heads of " << dim);
    for (const bool with_norms : {false, true}) {
      std::vector<int64_t> rising;
      for (int64_t r = 0; r < b.rows; ++r) rising.push_back(r % 300);
      const auto qkv = make({b.rows, width}, 1), dout = make({b.rows, b.shape.heads * dim}, 2), positions = index(rising);
      const Rotary rotary{fp32({300, dim / 2}, 3).cos(), fp32({300, dim / 2}, 3).sin()};
      const HeadNorms norms = with_norms ? HeadNorms{make({dim}, 4), make({dim}, 5), 1e-6} : HeadNorms{};
      const auto [q, k] = plain::split_rotate(qkv, norms, rotary, positions, b.shape);
      // Rows of each sequence after those of its prefix, as the forward pass stores them.
      std::vector<int64_t> capacities;
      for (const AttentionSpan& span : b.spans) capacities.push_back(span.length);
      KvStore store(1, capacities, b.shape, qkv.scalar_type(), device(), true);
      std::vector<RowPlace> places;
      for (size_t s = 0; s < b.spans.size(); ++s) {
        const int64_t prefix = b.spans[s].prefix;
        for (int64_t i = 0; i < b.spans[s].length; ++i) {
          places.push_back({&store, static_cast<int64_t>(s), i, prefix < 0 ? nullptr : &store, std::max<int64_t>(0, prefix),
                            prefix < 0 ? 0 : b.spans[static_cast<size_t>(prefix)].length});
        }
      }
      torch::Tensor lse;
      const auto out = plain::attend(q, k, qkv, places, 0, b.shape, &lse);

      const auto sent = gpu::send_spans(b.spans, b.rows, b.shape, device());
      const auto once = gpu::attend_backward(kernels(), dout, out, lse.contiguous(), q, k, qkv, *sent, b.shape);
      const auto expected = plain::attend_backward(dout, q, k, qkv, b.spans, b.shape);
      expect_near(once.dq, expected.dq);
      expect_near(once.dk, expected.dk);
      expect_near(once.dv, expected.dv);
      const auto again = gpu::attend_backward(kernels(), dout, out, lse.contiguous(), q, k, qkv, *sent, b.shape);
      EXPECT_TRUE(torch::equal(once.dq, again.dq) && torch::equal(once.dk, again.dk) && torch::equal(once.dv, again.dv));

      torch::Tensor dq_norm = fp32({dim}, 6), dk_norm = fp32({dim}, 7), apart_dq_norm = dq_norm.clone(),
                    apart_dk_norm = dk_norm.clone(), plain_dq_norm = dq_norm.clone(), plain_dk_norm = dk_norm.clone();
      const auto plain_dqkv =
          plain::split_rotate_backward(once.dq.contiguous(), once.dk.contiguous(), once.dv.contiguous(), qkv, norms, rotary,
                                       positions, b.shape, plain_dq_norm, plain_dk_norm);
      const auto apart = gpu::split_rotate_backward(kernels(), once.dq.contiguous(), once.dk.contiguous(), once.dv.contiguous(),
                                                    qkv, norms, rotary, positions, b.shape, apart_dq_norm, apart_dk_norm);
      const auto dqkv = gpu::split_rotate_backward(kernels(), once.dq, once.dk, once.dv, qkv, norms, rotary, positions, b.shape,
                                                   dq_norm, dk_norm);
      EXPECT_EQ(dqkv.data_ptr(), once.dq.data_ptr()) << "not in place";
      EXPECT_TRUE(torch::equal(dqkv, apart));
      expect_near(dqkv, plain_dqkv);
      expect_near(dq_norm, plain_dq_norm);
      expect_near(dk_norm, plain_dk_norm);
      EXPECT_TRUE(torch::equal(dq_norm, apart_dq_norm) && torch::equal(dk_norm, apart_dk_norm));
    }
  }
}

// On a GPU the sums of products stay in fp32 on their way to the gradient; bf16 rounds them on the CPU.
TEST_P(GpuBackward, GradientsOfWeightsAndBiasesAddUp) {
  const auto dy = make({200, 24}, 1), x = make({200, 40}, 2);
  torch::Tensor weight = fp32({24, 40}, 3), bias = fp32({24}, 4);
  const auto expected = weight.to(torch::kFloat64) + dy.to(torch::kFloat64).t().mm(x.to(torch::kFloat64));
  const auto expected_bias = bias + dy.to(torch::kFloat32).sum(0);
  add_weight_gradient(weight, dy, x);
  add_bias_gradient(bias, dy);
  const double room = on_gpu() || dy.scalar_type() == torch::kFloat32 ? 1e-5 : 1.0 / 128;
  EXPECT_LE((weight.to(torch::kFloat64) - expected).abs().max().item<double>(), room * expected.abs().max().item<double>());
  if (on_gpu()) {
    expect_close(bias, expected_bias);
  } else {
    EXPECT_TRUE(torch::equal(bias, expected_bias));
  }
}

MEDSBENCH_GPU_STANDS(GpuBackward);

}  // namespace
}  // namespace harness::ops
