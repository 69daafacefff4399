#include "baselines/clip_higher.h"

namespace baselines {

harness::MethodEntry clip_higher_entry() {
  return {.name = "clip_higher",
          .title = "Clip-higher",
          .source = "arXiv 2503.14476",
          .overrides = {"loss.clip_high=0.28"},
          .base = "grpo"};
}

}  // namespace baselines
