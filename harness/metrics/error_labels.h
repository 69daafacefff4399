// True-error-label metrics: what a generator that knows each wrong strategy's answer says of the wrong answers.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "harness/data/outcome.h"
#include "harness/metrics/cluster_agreement.h"

namespace harness {

struct ErrorLabelReport {
  int64_t wrong = 0;                     // wrong answers with a label ("slip" and "ambiguous" are labels)
  int64_t unlabelled = 0;                // wrong ones without: no answer, or a problem that knows no labels
  std::map<std::string, double> shares;  // label -> share of the labelled wrong answers; over all problems together
  double slip_share = 0;
  // Entropy over the labels of a problem's wrong answers in nats, averaged over (seed, problem) cells with one at least; NaN
  // where there is none.
  double mean_entropy = 0;
  double mean_labels = 0;  // different labels a cell, over the same cells
  int64_t left_out = 0;    // cells without a labelled wrong answer
};

ErrorLabelReport error_labels_of(std::span<const Outcome> outcomes, const std::string& grader);

// Agreement of the HDBSCAN clusters of wrong fingerprints (as `error_clusters` makes them) with the true labels, and with equal
// answers as classes: averaged over the (seed, problem) cells with two labelled wrong fingerprints at least, each weighted by
// its number of items. `with_slips` false leaves slips out before the comparison (they are clustered with the others).
struct ErrorClusterReport {
  ClusterAgreement labels;
  ClusterAgreement answers;
  int64_t cells = 0;
};
ErrorClusterReport error_cluster_agreement(std::span<const Outcome> outcomes, const std::string& grader,
                                           bool with_slips = true);

}  // namespace harness
