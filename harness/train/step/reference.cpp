#include "harness/train/step/reference.h"

#include <torch/types.h>

namespace harness {

ReferencePolicy::ReferencePolicy(const std::string& folder, const Numerics& numerics, bool offload)
    : numerics_(numerics), offload_(offload) {
  Numerics here = numerics;
  if (offload) here.device = torch::kCPU;
  kept_ = Transformer::load(folder, here);
}

std::shared_ptr<const Transformer> ReferencePolicy::on_device() const {
  if (!offload_) return kept_;
  auto copy = std::make_shared<Transformer>(kept_->config(), numerics_);
  const torch::NoGradGuard no_grad;
  copy->copy_from(*kept_);
  return copy;
}

}  // namespace harness
