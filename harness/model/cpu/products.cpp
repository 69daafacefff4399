#include "harness/model/cpu/products.h"

#include <string_view>

#include "harness/model/cpu/row_kernels.h"

namespace harness::kernels {

namespace avx512 {
const ProductTable& products();
}
namespace avx512_bf16 {
const ProductTable& products();
}
namespace avx2 {
const ProductTable& products();
}
namespace x86_64 {
const ProductTable& products();
}

const ProductTable* product_table(const char* instruction_set) {
  const std::string_view name = instruction_set, best = kernels::instruction_set();
  if (name == "x86-64") return &x86_64::products();
  if (name == "avx2" && best != "x86-64") return &avx2::products();
  if (name == "avx512" && best == "avx512") return &avx512::products();
  return nullptr;
}

const ProductTable& product_table() {
  static const ProductTable& chosen = *product_table(instruction_set());
  return chosen;
}

const ProductTable* product_table_bf16() {
  static const bool has = std::string_view(instruction_set()) == "avx512" && __builtin_cpu_supports("avx512bf16");
  return has ? &avx512_bf16::products() : nullptr;
}

}  // namespace harness::kernels
