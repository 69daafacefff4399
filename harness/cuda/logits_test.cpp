// Sampling, log-probs, entropies, the gradient on logits and the layer readout against their definitions.
#include "harness/cuda/testing.h"

namespace harness::cuda {
namespace {

using LogitKernels = KernelTest;

const std::vector<int64_t> kVocabularies = {1, 2, 31, 36, 1000, 1023, 1024, 1025, 4096, 8192, 8200, 49152};

struct Softmax {
  std::vector<double> p;
  double log_sum = 0, entropy = 0;  // log_sum of the scaled logits
};

template <typename T>
Softmax softmax(const Buffer<T>& logits, int64_t row, int64_t vocabulary, double inverse) {
  Softmax out;
  double max = -1e300, sum = 0;
  for (int64_t i = 0; i < vocabulary; ++i) max = std::max(max, logits[row * vocabulary + i] * inverse);
  for (int64_t i = 0; i < vocabulary; ++i) {
    out.p.push_back(std::exp(logits[row * vocabulary + i] * inverse - max));
    sum += out.p.back();
  }
  out.log_sum = max + std::log(sum);
  for (double& p : out.p) {
    p /= sum;
    if (p > 0) out.entropy -= p * std::log(p);
  }
  return out;
}

template <typename T>
void check_sampling(const Table<T>& table, Stand stand, int64_t vocabulary, float draw_inverse, float report_inverse) {
  SCOPED_TRACE(testing::Message() << "vocabulary " << vocabulary);
  const std::vector<double> uniforms = {0.0, 1e-9, 0.25, 0.5, 0.77, 1 - 0x1p-53};
  const auto rows = static_cast<int64_t>(uniforms.size());
  const auto logits = random_buffer<T>(rows * vocabulary, static_cast<uint64_t>(vocabulary), 3.0);
  const Buffer<double> draws(uniforms);
  Buffer<int64_t> tokens(rows);
  Buffer<float> log_probs(rows), entropies(rows);
  table.sample_tokens({logits.data(), draws.data(), tokens.data(), log_probs.data(), entropies.data(), rows, vocabulary,
                       draw_inverse, report_inverse},
                      nullptr);
  finish(stand);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t token = tokens.data()[r];
    ASSERT_TRUE(token >= 0 && token < vocabulary);
    const Softmax drawn = softmax(logits, r, vocabulary, static_cast<double>(draw_inverse));
    double before = 0;
    for (int64_t i = 0; i < token; ++i) before += drawn.p[static_cast<size_t>(i)];
    const double u = uniforms[static_cast<size_t>(r)];
    EXPECT_GE(u, before - 1e-6) << "row " << r << ", token " << token;
    EXPECT_LE(u, before + drawn.p[static_cast<size_t>(token)] + 1e-6) << "row " << r << ", token " << token;
    const Softmax told = softmax(logits, r, vocabulary, static_cast<double>(report_inverse));
    ASSERT_NEAR(log_probs[r], logits[r * vocabulary + token] * static_cast<double>(report_inverse) - told.log_sum, 2e-5);
    ASSERT_NEAR(entropies[r], told.entropy, 2e-5 * (1 + told.entropy));
  }
}

TEST_P(LogitKernels, SamplingInvertsTheCumulativeSumAndTellsLogProbAndEntropy) {
  for (const int64_t vocabulary : kVocabularies) {
    check_sampling(table<float>(), GetParam(), vocabulary, 1.0f, 1.0f);
    check_sampling(table<Bf16>(), GetParam(), vocabulary, 1.25f, 1.25f);
    check_sampling(table<Bf16>(), GetParam(), vocabulary, 1.25f, 1.0f);
  }
}

struct Sample {
  Buffer<int64_t> tokens;
  Buffer<float> log_probs, entropies;
};
template <typename T>
Sample sample(const Table<T>& table, Stand stand, const Buffer<T>& logits, const Buffer<double>* uniforms, int64_t rows,
              float report_inverse, bool shared) {
  const int64_t vocabulary = logits.size() / rows;
  Sample s{Buffer<int64_t>(rows), Buffer<float>(rows), Buffer<float>(rows)};
  Buffer<float> workspace(rows * kTileSums * logit_tiles(vocabulary));
  table.sample_tokens({logits.data(), uniforms != nullptr ? uniforms->data() : nullptr, s.tokens.data(), s.log_probs.data(),
                       s.entropies.data(), rows, vocabulary, 1.25f, report_inverse, shared ? workspace.data() : nullptr},
                      nullptr);
  finish(stand);
  return s;
}
template <typename T>
void expect_shared_is_the_same(const Table<T>& table, Stand stand, int64_t vocabulary) {
  SCOPED_TRACE(testing::Message() << "vocabulary " << vocabulary);
  const Buffer<double> uniforms(std::vector<double>{0.0, 0.5, 1 - 0x1p-53});
  const auto logits = random_buffer<T>(3 * vocabulary, static_cast<uint64_t>(vocabulary), 3.0);
  for (const Buffer<double>* draws : {&uniforms, static_cast<const Buffer<double>*>(nullptr)}) {
    for (const float report_inverse : {1.25f, 1.0f}) {
      const Sample one = sample(table, stand, logits, draws, 3, report_inverse, false),
                   shared = sample(table, stand, logits, draws, 3, report_inverse, true);
      EXPECT_TRUE(one.tokens.same_bytes(shared.tokens));
      EXPECT_TRUE(one.log_probs.same_bytes(shared.log_probs));
      EXPECT_TRUE(one.entropies.same_bytes(shared.entropies));
      EXPECT_LT(shared.log_probs[2], vocabulary > 1 ? 0 : 1e-6);
    }
  }
}

TEST_P(LogitKernels, SamplingOfARowSharedByBlocksIsTheSameBytes) {
  for (const int64_t vocabulary : {1, 31, 4096, 8193, 151936}) {
    expect_shared_is_the_same(table<float>(), GetParam(), vocabulary);
    expect_shared_is_the_same(table<Bf16>(), GetParam(), vocabulary);
  }
}

TEST_P(LogitKernels, SamplingDrawsEachTokenAsOftenAsItsProbability) {
  const int64_t vocabulary = 37, rows = 1000;
  const auto row = random_buffer<float>(vocabulary, 5, 1.5);
  Buffer<float> logits(rows * vocabulary), log_probs(rows), entropies(rows);
  Buffer<double> uniforms(rows);
  Buffer<int64_t> tokens(rows);
  for (int64_t r = 0; r < rows; ++r) {  // an even grid of uniforms: counts are within 1 of the expectation
    std::memcpy(logits.data() + r * vocabulary, row.data(), sizeof(float) * static_cast<size_t>(vocabulary));
    uniforms.data()[r] = (static_cast<double>(r) + 0.5) / static_cast<double>(rows);
  }
  table<float>().sample_tokens(
      {logits.data(), uniforms.data(), tokens.data(), log_probs.data(), entropies.data(), rows, vocabulary, 1, 1}, nullptr);
  finish(GetParam());
  std::vector<int64_t> counts(static_cast<size_t>(vocabulary), 0);
  for (int64_t r = 0; r < rows; ++r) ++counts[static_cast<size_t>(tokens.data()[r])];
  const Softmax expected = softmax(row, 0, vocabulary, 1);
  for (size_t i = 0; i < counts.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(counts[i]), expected.p[i] * static_cast<double>(rows), 1.01) << "token " << i;
  }
}

TEST_P(LogitKernels, GreedyTakesTheLargestLogitAndTheLowestIdOnATie) {
  for (const int64_t vocabulary : {36, 5000}) {
    Buffer<Bf16> logits(3 * vocabulary);
    const std::vector<std::vector<int64_t>> ties = {{0}, {vocabulary - 1}, {7, 20, vocabulary - 2}};
    for (size_t r = 0; r < ties.size(); ++r) {
      for (const int64_t i : ties[r]) logits.data()[static_cast<int64_t>(r) * vocabulary + i] = from_float<Bf16>(2.0f);
    }
    Buffer<int64_t> tokens(3);
    Buffer<float> log_probs(3), entropies(3);
    table<Bf16>().sample_tokens(
        {logits.data(), nullptr, tokens.data(), log_probs.data(), entropies.data(), 3, vocabulary, 1, 1}, nullptr);
    finish(GetParam());
    for (int64_t r = 0; r < 3; ++r) EXPECT_EQ(tokens.data()[r], ties[static_cast<size_t>(r)][0]) << "row " << r;
  }
}

TEST_P(LogitKernels, SamplingOfLogitsThatAreNotNumbersStaysWithinTheVocabulary) {
  const int64_t vocabulary = 1500;
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
    Buffer<float> logits(vocabulary), log_probs(1), entropies(1);
    for (int64_t i = 0; i < vocabulary; ++i) logits.data()[i] = bad;
    const Buffer<double> uniforms(std::vector<double>{0.999});
    Buffer<int64_t> tokens(1);
    table<float>().sample_tokens(
        {logits.data(), uniforms.data(), tokens.data(), log_probs.data(), entropies.data(), 1, vocabulary, 1, 1}, nullptr);
    finish(GetParam());
    EXPECT_TRUE(tokens.data()[0] >= 0 && tokens.data()[0] < vocabulary);
  }
}

template <typename T>
void check_statistics_and_gradient(const Table<T>& table, Stand stand, int64_t vocabulary, float inverse, bool with_entropy) {
  SCOPED_TRACE(testing::Message() << "vocabulary " << vocabulary);
  const int64_t rows = 3;
  auto logits = random_buffer<T>(rows * vocabulary, 1, 3.0);
  const auto before = random_buffer<T>(rows * vocabulary, 1, 3.0);
  const Buffer<int64_t> targets(std::vector<int64_t>{0, vocabulary - 1, vocabulary / 2});
  const auto g = random_buffer<float>(rows, 2), h = random_buffer<float>(rows, 3);
  Buffer<float> log_probs(rows), entropies(rows);
  table.token_log_probs({logits.data(), targets.data(), log_probs.data(), entropies.data(), rows, vocabulary, inverse},
                        nullptr);
  table.logit_gradient({logits.data(), targets.data(), g.data(), with_entropy ? h.data() : nullptr, rows, vocabulary, inverse},
                       nullptr);
  finish(stand);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t target = targets.data()[r];
    const Softmax s = softmax(before, r, vocabulary, static_cast<double>(inverse));
    ASSERT_NEAR(log_probs[r], before[r * vocabulary + target] * static_cast<double>(inverse) - s.log_sum, 2e-5);
    ASSERT_NEAR(entropies[r], s.entropy, 2e-5 * (1 + s.entropy));
    for (int64_t j = 0; j < vocabulary; ++j) {
      const double p = s.p[static_cast<size_t>(j)];
      double expected = g[r] * ((j == target ? 1.0 : 0.0) - p);
      if (with_entropy && p > 0) expected -= h[r] * p * (std::log(p) + s.entropy);
      expected *= static_cast<double>(inverse);
      const double room = std::is_same_v<T, Bf16> ? std::abs(expected) / 128 + 1e-6 : 2e-5 * std::abs(expected) + 2e-6;
      ASSERT_NEAR(logits[r * vocabulary + j], expected, room) << "row " << r << ", token " << j;
    }
  }
}

TEST_P(LogitKernels, LogProbsEntropiesAndTheGradientAreThoseOfSoftmax) {
  for (const int64_t vocabulary : kVocabularies) {
    check_statistics_and_gradient(table<float>(), GetParam(), vocabulary, 1.0f, true);
    check_statistics_and_gradient(table<float>(), GetParam(), vocabulary, 0.8f, false);
    check_statistics_and_gradient(table<Bf16>(), GetParam(), vocabulary, 1.25f, true);
  }
}

TEST_P(LogitKernels, SamplingAndStatisticsHoldOverALargeVocabulary) {
  const int64_t vocabulary = 151936;
  check_sampling(table<Bf16>(), GetParam(), vocabulary, 1.25f, 1.0f);
  check_statistics_and_gradient(table<Bf16>(), GetParam(), vocabulary, 1.25f, true);
}

// The largest of each row has all the probability, however far beyond the end of the row the others are.
TEST_P(LogitKernels, StatisticsAreFiniteAtAnInverseTemperatureOfAHundredMillion) {
  for (const int64_t vocabulary : {31, 1000, 1024, 1032}) {
    auto logits = random_buffer<Bf16>(vocabulary, 1, 3.0);
    logits.data()[vocabulary / 2] = from_float<Bf16>(-40.0f);
    logits.data()[vocabulary - 1] = from_float<Bf16>(40.0f);
    const Buffer<int64_t> target(std::vector<int64_t>{vocabulary - 1});
    Buffer<float> log_prob(1), entropy(1);
    table<Bf16>().token_log_probs({logits.data(), target.data(), log_prob.data(), entropy.data(), 1, vocabulary, 1e8f},
                                  nullptr);
    finish(GetParam());
    EXPECT_EQ(log_prob[0], 0) << vocabulary;
    EXPECT_EQ(entropy[0], 0) << vocabulary;
  }
}

template <typename T>
void check_readout(const Table<T>& table, Stand stand, int64_t width, bool gathered) {
  const int64_t rows = 5, layers = 7, vocabulary = 11;
  const auto head = random_buffer<T>(vocabulary * width, 1);
  const Buffer<int64_t> tokens(std::vector<int64_t>{10, 0, 3, 3, 7}), source(std::vector<int64_t>{4, 8, 0, 1, 8});
  std::vector<Buffer<T>> hidden;
  Buffer<float> values(rows * layers);
  Readout<T> a;
  a.head = head.data(), a.tokens = tokens.data(), a.source = gathered ? source.data() : nullptr, a.values = values.data();
  a.rows = rows, a.layers = layers, a.width = width;
  for (int64_t l = 0; l < layers; ++l) {
    hidden.push_back(random_buffer<T>(9 * width, 10 + static_cast<uint64_t>(l)));
    a.hidden[l] = hidden.back().data();
  }
  table.readout(a, nullptr);
  finish(stand);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t l = 0; l < layers; ++l) {
      double dot = 0, size = 0;
      for (int64_t i = 0; i < width; ++i) {
        const double term =
            head[tokens.data()[r] * width + i] * hidden[static_cast<size_t>(l)][(gathered ? source.data()[r] : r) * width + i];
        dot += term;
        size += std::abs(term);
      }
      ASSERT_NEAR(values[r * layers + l], dot, 1e-6 * size) << "row " << r << ", layer " << l;
    }
  }
}

TEST_P(LogitKernels, ReadoutIsTheDotProductOfHeadRowAndHiddenState) {
  for (const int64_t width : {1, 24, 64, 300, 576}) {
    for (const bool gathered : {false, true}) {
      check_readout(table<float>(), GetParam(), width, gathered);
      check_readout(table<Bf16>(), GetParam(), width, gathered);
    }
  }
}

// Few rows are shared by blocks, many are not.
TEST_P(LogitKernels, ReadoutOfARowIsTheSameBytesAmongFewRowsAndAmongMany) {
  const int64_t rows = 513, layers = 9, width = 40, vocabulary = 5;
  const auto head = random_buffer<Bf16>(vocabulary * width, 1), hidden = random_buffer<Bf16>((rows + layers) * width, 2);
  Buffer<int64_t> tokens(rows);
  for (int64_t r = 0; r < rows; ++r) tokens.data()[r] = r % vocabulary;
  Buffer<float> values[2] = {Buffer<float>(rows * layers), Buffer<float>(rows * layers)};
  for (const int64_t at_once : {513, 300}) {
    for (int64_t r = 0; r < rows; r += at_once) {
      Readout<Bf16> a;
      a.head = head.data(), a.tokens = tokens.data() + r, a.values = values[at_once == 300].data() + r * layers;
      a.rows = std::min(at_once, rows - r), a.layers = layers, a.width = width;
      for (int64_t l = 0; l < layers; ++l) a.hidden[l] = hidden.data() + (r + l) * width;
      table<Bf16>().readout(a, nullptr);
    }
    finish(GetParam());
  }
  EXPECT_TRUE(values[0].same_bytes(values[1]));
  EXPECT_NE(values[0][rows * layers - 1], 0);
}

TEST_P(LogitKernels, AVocabularyBeyondWhatTheyHoldIsRefused) {
  SampleTokens<float> a;
  a.rows = 1;
  a.vocabulary = kLargestVocabulary + 1;
  EXPECT_THROW(table<float>().sample_tokens(a, nullptr), std::runtime_error);
}

MEDSBENCH_KERNEL_STANDS(LogitKernels);

// What differs between threads in rising and in falling order would be a race on the GPU.
TEST(KernelPhases, DoNotDependOnTheOrderOfTheirThreads) {
  const int64_t rows = 4, vocabulary = 3000;
  const auto logits = random_buffer<Bf16>(rows * vocabulary, 1, 3.0);
  const Buffer<double> uniforms(std::vector<double>{0.1, 0.4, 0.6, 0.9});
  Buffer<int64_t> tokens[2] = {Buffer<int64_t>(rows), Buffer<int64_t>(rows)};
  Buffer<float> log_probs[2] = {Buffer<float>(rows), Buffer<float>(rows)},
                entropies[2] = {Buffer<float>(rows), Buffer<float>(rows)};
  for (const int order : {0, 1}) {
    host_table<Bf16>(order == 1)
        .sample_tokens({logits.data(), uniforms.data(), tokens[order].data(), log_probs[order].data(), entropies[order].data(),
                        rows, vocabulary, 1, 1},
                       nullptr);
  }
  EXPECT_TRUE(tokens[0].same_bytes(tokens[1]));
  EXPECT_TRUE(log_probs[0].same_bytes(log_probs[1]));
  EXPECT_TRUE(entropies[0].same_bytes(entropies[1]));
}

}  // namespace
}  // namespace harness::cuda
