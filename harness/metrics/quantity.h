// Quantity: what one number of a table is, such as pass@8; parsed here once and named here once.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/random.h"
#include "harness/metrics/problem_counts.h"
#include "harness/stats/seed_table.h"

namespace harness {

struct Quantity {
  enum class Kind {
    // Of a problem; a table shows means over problems.
    pass,              // pass@k
    g_pass,            // G-pass@k at threshold tau (arXiv 2412.13147)
    maj,               // maj@k
    cover,             // Cover@tau (arXiv 2510.08325): 1 where a share tau of all samples is right
    luck,              // 1 where one or two of all samples are right
    distinct_answers,  // different final answers of all samples
    answer_entropy,    // nats
    no_answer,         // share of the samples, as the next two
    undecided,
    disagreement,
    // Of a seed.
    iqm,                // interquartile mean of pass@1 over seeds and sets
    train_pass_rate,    // pass@1 of the trained policy on its training problems, evaluated apart
    rollout_pass_rate,  // share of right responses among those sampled in the last steps of training
    tokens_generated,
    responses_generated,
    responses_kept,
    updates,
    visits_per_problem,
  };
  Kind kind = Kind::pass;
  int64_t k = 0;   // samples of pass@k, G-pass@k, maj@k; else 0
  double tau = 0;  // threshold of G-pass@k and Cover@tau; else 0

  static Quantity pass(int64_t k) { return {Kind::pass, k, 0}; }
  auto operator<=>(const Quantity&) const = default;

  // Whether its expectation differs with the number of samples: such values are comparable at one n alone.
  [[nodiscard]] bool depends_on_n() const;
  // As files and keys write it: "pass@8", "g_pass@8_0.5", "maj@8", "cover@0.5", "distinct_answers", ...
  [[nodiscard]] std::string name() const;
  // As a table's head shows it: "pass@8", "G-pass@8 at 0.5", "maj@8", "Cover@0.5", "distinct answers", ...
  [[nodiscard]] std::string heading() const;
};

// The quantity of a name. Throws Error for another text, k < 1 and a threshold outside [0, 1], of Cover@tau 0 too.
Quantity parse_quantity(std::string_view name);

// The counts of one set by training seed.
using SeedCounts = std::map<int64_t, const SetCounts*>;

// A table a quantity over the same seeds and problems (all that any seed has); kUndefined where a seed has no such problem or
// its counts do not define the quantity: k above n, no answer at all, maj@k where only counts are known. The subsets of maj@k
// are keyed by `key`, seed and problem; all maj@k of one call share their draws. Only quantities of a problem.
std::vector<SeedTable> seed_tables(const SeedCounts& seeds, std::span<const Quantity> quantities, uint64_t key = 0);

}  // namespace harness
