// inspect memory: training steps in, labels, sizes, penalties and shaped scores out; or what a saved memory holds.
#include "meds/memory.h"

#include <iostream>
#include <memory>

#include "experiments/lines/lines.h"
#include "harness/core/config_reader.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "meds/penalty.h"

namespace experiments {

namespace {

using harness::Error;
using harness::Json;
using harness::OrderedJson;

uint64_t problem_key(const Json& response) {
  const auto found = response.find("problem");
  if (found == response.end()) throw Error("expected the field \"problem\", found none");
  if (found->is_string()) return harness::hash64(found->get<std::string>());
  if (found->is_number_integer()) return harness::hash64(found->dump());
  throw Error("\"problem\": expected a string or an integer, found {}", found->type_name());
}

std::vector<float> memory_fingerprint(const Json& response) {
  std::vector<float> values;
  const auto found = response.find("fingerprint");
  if (found == response.end() || found->is_null()) return values;
  if (!found->is_array()) throw Error("\"fingerprint\": expected a list of numbers or null, found {}", found->type_name());
  if (found->empty()) throw Error("\"fingerprint\": expected at least one number or null, found an empty list");
  for (const Json& number : *found) {
    if (!number.is_number()) throw Error("\"fingerprint\": expected numbers, found {}", number.type_name());
    values.push_back(number.get<float>());
  }
  return values;
}

harness::Sample read_sample(const Json& json) {
  harness::Sample sample;
  sample.fingerprint = memory_fingerprint(json);
  sample.problem = problem_key(json);
  sample.correct = harness::boolean_field(json, "correct");
  const auto present = [&](const char* key) { return json.contains(key) && !json[key].is_null(); };
  sample.reward = present("reward") ? harness::number_field(json, "reward") : (sample.correct ? 1.0 : 0.0);
  sample.has_answer = present("answer");
  if (sample.has_answer) sample.answer = harness::text_field(json, "answer");
  if (present("error_label")) sample.error_label = harness::text_field(json, "error_label");
  return sample;
}

OrderedJson answer_step(meds::ErrorMemory& memory, const Json& line, int64_t step) {
  const auto found = line.find("responses");
  if (found == line.end() || !found->is_array()) throw Error("expected the field \"responses\", a list");
  std::vector<harness::Sample> samples;
  std::vector<double> rewards;
  for (size_t i = 0; i < found->size(); ++i) {
    samples.push_back(harness::with_context(fmt::format("response {}", i), [&] { return read_sample((*found)[i]); }));
    rewards.push_back(samples.back().reward);
  }
  const std::vector<meds::Recalled> recalled = memory.recall_and_store(samples, step);
  const meds::Penalties penalties = meds::penalise(memory.settings(), samples, recalled, rewards);
  OrderedJson labels = OrderedJson::array();
  for (const meds::Recalled& one : recalled) labels.push_back(one.label ? OrderedJson(*one.label) : OrderedJson(nullptr));
  return {{"labels", labels}, {"sizes", penalties.sizes}, {"penalties", penalties.penalties}, {"scores", penalties.scores}};
}

// Up to kExamples different answers of each cluster, oldest first.
OrderedJson clusters_of(const meds::ErrorMemory& memory, const meds::History& history) {
  constexpr size_t kExamples = 3;
  std::map<int64_t, std::pair<int64_t, std::vector<int32_t>>> clusters;
  for (size_t i = 0; i < history.labels().size(); ++i) {
    auto& [size, examples] = clusters[history.labels()[i]];
    ++size;
    const int32_t answer = history.answers()[i];
    const bool known = std::find(examples.begin(), examples.end(), answer) != examples.end();
    if (answer >= 0 && !known && examples.size() < kExamples) examples.push_back(answer);
  }
  OrderedJson list = OrderedJson::array();
  for (const auto& [label, cluster] : clusters) {
    OrderedJson answers = OrderedJson::array();
    for (const int32_t answer : cluster.second) answers.push_back(memory.answers().texts()[static_cast<size_t>(answer)]);
    list.push_back({{"label", label}, {"size", cluster.first}, {"answers", answers}});
  }
  return list;
}

}  // namespace

int memory_lines(const std::vector<std::string>& assignments, const std::string& save) {
  harness::Config config;
  for (const std::string& assignment : assignments) config.set(assignment);
  harness::ConfigReader reader(config);
  harness::MethodKeys keys(reader, "meds");
  const meds::Settings settings = meds::read_settings(keys);
  reader.finish();
  meds::ErrorMemory memory(settings);
  int64_t step = 0;
  const int status =
      harness::answer_lines(std::cin, std::cout, [&](const Json& line) { return answer_step(memory, line, ++step); });
  if (!save.empty()) memory.save(save);
  return status;
}

// One line a problem and correctness: {"problem", "correct", "vectors", "first_step", "last_step", "clusters"}.
int print_memory(const std::string& folder) {
  meds::ErrorMemory memory(meds::saved_settings(folder));
  memory.load(folder);
  for (const auto& [key, history] : memory.histories()) {
    if (history.size() == 0) continue;
    std::cout << harness::dump_line(OrderedJson{{"problem", fmt::format("{:016x}", key.problem)},
                                                {"correct", key.correct},
                                                {"vectors", history.size()},
                                                {"first_step", history.steps().front()},
                                                {"last_step", history.steps().back()},
                                                {"clusters", clusters_of(memory, history)}})
              << '\n';
  }
  fmt::print(stderr, "{}: {} vectors of {} numbers in {} histories\n", folder, memory.size(), memory.dimension(),
             memory.histories().size());
  return 0;
}

}  // namespace experiments
