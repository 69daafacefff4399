// EDAS: wrong responses that repeat an error of their group lose more advantage, rare ones less (Liu et al., arXiv 2605.17333).
//
// Differs from its base in:
// 1. The N wrong responses of a group fall into classes of equal answers; those without an answer are one class. With q the
//    share of a response's class among them, I = -ln q, H = -sum of q ln q over the classes and S = mean |A| over the group (or
//    over its wrong responses, `scale`):
//      D = 0 for N < 2; -beta S for a single class; else alpha S (I - H) / ln N
//      A <- A + sign(D) min(|D|, |A| / kappa), so that for kappa > 1 no advantage changes its sign.
//    Right responses keep theirs.
// Stands on any advantage: S and A are those of the methods before it. Verified in the released code (EDAS-jd/EDAS): all of it,
// responses without an answer being one class too, but for S: there and in its README S is that of the wrong responses
// ("wrong", the paper's numbers); "group" is the formula at second hand. Beta is 0.2 on GRPO and 0.3 on DAPO in its scripts.
// Answers are equal here where the grader's normal forms are, there where its grader says so.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "edas"; keys method.alpha, beta, kappa, scale.
harness::MethodEntry edas_entry();

}  // namespace baselines
