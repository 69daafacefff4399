#include "experiments/lines/loss_line.h"

#include <torch/types.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "harness/core/error.h"
#include "harness/core/hash.h"

namespace experiments {

namespace {

using harness::Error;
using harness::Json;

const Json* find_field(const Json& line, const std::string& key) {
  const auto found = line.find(key);
  return found == line.end() || found->is_null() ? nullptr : &*found;
}

const Json& array_field(const Json& line, const std::string& key, size_t rows) {
  const Json* field = find_field(line, key);
  if (field == nullptr) throw Error("expected the field \"{}\", found none", key);
  if (!field->is_array() || field->size() != rows) {
    throw Error("\"{}\": expected a list of {}, found {}", key, rows,
                field->is_array() ? fmt::format("{}", field->size()) : std::string(field->type_name()));
  }
  return *field;
}

double number_of(const Json& value, const std::string& key) {
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (!value.is_number()) throw Error("\"{}\": expected a number, found {}", key, value.type_name());
  return value.get<double>();
}

torch::Tensor matrix_field(const Json& line, const std::string& key, int64_t rows, int64_t positions) {
  const Json& field = array_field(line, key, static_cast<size_t>(rows));
  torch::Tensor matrix = torch::zeros({rows, positions}, torch::kDouble);
  auto view = matrix.accessor<double, 2>();
  for (int64_t row = 0; row < rows; ++row) {
    const Json& values = field[static_cast<size_t>(row)];
    if (!values.is_array() || static_cast<int64_t>(values.size()) != positions) {
      throw Error("\"{}\": row {}: expected {} numbers, found {}", key, row, positions,
                  values.is_array() ? fmt::format("{}", values.size()) : std::string(values.type_name()));
    }
    for (int64_t position = 0; position < positions; ++position) {
      view[row][position] = number_of(values[static_cast<size_t>(position)], key);
    }
  }
  return matrix;
}

torch::Tensor optional_matrix(const Json& line, const std::string& key, bool needed, int64_t rows, int64_t positions) {
  if (find_field(line, key) == nullptr && !needed) return {};
  return matrix_field(line, key, rows, positions);
}

void read_answer(const Json& value, harness::Sample& sample) {
  if (value.is_null()) return;
  if (!value.is_string()) throw Error("\"answers\": expected a string or null, found {}", value.type_name());
  sample.answer = value.get<std::string>();
  sample.has_answer = !sample.answer.empty();
}

void read_fingerprint(const Json& value, harness::Sample& sample) {
  if (value.is_null()) return;
  if (!value.is_array()) throw Error("\"fingerprints\": expected a list or null, found {}", value.type_name());
  for (const Json& number : value) sample.fingerprint.push_back(static_cast<float>(number_of(number, "fingerprints")));
}

// Samples in the order of the line's rows, with the group's own number in `group`.
std::vector<harness::Sample> read_samples(const Json& line, size_t rows, const harness::Needs& needs) {
  const Json& groups = array_field(line, "groups", rows);
  const Json& rewards = array_field(line, "rewards", rows);
  const Json& correct = array_field(line, "correct", rows);
  const bool has_answers = needs.answers || find_field(line, "answers") != nullptr;
  const bool has_fingerprints = needs.fingerprints || needs.readouts || find_field(line, "fingerprints") != nullptr;
  const bool has_labels = needs.error_labels || find_field(line, "error_labels") != nullptr;
  const bool has_problems = find_field(line, "problems") != nullptr;
  std::vector<harness::Sample> samples(rows);
  for (size_t i = 0; i < rows; ++i) {
    harness::Sample& sample = samples[i];
    if (!groups[i].is_number_integer()) throw Error("\"groups\": expected an integer, found {}", groups[i].type_name());
    sample.group = groups[i].get<int64_t>();
    sample.reward = number_of(rewards[i], "rewards");
    sample.correct = number_of(correct[i], "correct") != 0;
    // Without problems, a group's number is the problem's identity.
    sample.problem = harness::hash64(has_problems ? array_field(line, "problems", rows)[i].dump() : groups[i].dump());
    if (has_answers) read_answer(array_field(line, "answers", rows)[i], sample);
    if (has_fingerprints) read_fingerprint(array_field(line, "fingerprints", rows)[i], sample);
    if (needs.readouts) sample.readout = sample.fingerprint;
    if (has_labels) {
      const Json& label = array_field(line, "error_labels", rows)[i];
      if (label.is_string()) sample.error_label = label.get<std::string>();
    }
  }
  return samples;
}

// Groups side by side, in the order in which they first appear, numbered from 0.
void arrange_groups(std::vector<harness::Sample> samples, LossLine& line) {
  std::map<int64_t, int64_t> numbers;
  for (const harness::Sample& sample : samples) numbers.try_emplace(sample.group, static_cast<int64_t>(numbers.size()));
  for (harness::Sample& sample : samples) sample.group = numbers.at(sample.group);
  line.row_of.resize(samples.size());
  std::iota(line.row_of.begin(), line.row_of.end(), 0);
  std::stable_sort(line.row_of.begin(), line.row_of.end(), [&](int64_t a, int64_t b) {
    return samples[static_cast<size_t>(a)].group < samples[static_cast<size_t>(b)].group;
  });
  line.step.groups = static_cast<int64_t>(numbers.size());
  for (const int64_t row : line.row_of) line.step.samples.push_back(std::move(samples[static_cast<size_t>(row)]));
}

harness::OrderedJson matrix_json(const torch::Tensor& matrix) {
  const torch::Tensor plain = matrix.detach().to(torch::kCPU, torch::kDouble).contiguous();
  const auto view = plain.accessor<double, 2>();
  harness::OrderedJson rows = harness::OrderedJson::array();
  for (int64_t row = 0; row < plain.size(0); ++row) {
    harness::OrderedJson values = harness::OrderedJson::array();
    for (int64_t position = 0; position < plain.size(1); ++position) values.push_back(view[row][position] + 0.0);
    rows.push_back(std::move(values));
  }
  return rows;
}

harness::OrderedJson flags_json(const torch::Tensor& flags) {
  harness::OrderedJson rows = matrix_json(flags);
  for (auto& row : rows) {
    for (auto& value : row) value = static_cast<int>(value.get<double>());
  }
  return rows;
}

torch::Tensor group_advantages(const LossLine& line, harness::MethodStack& stack, harness::Metrics& metrics) {
  std::vector<double> scores;
  for (const harness::Sample& sample : line.step.samples) scores.push_back(sample.reward);
  stack.shape_rewards(line.step, scores, metrics);
  const std::vector<double> advantages = stack.advantages(line.step, scores);
  torch::Tensor matrix = line.mask.clone();
  for (size_t i = 0; i < advantages.size(); ++i) matrix[line.row_of[i]].mul_(advantages[i]);
  return matrix;
}

}  // namespace

LossLine read_loss_line(const Json& json, const harness::Needs& needs, bool needs_reference) {
  if (!json.is_object()) throw Error("expected an object, found {}", json.type_name());
  const Json* mask = find_field(json, "mask");
  if (mask == nullptr) throw Error("expected the field \"mask\", found none");
  if (!mask->is_array() || mask->empty() || !mask->front().is_array()) {
    throw Error("\"mask\": expected at least one row of numbers, found {}", mask->is_array() ? "none" : mask->type_name());
  }
  LossLine line;
  line.rows = static_cast<int64_t>(mask->size());
  line.positions = static_cast<int64_t>(mask->front().size());
  line.mask = matrix_field(json, "mask", line.rows, line.positions);
  if (((line.mask != 0).logical_and(line.mask != 1)).any().item<bool>()) {
    throw Error("\"mask\": expected 0 and 1, found another number");
  }
  line.log_probs = matrix_field(json, "log_probs", line.rows, line.positions);
  line.old_log_probs = matrix_field(json, "old_log_probs", line.rows, line.positions);
  line.ref_log_probs = optional_matrix(json, "ref_log_probs", needs_reference, line.rows, line.positions);
  const bool needs_entropies = needs.sampling_entropies || needs.current_entropies || needs.entropy_gradient;
  line.entropies = optional_matrix(json, "entropies", needs_entropies, line.rows, line.positions);

  std::vector<harness::Sample> samples = read_samples(json, static_cast<size_t>(line.rows), needs);
  const torch::Tensor means = (line.old_log_probs * line.mask).sum(1) / line.mask.sum(1).clamp_min(1);
  for (int64_t row = 0; row < line.rows; ++row) samples[static_cast<size_t>(row)].mean_log_prob = means[row].item<double>();
  arrange_groups(std::move(samples), line);
  return line;
}

harness::OrderedJson answer_loss_line(const LossLine& line, harness::MethodStack& stack, harness::LossSettings settings,
                                      int64_t update) {
  const harness::Needs needs = stack.needs();
  if (settings.max_response_tokens == 0) settings.max_response_tokens = line.positions;
  harness::Metrics metrics;
  harness::TokenBatch batch;
  batch.mask = line.mask;
  batch.old_log_probs = line.old_log_probs;
  batch.sampling_entropies = line.entropies;
  batch.current_log_probs = line.log_probs;
  batch.current_entropies = line.entropies;
  batch.advantages = group_advantages(line, stack, metrics);
  batch.update = update;
  for (int64_t row = 0; row < line.rows; ++row) batch.row_keys.push_back(static_cast<uint64_t>(row));
  stack.shape_token_advantages(batch);

  harness::LossInputs inputs;
  inputs.mask = line.mask;
  inputs.log_probs = line.log_probs.clone().requires_grad_(true);
  inputs.old_log_probs = line.old_log_probs;
  inputs.ref_log_probs = line.ref_log_probs;
  if (needs.entropy_gradient) inputs.entropies = line.entropies.clone().requires_grad_(true);
  inputs.advantages = batch.advantages;
  inputs.selected = stack.select_tokens(batch);
  const harness::Denominators global{.tokens = line.mask.sum().item<double>(),
                                     .responses = line.mask.sum(1).gt(0).sum().item<double>()};
  harness::LossSums sums;
  const torch::Tensor loss = stack.loss(settings, inputs, global, sums);
  if (loss.requires_grad()) loss.backward();

  for (const auto& [name, sum] : sums) metrics[name] = global.tokens > 0 ? sum / global.tokens : 0;
  if (line.entropies.defined()) {
    metrics["entropy"] = (line.entropies * line.mask).sum().item<double>() / std::max(1.0, global.tokens);
  }
  stack.after_update(metrics);
  stack.report_state(metrics);

  const auto gradient = [&](const torch::Tensor& leaf) {
    return matrix_json(leaf.grad().defined() ? leaf.grad() : torch::zeros_like(leaf));
  };
  harness::OrderedJson answer;
  answer["advantages"] = matrix_json(batch.advantages * line.mask);
  answer["loss"] = loss.item<double>() + 0.0;
  answer["grad_log_probs"] = gradient(inputs.log_probs);
  if (needs.entropy_gradient) answer["grad_entropies"] = gradient(inputs.entropies);
  if (inputs.selected.defined()) answer["selected"] = flags_json(inputs.selected);
  answer["metrics"] = metrics;
  return answer;
}

}  // namespace experiments
