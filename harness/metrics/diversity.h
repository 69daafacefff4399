// Diversity of responses at a fixed number of samples and temperature: per problem, averaged over problems, and pooled.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/data/outcome.h"

namespace harness {

struct DiversityReport {
  // Name -> mean over the (seed, problem)s where it is defined; NaN where it is nowhere. Names, in the order of
  // `diversity_names`: distinct_answers, largest_wrong_share, answer_entropy (nats), error_clusters, eigen_ratio,
  // fingerprint_distance, distinct_1, distinct_2, distinct_4, distinct_1_tokens, distinct_2_tokens, distinct_4_tokens,
  // self_bleu_4 (0 to 100, as sacrebleu), vendi, mean_entropy (nats a token). eigen_ratio_pooled, fingerprint_distance_pooled
  // and vendi_pooled take all problems of a seed together and average over seeds.
  std::map<std::string, double> values;
  // Name -> number of (seed, problem)s where the metric is undefined and which the mean leaves out (pooled: of seeds).
  std::map<std::string, int64_t> left_out;
};

// Every name of a report, in the order in which they are printed.
std::vector<std::string> diversity_names();

// `grader` says which answers are wrong. Throws Error where fingerprints differ in length.
DiversityReport diversity_of(std::span<const Outcome> outcomes, const std::string& grader);

// {"distinct_answers": x, ..., "left_out": {name: count}} with null where a metric is undefined everywhere; `left_out` names
// only metrics with a count above 0 that are defined somewhere.
OrderedJson to_json(const DiversityReport& report);

}  // namespace harness
