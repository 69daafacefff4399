// Attention of packed rows by spans: the binding of its kernel, and the model that takes it, on the host (the kernels' bodies
// as loops) and on a GPU.
#include "harness/model/ops/testing.h"
#include "harness/model/testing.h"
#include "harness/model/token_statistics.h"

namespace harness {
namespace {

using ops::gpu::attend_packed;

class PackedAttention : public ops::GpuOps {
 protected:
  [[nodiscard]] bool narrow() const { return std::get<1>(GetParam()) == torch::kBFloat16; }
  // The size of the difference against that of what is expected. bf16 rounds each number by at most 2^-9 of itself, the weights
  // of attention once more; fp32 by 2^-24.
  void expect_near(const torch::Tensor& found, const torch::Tensor& expected, double fp32, double bf16,
                   const std::string& what = "") const {
    ASSERT_EQ(found.sizes(), expected.sizes());
    ASSERT_EQ(found.scalar_type(), expected.scalar_type());
    const auto a = found.to(torch::kCPU, torch::kFloat64), b = expected.to(torch::kCPU, torch::kFloat64);
    EXPECT_LE((a - b).norm().item<double>(), (narrow() ? bf16 : fp32) * b.norm().item<double>()) << what;
  }

  [[nodiscard]] std::unique_ptr<Transformer> make_model(int64_t heads, int64_t kv_heads, int64_t dim, bool tied) const {
    ModelConfig config = two_layers(!tied, tied, tied);
    config.heads = heads;
    config.kv_heads = kv_heads;
    config.head_dim = dim;
    config.max_positions = 512;
    Numerics numerics;
    numerics.dtype = std::get<1>(GetParam());
    numerics.device = device();
    return std::make_unique<Transformer>(lively_model(config, 3, numerics));
  }

  ops::gpu::Kernels host_ = ops::gpu::host_kernels();
};

// A prompt with responses around the borders of tiles, a sequence alone.
PackedBatch make_batch() {
  PackedBatch batch;
  const int64_t prompt = batch.add(random_tokens(1, 70));
  for (const int64_t length : {1, 64, 130, 5}) batch.add(random_tokens(static_cast<uint64_t>(length) + 10, length), prompt);
  batch.add(random_tokens(2, 33));
  return batch;
}

std::vector<torch::Tensor> gradients_of(Transformer& model, const PackedBatch& batch, bool recompute, Tape& tape) {
  const std::vector<int64_t> targets = random_tokens(9, batch.rows());
  model.drop_grad();
  model.zero_grad();
  const torch::Tensor hidden = model.forward(batch, &tape, recompute);
  const auto rows = batch.rows();
  const auto weights = torch::cos(torch::arange(rows, torch::kFloat64)).to(torch::kFloat32).to(hidden.device());
  const auto d = token_statistics_backward(model, hidden.slice(0, 0, rows), targets, 0.8, weights, 0.3 * weights.flip(0));
  torch::Tensor whole = torch::zeros_like(hidden);
  whole.slice(0, 0, rows).copy_(d);
  model.backward(batch, tape, whole);
  std::vector<torch::Tensor> gradients;
  for (const Parameter& parameter : model.parameters()) gradients.push_back(parameter.grad);
  return gradients;
}

// What the kernel leaves (out, lse) is what its gradient takes: the gradient is the plain one.
TEST_P(PackedAttention, AndItsGradientAreThePlainOnes) {
  using kernels::HeadShape;
  for (const HeadShape shape : {HeadShape{14, 2, 64}, HeadShape{4, 4, 40}, HeadShape{2, 1, 128}}) {
    SCOPED_TRACE(testing::Message() << shape.heads << " and " << shape.kv_heads << " heads of " << shape.dim);
    const std::vector<ops::AttentionSpan> spans = {{0, 17, -1}, {17, 1, 0},   {18, 40, 0},
                                                   {58, 90, 0}, {148, 5, -1}, {153, 9, 4}};
    const int64_t rows = 192, width = (shape.heads + 2 * shape.kv_heads) * shape.dim;
    const auto q = make({rows, shape.heads * shape.dim}, 1), k = make({rows, shape.kv_heads * shape.dim}, 2),
               qkv = make({rows, width}, 3), dout = make({rows, shape.heads * shape.dim}, 4);
    KvStore store(1, {17, 1, 40, 90, 5, 9}, shape, q.scalar_type(), device(), true);
    std::vector<RowPlace> places;
    for (size_t s = 0; s < spans.size(); ++s) {
      const int64_t prefix = spans[s].prefix;
      for (int64_t i = 0; i < spans[s].length; ++i)
        places.push_back({&store, static_cast<int64_t>(s), i, prefix < 0 ? nullptr : &store, std::max<int64_t>(0, prefix),
                          prefix < 0 ? 0 : spans[static_cast<size_t>(prefix)].length});
    }
    torch::Tensor lse, plain_lse;
    const auto sent = ops::gpu::send_spans(spans, rows, shape, device());
    const auto out = attend_packed(kernels(), q, k, qkv, *sent, shape, &lse),
               expected = ops::plain::attend(q, k, qkv, places, 0, shape, &plain_lse);
    expect_near(out, expected, 2e-6, 4e-3);
    expect_close(lse, plain_lse, 2e-5);
    EXPECT_TRUE(torch::equal(out.slice(0, 162), torch::zeros_like(out.slice(0, 162)))) << "a padding row is not zero";
    EXPECT_TRUE(torch::equal(attend_packed(kernels(), q, k, qkv, *sent, shape, nullptr), out));
    const auto found = ops::gpu::attend_backward(kernels(), dout, out, lse, q, k, qkv, *sent, shape);
    const auto plain = ops::plain::attend_backward(dout, q, k, qkv, spans, shape);
    expect_near(found.dq, plain.dq, 1e-5, 1e-2);
    expect_near(found.dk, plain.dk, 1e-5, 1e-2);
    expect_near(found.dv, plain.dv, 1e-5, 1e-2);
  }
}

TEST_P(PackedAttention, GivesTheModelItsHiddenStatesAndGradients) {
  for (const bool tied : {false, true}) {
    const auto model = tied ? make_model(4, 2, 6, true) : make_model(7, 1, 16, false);
    const PackedBatch batch = make_batch();
    std::vector<torch::Tensor> layers, expected_layers;
    Tape expected_tape, tape, recomputed_tape;
    model->attend_by_spans(false, nullptr);
    const auto expected = model->forward(batch, nullptr, false, &expected_layers);
    const auto expected_gradients = gradients_of(*model, batch, false, expected_tape);
    model->attend_by_spans(true, &host_);
    const auto found = model->forward(batch, nullptr, false, &layers);
    expect_near(found, expected, 1e-5, 2e-2);
    for (size_t l = 0; l < layers.size(); ++l) expect_near(layers[l], expected_layers[l], 1e-5, 2e-2);

    const auto gradients = gradients_of(*model, batch, false, tape);
    EXPECT_EQ(tape.store.bytes(), 0) << "keys and values are stored for nothing";
    EXPECT_EQ(tape.spans, tape.rows.spans) << "spans are sent twice";
    const auto recomputed = gradients_of(*model, batch, true, recomputed_tape);
    for (size_t i = 0; i < gradients.size(); ++i) {
      const std::string& name = model->parameters()[i].name;
      expect_near(gradients[i], expected_gradients[i], 1e-4, 0.1, name);
      EXPECT_TRUE(torch::equal(gradients[i], recomputed[i])) << name << " recomputed";
    }
  }
}

TEST_P(PackedAttention, OfPromptsLeavesKeysAndValuesToDecoding) {
  const auto model = make_model(7, 1, 16, false);
  PackedBatch batch;
  const std::vector<int64_t> lengths = {70, 3, 129};
  for (const int64_t length : lengths) batch.add(random_tokens(static_cast<uint64_t>(length), length));
  const auto filled = [&](bool by_spans, torch::Tensor& hidden) {
    std::vector<std::unique_ptr<KvStore>> stores;
    std::vector<KvStore*> pointers;
    for (const int64_t length : lengths) {
      stores.push_back(
          std::make_unique<KvStore>(2, std::vector<int64_t>{length}, model->heads(), model->numerics().dtype, device(), true));
      pointers.push_back(stores.back().get());
    }
    model->attend_by_spans(by_spans, &host_);
    hidden = model->prefill(batch, pointers);
    return stores;
  };
  torch::Tensor hidden, expected_hidden;
  const auto stores = filled(true, hidden), expected = filled(false, expected_hidden);
  expect_near(hidden, expected_hidden, 1e-5, 2e-2);
  for (size_t s = 0; s < lengths.size(); ++s) {
    for (const int64_t layer : {0, 1}) {
      const auto [keys, values] = stores[s]->read(layer, 0, lengths[s]);
      const auto [expected_keys, expected_values] = expected[s]->read(layer, 0, lengths[s]);
      expect_near(keys, expected_keys, 1e-5, 2e-2);
      expect_near(values, expected_values, 1e-5, 2e-2);
    }
  }
}

MEDSBENCH_GPU_STANDS(PackedAttention);

TEST(PackedAttentionChoice, IsThatOfABf16ModelOnAGpuThatNeedNotBeStrict) {
  const kernels::HeadShape shape{14, 2, 64}, too_wide{2, 1, 320};
  const torch::Device cpu = torch::kCPU, gpu(torch::kCUDA, 0);
#ifdef MEDSBENCH_CUDA
  const bool built = true;
#else
  const bool built = false;
#endif
  EXPECT_EQ(ops::attends_by_spans(shape, torch::kBFloat16, gpu, false), built);
  EXPECT_FALSE(ops::attends_by_spans(shape, torch::kBFloat16, gpu, true));
  EXPECT_FALSE(ops::attends_by_spans(shape, torch::kFloat32, gpu, false));
  EXPECT_FALSE(ops::attends_by_spans(shape, torch::kBFloat16, cpu, false));
  EXPECT_FALSE(ops::attends_by_spans(too_wide, torch::kBFloat16, gpu, false));
}

}  // namespace
}  // namespace harness
