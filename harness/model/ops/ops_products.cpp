// Products of activations and weights: our own in fp32 on the CPU (products.h), LibTorch's otherwise.
#include <torch/types.h>

#include <vector>

#include "harness/core/error.h"
#include "harness/model/cpu/parallel.h"
#include "harness/model/cpu/products.h"
#include "harness/model/ops/ops.h"

namespace harness::ops {

namespace {

using kernels::Product;
using kernels::ProductPlan;

bool is_ours(const torch::Tensor& x) { return x.device().is_cpu() && x.scalar_type() == torch::kFloat32; }

// Room for packed panels, kept by each thread that asks for products: it is asked for again and again at the same sizes.
float* packed_room(int64_t size) {
  thread_local std::vector<float> room;
  if (room.size() < static_cast<size_t>(size)) room.resize(static_cast<size_t>(size));
  return room.data();
}

void compute(const Product& product, const kernels::ProductTable& table = kernels::product_table()) {
  if (product.rows == 0 || product.columns == 0) return;
  const ProductPlan plan = table.plan(product);
  float* packed = packed_room(plan.packed_size);
  const int64_t tiles = (plan.size + plan.tile - 1) / plan.tile;
  const int64_t work = product.depth * product.rows * product.columns / tiles;
  if (plan.packed_size > 0) {
    parallel_for(0, plan.panels, std::max<int64_t>(1, 65536 * plan.panels / plan.packed_size),
                 [&](int64_t begin, int64_t end) { table.pack(product, plan, begin, end, packed); });
  }
  parallel_for(0, tiles, std::max<int64_t>(1, 262144 / std::max<int64_t>(1, work)), [&](int64_t begin, int64_t end) {
    table.compute(product, plan, packed, begin * plan.tile, std::min(plan.size, end * plan.tile));
  });
}

const float* read(const torch::Tensor& tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }

// Rows side by side, as products read them.
torch::Tensor rows_of(const torch::Tensor& x) { return x.stride(1) == 1 ? x : x.contiguous(); }

}  // namespace

namespace {

// Pairs of bf16 seen as what holds them.
const float* read_pairs(const torch::Tensor& tensor) { return static_cast<const float*>(tensor.data_ptr()); }

// By the processor's products of pairs: sums, bias and residual in fp32, rounded once.
torch::Tensor linear_of_pairs(const kernels::ProductTable& table, const torch::Tensor& x, const torch::Tensor& w,
                              const torch::Tensor& bias, const torch::Tensor& residual) {
  const torch::Tensor a = x.contiguous(), b = w.contiguous();
  const torch::Tensor wide_bias = bias.defined() ? bias.to(torch::kFloat32) : bias;
  torch::Tensor y = torch::empty({x.size(0), w.size(0)}, torch::kFloat32);
  Product product;
  product.rows = x.size(0), product.columns = w.size(0), product.depth = x.size(1) / 2;
  product.a = read_pairs(a), product.a_row = product.depth;
  product.b = read_pairs(b), product.b_column = product.depth;
  product.c = y.data_ptr<float>(), product.c_row = y.size(1);
  product.bias = read(wide_bias);
  compute(product, table);
  if (residual.defined()) y.add_(residual);
  return y.to(torch::kBFloat16);
}

}  // namespace

bool own_products(torch::Dtype dtype, torch::Device device, int64_t depth) {
  if (!device.is_cpu()) return false;
  return dtype == torch::kFloat32 || (dtype == torch::kBFloat16 && depth % 2 == 0 && kernels::product_table_bf16() != nullptr);
}

torch::Tensor linear(const torch::Tensor& x, const torch::Tensor& w, const torch::Tensor& bias, const torch::Tensor& residual) {
  if (!is_ours(x)) {
    if (own_products(x.scalar_type(), x.device(), x.size(1))) {
      return linear_of_pairs(*kernels::product_table_bf16(), x, w, bias, residual);
    }
    if (residual.defined()) {
      MEDSBENCH_CHECK(!bias.defined(), "a bias and a residual in one product");
      return at::addmm(residual, x, w.t());
    }
    return bias.defined() ? at::linear(x, w, bias) : at::linear(x, w);
  }
  const torch::Tensor a = rows_of(x), b = rows_of(w), c = residual.defined() ? residual.contiguous() : residual;
  torch::Tensor y = torch::empty({x.size(0), w.size(0)}, x.options());
  Product product;
  product.rows = x.size(0), product.columns = w.size(0), product.depth = x.size(1);
  product.a = read(a), product.a_row = a.stride(0);
  product.b = read(b), product.b_column = b.stride(0);
  product.c = y.data_ptr<float>(), product.c_row = y.size(1);
  product.bias = read(bias), product.residual = read(c);
  compute(product);
  return y;
}

torch::Tensor input_gradient(const torch::Tensor& dy, const torch::Tensor& w) {
  if (!is_ours(dy)) return at::mm(dy, w);
  const torch::Tensor a = rows_of(dy), b = rows_of(w);
  torch::Tensor dx = torch::empty({dy.size(0), w.size(1)}, dy.options());
  Product product;
  product.rows = dy.size(0), product.columns = w.size(1), product.depth = dy.size(1);
  product.a = read(a), product.a_row = a.stride(0);
  product.b = read(b), product.b_column = 1, product.b_depth = b.stride(0);
  product.c = dx.data_ptr<float>(), product.c_row = dx.size(1);
  compute(product);
  return dx;
}

void add_bias_gradient(torch::Tensor& grad, const torch::Tensor& dy) {
  grad.add_(at::sum(dy, at::IntArrayRef({0}), false, torch::kFloat32));  // on a GPU without an fp32 copy of dy
}

void add_weight_gradient(torch::Tensor& grad, const torch::Tensor& dy, const torch::Tensor& x) {
  if (!is_ours(dy)) {
    if (dy.scalar_type() == torch::kFloat32) {
      grad.addmm_(dy.t(), x);
    } else if (dy.is_cuda()) {  // fp32 sums of bf16 products go to the gradient as they are: nothing rounded, nothing between
      at::addmm_out(grad, grad, dy.t(), x, torch::kFloat32);
    } else {
      grad.add_(at::mm(dy.t(), x));
    }
    return;
  }
  MEDSBENCH_CHECK(grad.is_contiguous() && dy.size(0) == x.size(0), "{} and {} rows", dy.size(0), x.size(0));
  const torch::Tensor a = rows_of(dy), b = rows_of(x);
  Product product;
  product.rows = dy.size(1), product.columns = x.size(1), product.depth = dy.size(0);
  product.a = read(a), product.a_row = 1, product.a_depth = a.stride(0);
  product.b = read(b), product.b_column = 1, product.b_depth = b.stride(0);
  product.c = grad.data_ptr<float>(), product.c_row = grad.size(1);
  product.accumulate = true;
  compute(product);
}

}  // namespace harness::ops
