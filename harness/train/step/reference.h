// ReferencePolicy: the policy as it was before the first step, for the KL term.
#pragma once

#include <memory>
#include <string>

#include "harness/model/transformer.h"

namespace harness {

// Fixed for the whole run.
class ReferencePolicy {
 public:
  // Reads a model folder. `offload`: the network stays in CPU memory and is on its device only while it is used
  // (train.offload_reference). Throws Error as Transformer::load.
  ReferencePolicy(const std::string& folder, const Numerics& numerics, bool offload);
  // The network on its device; that of an offloaded one is a copy, freed with what is returned.
  [[nodiscard]] std::shared_ptr<const Transformer> on_device() const;
  // The one that stays.
  [[nodiscard]] Transformer& kept() { return *kept_; }

 private:
  Numerics numerics_;
  bool offload_;
  std::shared_ptr<Transformer> kept_;
};

}  // namespace harness
