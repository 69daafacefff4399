#include "meds/cluster_probe.h"

namespace meds {

harness::Needs ClusterProbe::needs() const {
  harness::Needs needs;
  needs.readouts = true;
  return needs;
}

void ClusterProbe::shape_rewards(const harness::StepBatch& step, std::vector<double>&, harness::Metrics& metrics) {
  std::vector<Response> responses;
  for (const harness::Sample& sample : step.samples) {
    responses.push_back({sample.problem, sample.correct, sample.reward, sample.readout,
                         sample.has_answer ? std::optional<std::string>(sample.answer) : std::nullopt, sample.error_label});
  }
  for (const auto& [name, value] : watch_.observe(responses, step.step)) metrics[name] = value;
}

harness::MethodEntry cluster_probe_entry() {
  harness::MethodEntry entry;
  entry.name = "cluster_probe";
  entry.title = "Cluster probe";
  entry.source = "control: measures, changes nothing";
  entry.hook = "none";
  entry.make = [](harness::MethodKeys& keys) {
    return std::make_unique<ClusterProbe>(keys.text("choices", "half,half-diff,all,all-diff,last1,single,answers", {},
                                                    "what is clustered: LAYERS, LAYERS-diff, single, answers"));
  };
  return entry;
}

}  // namespace meds
