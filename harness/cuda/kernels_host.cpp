// The bodies as loops over blocks and threads: what the tests run where there is no GPU.
#include <cmath>
#include <initializer_list>
#include <stdexcept>

#include "harness/cuda/attention_backward_body.h"
#include "harness/cuda/attention_body.h"
#include "harness/cuda/attention_forward_body.h"
#include "harness/cuda/attention_tile_body.h"
#include "harness/cuda/kernels.h"
#include "harness/cuda/logits_body.h"
#include "harness/cuda/norm_body.h"
#include "harness/cuda/rotate_backward_body.h"
#include "harness/cuda/rotate_body.h"

namespace harness::cuda {

namespace {

template <bool kBackwards, typename Body>
void run_blocks(const Body& body, int64_t x_count, int64_t y_count) {
  for (int64_t y = 0; y < y_count; ++y) {
    for (int64_t x = 0; x < x_count; ++x) {
      Block<Body::kThreads> block(x, y, kBackwards);
      body(block);
    }
  }
}

namespace forwards {
template <typename Body>
void launch(const Body& body, int64_t x_count, int64_t y_count, void*) {
  run_blocks<false>(body, x_count, y_count);
}
#include "harness/cuda/launchers.inc"
}  // namespace forwards

namespace backwards {
template <typename Body>
void launch(const Body& body, int64_t x_count, int64_t y_count, void*) {
  run_blocks<true>(body, x_count, y_count);
}
#include "harness/cuda/launchers.inc"
}  // namespace backwards

}  // namespace

template <typename T>
const Table<T>& host_table(bool backwards) {
  return backwards ? backwards::kTable<T> : forwards::kTable<T>;
}
template const Table<float>& host_table<float>(bool);
template const Table<Bf16>& host_table<Bf16>(bool);

}  // namespace harness::cuda
