#include "meds/cluster_probe.h"

namespace meds {

harness::Needs ClusterProbe::needs() const {
  harness::Needs needs;
  needs.readouts = true;
  return needs;
}

void ClusterProbe::shape_rewards(const harness::StepBatch& step, std::vector<double>&, harness::Metrics& metrics) {
  for (const auto& [name, value] : watch_.observe(step.samples, step.step)) metrics[name] = value;
}

harness::MethodEntry cluster_probe_entry() {
  harness::MethodEntry entry;
  entry.name = "cluster_probe";
  entry.title = "Cluster probe";
  entry.source = "control: measures, changes nothing";
  entry.make = [](harness::MethodKeys& keys) {
    return std::make_unique<ClusterProbe>(keys.text("choices", "half,half-diff,all,all-diff,last1,single,answers", {},
                                                    "what is clustered: LAYERS, LAYERS-diff, single, answers"));
  };
  return entry;
}

}  // namespace meds
