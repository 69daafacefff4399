#include "harness/model/cpu/products.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "harness/core/bf16.h"
#include "harness/core/random.h"
#include "harness/model/cpu/row_kernels.h"

namespace harness {

namespace {

using kernels::Product;

std::vector<float> numbers(const char* name, int64_t count) {
  const RandomStream stream(name, {1});
  std::vector<float> out(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) out[static_cast<size_t>(i)] = static_cast<float>(stream.normal(static_cast<uint64_t>(i)));
  return out;
}

enum class Kind { kForward, kInput, kWeight };

// One product of a layer: y = x w^T (+ bias + residual), dx = dy w or dw += dy^T x, rows [M], inputs [K], outputs [N].
struct Case {
  Kind kind;
  int64_t rows, outputs, inputs;
};

struct Problem {
  explicit Problem(const Case& c)
      : x(numbers("x", c.rows * c.inputs)), w(numbers("w", c.outputs * c.inputs)), dy(numbers("dy", c.rows * c.outputs)) {
    if (c.kind == Kind::kForward) {
      product = {.rows = c.rows,
                 .columns = c.outputs,
                 .depth = c.inputs,
                 .a = x.data(),
                 .a_row = c.inputs,
                 .b = w.data(),
                 .b_column = c.inputs};
    } else if (c.kind == Kind::kInput) {
      product = {.rows = c.rows,
                 .columns = c.inputs,
                 .depth = c.outputs,
                 .a = dy.data(),
                 .a_row = c.outputs,
                 .b = w.data(),
                 .b_column = 1,
                 .b_depth = c.inputs};
    } else {
      product = {.rows = c.outputs,
                 .columns = c.inputs,
                 .depth = c.rows,
                 .a = dy.data(),
                 .a_row = 1,
                 .a_depth = c.outputs,
                 .b = x.data(),
                 .b_column = 1,
                 .b_depth = c.inputs,
                 .accumulate = true};
    }
    product.c_row = product.columns;
    start = numbers("start", product.rows * product.columns);
    bias = numbers("bias", product.columns);
    residual = numbers("residual", product.rows * product.columns);
    if (c.kind == Kind::kForward) product.bias = bias.data(), product.residual = residual.data();
  }

  [[nodiscard]] float expected(int64_t row, int64_t column) const {
    float sum = product.accumulate ? start[static_cast<size_t>(row * product.c_row + column)] : 0.0f;
    for (int64_t k = 0; k < product.depth; ++k) {
      sum = std::fma(product.a[row * product.a_row + k * product.a_depth],
                     product.b[column * product.b_column + k * product.b_depth], sum);
    }
    if (product.bias != nullptr) sum += bias[static_cast<size_t>(column)];
    if (product.residual != nullptr) sum += residual[static_cast<size_t>(row * product.c_row + column)];
    return sum;
  }

  // In pieces of `pieces` tiles of what is split, as threads would compute it.
  std::vector<float> compute(const kernels::ProductTable& table, int64_t pieces) {
    std::vector<float> out = start;
    product.c = out.data();
    const kernels::ProductPlan plan = table.plan(product);
    std::vector<float> packed(static_cast<size_t>(plan.packed_size));
    for (int64_t panel = 0; panel < plan.panels; ++panel) table.pack(product, plan, panel, panel + 1, packed.data());
    const int64_t step = pieces * plan.tile;
    for (int64_t begin = 0; begin < plan.size; begin += step) {
      table.compute(product, plan, packed.data(), begin, std::min(plan.size, begin + step));
    }
    return out;
  }

  std::vector<float> x, w, dy, start, bias, residual;
  Product product;
};

const Case kCases[] = {
    {Kind::kForward, 1, 1, 1},        {Kind::kForward, 64, 192, 64}, {Kind::kForward, 3, 38, 64},
    {Kind::kForward, 70, 5, 600},     {Kind::kForward, 5, 70, 600},  {Kind::kForward, 37, 21, 13},
    {Kind::kForward, 130, 129, 1100}, {Kind::kForward, 12, 40, 300}, {Kind::kForward, 40, 130, 600},
    {Kind::kInput, 64, 192, 64},      {Kind::kInput, 3, 700, 38},    {Kind::kInput, 37, 21, 13},
    {Kind::kInput, 7, 1100, 48},      {Kind::kWeight, 64, 192, 64},  {Kind::kWeight, 700, 38, 64},
    {Kind::kWeight, 37, 21, 13},      {Kind::kWeight, 50, 2050, 17}, {Kind::kWeight, 1100, 2050, 32},
};

}  // namespace

TEST(Products, AreOneChainOfFusedMultiplyAddsAnElementOnEveryInstructionSetThatHasThem) {
  for (const Case& c : kCases) {
    Problem problem(c);
    for (const char* name : {"avx512", "avx2"}) {
      const kernels::ProductTable* table = kernels::product_table(name);
      if (table == nullptr) continue;
      const std::vector<float> out = problem.compute(*table, 1 << 20);
      for (int64_t i = 0; i < problem.product.rows * problem.product.columns; ++i) {
        ASSERT_EQ(out[static_cast<size_t>(i)], problem.expected(i / problem.product.columns, i % problem.product.columns))
            << name << " " << c.rows << "x" << c.outputs << "x" << c.inputs << " element " << i;
      }
    }
  }
}

TEST(Products, WithoutFusedMultiplyAddsAreTheSameToRounding) {
  for (const Case& c : kCases) {
    Problem problem(c);
    const std::vector<float> out = problem.compute(*kernels::product_table("x86-64"), 1 << 20);
    for (int64_t i = 0; i < problem.product.rows * problem.product.columns; ++i) {
      const float expected = problem.expected(i / problem.product.columns, i % problem.product.columns);
      ASSERT_NEAR(out[static_cast<size_t>(i)], expected, 1e-4 * std::max(1.0f, std::abs(expected)));
    }
  }
}

TEST(Products, AreTheSameBytesHoweverTheWorkIsCut) {
  for (const Case& c : kCases) {
    Problem problem(c);
    const std::vector<float> whole = problem.compute(kernels::product_table(), 1 << 20);
    for (const int64_t pieces : {1, 2, 7}) {
      const std::vector<float> parts = problem.compute(kernels::product_table(), pieces);
      ASSERT_EQ(std::memcmp(whole.data(), parts.data(), whole.size() * sizeof(float)), 0) << pieces;
    }
  }
}

TEST(Products, OfARowDoNotDependOnHowManyOthersThereAre) {
  Problem whole({Kind::kForward, 130, 192, 64});
  const std::vector<float> all = whole.compute(kernels::product_table(), 1 << 20);
  for (const int64_t rows : {1, 2, 3, 6, 7, 64, 65}) {
    Problem part({Kind::kForward, 130, 192, 64});
    part.product.rows = rows;
    const std::vector<float> some = part.compute(kernels::product_table(), 1 << 20);
    ASSERT_EQ(std::memcmp(all.data(), some.data(), static_cast<size_t>(rows * 192) * sizeof(float)), 0) << rows;
  }
}

TEST(Products, OfGradientsDoNotDependOnHowRowsAreCutIntoCalls) {
  Problem whole({Kind::kWeight, 200, 96, 64});
  const std::vector<float> once = whole.compute(kernels::product_table(), 1 << 20);
  Problem parts({Kind::kWeight, 200, 96, 64});
  for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, 7}, {7, 64}, {64, 65}, {65, 200}}) {
    parts.product.a = parts.dy.data() + begin * 96, parts.product.b = parts.x.data() + begin * 64;
    parts.product.depth = end - begin;
    parts.start = parts.compute(kernels::product_table(), 3);
  }
  EXPECT_EQ(std::memcmp(once.data(), parts.start.data(), once.size() * sizeof(float)), 0);
}

// Of pairs of bf16: to the rounding of sums in fp32, and a row the same whatever the way that its number of rows takes.
TEST(Products, OfPairsOfBf16EqualSumsOfTheirProductsAndDoNotDependOnTheOtherRows) {
  const kernels::ProductTable* table = kernels::product_table_bf16();
  if (table == nullptr) GTEST_SKIP() << "skipped on a processor without AVX-512 BF16";
  constexpr int64_t kColumns = 130, kDepth = 600;
  const std::vector<float> x = numbers("x", 70 * kDepth), w = numbers("w", kColumns * kDepth);
  std::vector<Bf16> a, b;
  for (const float value : x) a.push_back(from_float<Bf16>(value));
  for (const float value : w) b.push_back(from_float<Bf16>(value));
  const auto product_of = [&](int64_t rows) {
    std::vector<float> out(static_cast<size_t>(rows * kColumns));
    Product p{.rows = rows,
              .columns = kColumns,
              .depth = kDepth / 2,
              .a = reinterpret_cast<const float*>(a.data()),
              .a_row = kDepth / 2,
              .b = reinterpret_cast<const float*>(b.data()),
              .b_column = kDepth / 2,
              .c = out.data(),
              .c_row = kColumns};
    const kernels::ProductPlan plan = table->plan(p);
    std::vector<float> packed(static_cast<size_t>(plan.packed_size));
    table->pack(p, plan, 0, plan.packed_size == 0 ? 0 : plan.panels, packed.data());
    table->compute(p, plan, packed.data(), 0, plan.size);
    return out;
  };
  const std::vector<float> all = product_of(70);
  for (int64_t i = 0; i < 70 * kColumns; ++i) {
    double sum = 0;
    for (int64_t k = 0; k < kDepth; ++k) {
      sum += static_cast<double>(to_float(a[static_cast<size_t>(i / kColumns * kDepth + k)])) *
             static_cast<double>(to_float(b[static_cast<size_t>(i % kColumns * kDepth + k)]));
    }
    ASSERT_NEAR(all[static_cast<size_t>(i)], sum, 1e-3);
  }
  for (const int64_t rows : {1, 3, 6, 16, 30}) {
    const std::vector<float> some = product_of(rows);
    ASSERT_EQ(std::memcmp(all.data(), some.data(), some.size() * sizeof(float)), 0) << rows;
  }
}

}  // namespace harness
