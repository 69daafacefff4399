// ClusterProbe: a method that fills nothing and measures, beside any other method, how clusters agree with the true errors.
//
// Differs from its base in nothing that is trained: it reads what is sampled and writes metrics (meds/cluster_watch.h).
#pragma once

#include <string>

#include "harness/train/method/method.h"
#include "meds/cluster_watch.h"

namespace meds {

class ClusterProbe : public harness::Method {
 public:
  // `choices` as watched_choices reads them; it throws Error.
  explicit ClusterProbe(const std::string& choices) : watch_(watched_choices(choices)) {}

  [[nodiscard]] std::string name() const override { return "cluster_probe"; }
  [[nodiscard]] harness::Needs needs() const override;
  // Leaves the scores alone.
  void shape_rewards(const harness::StepBatch& step, std::vector<double>& scores, harness::Metrics& metrics) override;
  void save_state(const std::string& folder, const std::string& previous) const override { watch_.save(folder, previous); }
  void load_state(const std::string& folder) override { watch_.load(folder); }

 private:
  ClusterWatch watch_;
};

// How the program knows it: name "cluster_probe", key method.choices.
harness::MethodEntry cluster_probe_entry();

}  // namespace meds
