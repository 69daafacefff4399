// EDAS: wrong responses that repeat an error of their group lose more advantage, rare ones less (Liu et al., arXiv 2605.17333).
//
// Differs from its base in:
// 1. The N wrong responses of a group fall into classes of equal answers; those without an answer are one class. With q the
//    share of a response's class among them, I = -ln q, H = -sum of q ln q over the classes and S = mean |A| over the group:
//      D = 0 for N < 2; -beta S for a single class; else alpha S (I - H) / ln N
//      A <- A + sign(D) min(|D|, |A| / kappa), so that for kappa > 1 no advantage changes its sign.
//    Right responses keep theirs.
// Stands on any advantage: S and A are those of the methods before it. The abstract is verified; formula and defaults (beta
// 0.2; the paper has 0.3 on DAPO) are from the paper's text at second hand, no released code was found; the class of responses
// without an answer is a choice made here.
#pragma once

#include "harness/train/method/method.h"

namespace baselines {

// Name "edas"; keys method.alpha, beta, kappa.
harness::MethodEntry edas_entry();

}  // namespace baselines
