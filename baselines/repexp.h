// RepExp: a bonus for responses whose representation is new in their group (Tuyls et al., arXiv 2510.11686).
//
// Differs from its base in:
// 1. s_i <- s_i + c h_i^T (lambda I + sum of h_j h_j^T)^-1 h_i, the sum over all responses of the group, i among them, so that
//    the bonus lies in [0, c).
// 2. h is the mean over the response's tokens of the layer readout (docs/method.md, "Fingerprint": what each layer says for the
//    token that follows), as long as the policy has layers. The paper has the mean of the last layer's hidden states.
// Verified in descriptions of the paper: the elliptic bonus, the mean over tokens. Not verified: c and lambda, chosen here, and
// whether the paper counts a response among its own group.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "repexp"; keys method.c, lambda.
harness::MethodEntry repexp_entry();

}  // namespace baselines
