// The second half of a step: select -> loss -> update, over the mini-batches of a step.
#pragma once

#include <optional>

#include "harness/model/transformer.h"
#include "harness/train/method/method.h"
#include "harness/train/states/optimizer.h"
#include "harness/train/step/rows.h"

namespace harness {

// Updates the policy with one mini-batch: token advantages and selection over the whole of it, then gradients micro-batch by
// micro-batch with the denominators of the whole (batch_loss.h); where memory ends, anew with smaller micro-batches (no limits:
// an error). The processes of the mini-batch are those of the optimiser. Returns its metrics: lr, loss, grad_norm, entropy
// (nats a token), largest_log_ratio (nats), and the loss's sums as means over tokens; none where every row is masked, which is
// no update. Throws Error for a loss or gradient that is not finite.
std::optional<Metrics> update_mini_batch(Transformer& policy, Optimizer& optimizer, MethodStack& methods,
                                         const MiniBatch& batch);

}  // namespace harness
