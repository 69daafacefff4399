// What the log-probs of a large vocabulary and their gradient hold at once, counted in the allocator of the CPU.
#include "harness/model/token_statistics.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "harness/model/files/work.h"
#include "harness/model/ops/testing.h"
#include "harness/model/testing.h"
#include "harness/model/token_statistics_gpu.h"

namespace harness {
namespace {

// Counts the bytes in use while it lives; what it gave may outlive it.
class CountingAllocator final : public c10::Allocator {
 public:
  CountingAllocator() : before_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, 1); }
  ~CountingAllocator() override { c10::SetCPUAllocator(before_, 1); }
  CountingAllocator(const CountingAllocator&) = delete;
  CountingAllocator& operator=(const CountingAllocator&) = delete;
  c10::DataPtr allocate(size_t bytes) override {
    const std::shared_ptr<Count> count = count_;
    count->now += bytes;
    count->peak = std::max(count->peak, count->now);
    auto* block = new (std::align_val_t{64}) std::byte[kHeader + bytes];
    new (block) Header{count, bytes};
    std::byte* data = block + kHeader;  // a block's context is its data: some of LibTorch relies on it
    return {data, data, &forget, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &forget; }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }
  // The most in use since the last call.
  size_t take_peak() { return std::exchange(count_->peak, count_->now); }

 private:
  struct Count {
    size_t now = 0, peak = 0;
  };
  struct Header {
    std::shared_ptr<Count> count;
    size_t bytes;
  };
  static constexpr size_t kHeader = 64;
  static void forget(void* data) {
    auto* block = static_cast<std::byte*>(data) - kHeader;
    auto* header = reinterpret_cast<Header*>(block);
    header->count->now -= header->bytes;
    header->~Header();
    ::operator delete[](block, std::align_val_t{64});
  }
  c10::Allocator* before_;
  std::shared_ptr<Count> count_ = std::make_shared<Count>();
};

ModelConfig wide_vocabulary() {
  ModelConfig config = tiny_config(151936);  // of Qwen2.5
  config.width = 16;
  config.layers = 1;
  return config;
}

// Most bytes in use at once while log-probs, entropies and gradients of so many tokens are computed.
double peak_of(Transformer& model, int64_t tokens) {
  const torch::Tensor hidden = torch::ones({tokens, model.config().width}), gradient = torch::ones({tokens});
  const std::vector<int64_t> targets(static_cast<size_t>(tokens), 7);
  CountingAllocator counter;
  counter.take_peak();
  const TokenStatistics statistics = token_statistics(model, hidden, targets, 1.0);
  const torch::Tensor back = token_statistics_backward(model, hidden, targets, 1.0, gradient, {});
  return static_cast<double>(counter.take_peak());
}

TEST(TokenStatistics, HoldLogitsByChunksAlone) {
  const ModelConfig config = wide_vocabulary();
  Transformer model(config, {});
  for (Parameter& parameter : model.parameters()) parameter.value.fill_(0.01);
  model.zero_grad();
  const double logits_of_token = 4.0 * static_cast<double>(config.vocab_size);
  const auto chunk = static_cast<double>(logit_chunk_rows(config.vocab_size, false)) * logits_of_token;
  double two_chunks = 0;
  for (const int64_t tokens : {128, 192}) {
    const double peak = peak_of(model, tokens);
    EXPECT_GE(peak, chunk) << "the allocator does not count";
    EXPECT_LE(peak, chunk + static_cast<double>(tokens) * 512) << "more than a chunk and some numbers a token";
    if (tokens == 128) two_chunks = peak;
    EXPECT_LE(peak - two_chunks, 64.0 * 512) << "grows with the tokens";
  }
  // So 16384 tokens take this much:
  EXPECT_LE(two_chunks + (16384.0 - 128) * 512, 16384 * logits_of_token / 8);
}

TEST(TokenStatistics, HoldAtMostAnEighthOfTheLogitsOf2048Tokens) {
  Transformer model(wide_vocabulary(), {});
  for (Parameter& parameter : model.parameters()) parameter.value.fill_(0.01);
  model.zero_grad();
  const double share = peak_of(model, 2048) / (2048 * 4.0 * static_cast<double>(model.config().vocab_size));
  EXPECT_LE(share, 1.0 / 8);
  EXPECT_GE(share, 1.0 / 64) << "the allocator does not count";  // a chunk is 1/32
}

struct Found {
  TokenStatistics statistics;
  torch::Tensor hidden_gradient, head_gradient;
};

// Up to a ten-thousandth of the largest: sums over the vocabulary, in another order.
void expect_near(const torch::Tensor& found, const torch::Tensor& expected) {
  EXPECT_LE((found - expected).abs().max().item<double>(), 1e-4 * expected.abs().max().item<double>());
}

// What is done with hidden states on a GPU, here on the CPU: three chunks, the last not full.
TEST(TokenStatistics, ByKernelsAndByPlainOperationsAreThoseOfTheCpu) {
  Transformer model(wide_vocabulary(), {});
  torch::manual_seed(1);
  for (Parameter& parameter : model.parameters()) parameter.value.normal_(0, 0.5);
  const int64_t chunk = logit_chunk_rows(wide_vocabulary().vocab_size, false), tokens = 2 * chunk + 5;
  const torch::Tensor hidden = torch::randn({tokens, 16}), dlog_prob = torch::randn({tokens}),
                      dentropy = torch::randn({tokens});
  std::vector<int64_t> targets;
  for (int64_t i = 0; i < tokens; ++i) targets.push_back(i * 15731 % 151936);
  const auto by = [&](const std::optional<ops::gpu::Kernels>& kernels) {
    model.zero_grad();
    Found found{token_statistics_by(kernels, model, hidden, targets, 0.8),
                add_head_gradient_by(kernels, model, hidden, targets, 0.8, dlog_prob, dentropy),
                {}};
    found.head_gradient = model.parameters()[0].grad.clone();
    return found;
  };
  const Found kernels = by(ops::gpu::host_kernels()), plain = by(std::nullopt);
  model.zero_grad();
  const TokenStatistics expected = token_statistics(model, hidden, targets, 0.8);
  const torch::Tensor hidden_gradient = token_statistics_backward(model, hidden, targets, 0.8, dlog_prob, dentropy);
  const torch::Tensor head_gradient = model.parameters()[0].grad.clone();
  ASSERT_GT(head_gradient.abs().max().item<double>(), 0.1) << "the first parameter is not the head";
  for (const Found* found : {&kernels, &plain}) {
    SCOPED_TRACE(found == &plain ? "plain operations" : "kernels");
    EXPECT_TRUE(torch::allclose(found->statistics.log_probs, expected.log_probs, 1e-5, 1e-5));
    EXPECT_TRUE(torch::allclose(found->statistics.entropies, expected.entropies, 1e-5, 1e-4));
    expect_near(found->hidden_gradient, hidden_gradient);
    expect_near(found->head_gradient, head_gradient);
  }
  // Of log-probs alone.
  const torch::Tensor alone = add_head_gradient_by(ops::gpu::host_kernels(), model, hidden, targets, 0.8, dlog_prob, {});
  expect_near(alone, token_statistics_backward(model, hidden, targets, 0.8, dlog_prob, {}));
}

TEST(TopTokens, AreTheLargestOfTheLogSoftmaxWithTheLogProbsOfTheStatistics) {
  Transformer model(wide_vocabulary(), {});
  torch::manual_seed(2);
  for (Parameter& parameter : model.parameters()) parameter.value.normal_(0, 0.5);
  const int64_t tokens = logit_chunk_rows(wide_vocabulary().vocab_size, false) + 3;
  const torch::Tensor hidden = torch::randn({tokens, 16});
  const TopTokens top = top_tokens(model, hidden, 3, 0.8);
  const auto [log_probs, ids] = torch::log_softmax(model.logits(hidden).slice(0, 0, tokens) / 0.8, -1).topk(3);
  EXPECT_TRUE(torch::equal(top.ids, ids));
  EXPECT_TRUE(torch::allclose(top.log_probs, log_probs, 1e-5, 1e-5));
  const torch::Tensor first = ids.select(1, 0).contiguous();
  const std::vector<int64_t> targets(first.data_ptr<int64_t>(), first.data_ptr<int64_t>() + tokens);
  EXPECT_TRUE(torch::equal(top.log_probs.select(1, 0), token_statistics(model, hidden, targets, 0.8).log_probs));
  EXPECT_EQ(top_tokens(model, hidden.slice(0, 0, 1), 200000, 1).ids.size(1), 151936);
}

}  // namespace
}  // namespace harness
