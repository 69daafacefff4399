#include "experiments/lines/loss_line.h"

#include <torch/types.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/train/step/batch_loss.h"

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

// [B, T, K], as many columns as the first place has.
torch::Tensor columns_field(const Json& line, const std::string& key, int64_t rows, int64_t positions) {
  const Json& field = array_field(line, key, static_cast<size_t>(rows));
  std::vector<torch::Tensor> each;
  for (int64_t row = 0; row < rows; ++row) {
    const Json& places = field[static_cast<size_t>(row)];
    const size_t columns = places.is_array() && !places.empty() && places.front().is_array() ? places.front().size() : 0;
    if (columns == 0) throw Error("\"{}\": row {}: expected a list of lists of numbers, found {}", key, row, places.dump());
    Json of_row;
    of_row[key] = places;
    each.push_back(matrix_field(of_row, key, positions, static_cast<int64_t>(columns)));
    if (each.back().size(1) != each.front().size(1)) {
      throw Error("\"{}\": row {}: expected {} numbers a place, found {}", key, row, each.front().size(1), columns);
    }
  }
  return torch::stack(each);
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
  const bool has_fingerprints =
      needs.fingerprints || needs.readouts || needs.mean_readouts || find_field(line, "fingerprints") != nullptr;
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
    if (needs.mean_readouts) sample.mean_readout = sample.fingerprint;
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

}  // namespace

LossLine read_loss_line(const Json& json, const harness::Needs& needs, bool needs_reference) {
  if (!json.is_object()) throw Error("expected an object, found {}", json.type_name());
  const Json* mask = find_field(json, "mask");
  if (mask == nullptr) throw Error("expected the field \"mask\", found none");
  if (!mask->is_array() || mask->empty() || !mask->front().is_array()) {
    throw Error("\"mask\": expected at least one row of numbers, found {}", mask->is_array() ? "none" : mask->type_name());
  }
  const auto rows = static_cast<int64_t>(mask->size()), positions = static_cast<int64_t>(mask->front().size());
  LossLine line;
  harness::TokenBatch& tokens = line.tokens;
  tokens.mask = matrix_field(json, "mask", rows, positions);
  if (((tokens.mask != 0).logical_and(tokens.mask != 1)).any().item<bool>()) {
    throw Error("\"mask\": expected 0 and 1, found another number");
  }
  line.log_probs = tokens.current_log_probs = matrix_field(json, "log_probs", rows, positions);
  tokens.old_log_probs = matrix_field(json, "old_log_probs", rows, positions);
  tokens.ref_log_probs = optional_matrix(json, "ref_log_probs", needs_reference, rows, positions);
  const bool needs_entropies = needs.sampling_entropies || needs.current_entropies || needs.entropy_gradient;
  line.entropies = optional_matrix(json, "entropies", needs_entropies, rows, positions);
  tokens.sampling_entropies = tokens.current_entropies = line.entropies;
  if (needs.top_tokens > 0) {
    tokens.old_top_log_probs = columns_field(json, "old_top_log_probs", rows, positions);
    tokens.most_likely = matrix_field(json, "most_likely", rows, positions);
  }
  if (needs.stored_samples > 0) {
    const Json& stored = array_field(json, "stored", static_cast<size_t>(rows));
    tokens.stored = tokens.mask.clone();
    for (int64_t row = 0; row < rows; ++row) tokens.stored[row].mul_(number_of(stored[static_cast<size_t>(row)], "stored"));
  }
  if (needs.top_gradient) line.top_log_probs = columns_field(json, "top_log_probs", rows, positions);
  for (int64_t row = 0; row < rows; ++row) tokens.row_keys.push_back(static_cast<uint64_t>(row));

  std::vector<harness::Sample> samples = read_samples(json, static_cast<size_t>(rows), needs);
  const torch::Tensor lengths = tokens.mask.sum(1);
  const torch::Tensor means = (tokens.old_log_probs * tokens.mask).sum(1) / lengths.clamp_min(1);
  for (int64_t row = 0; row < rows; ++row) {
    harness::Sample& sample = samples[static_cast<size_t>(row)];
    sample.mean_log_prob = means[row].item<double>();
    sample.tokens = lengths[row].item<int64_t>();
    sample.key = static_cast<uint64_t>(row);
  }
  arrange_groups(std::move(samples), line);
  return line;
}

harness::OrderedJson answer_loss_line(const LossLine& line, harness::MethodStack& stack, harness::LossSettings settings) {
  const torch::Tensor& mask = line.tokens.mask;
  if (settings.max_response_tokens == 0) settings.max_response_tokens = mask.size(1);
  harness::Metrics metrics;
  const std::vector<double> advantages = harness::shape_rewards(stack, line.step, metrics).advantages;
  harness::TokenBatch tokens = line.tokens;
  tokens.advantages = mask.clone();
  for (size_t i = 0; i < advantages.size(); ++i) tokens.advantages[line.row_of[i]].mul_(advantages[i]);
  const harness::BatchLoss loss(stack, settings, std::move(tokens));
  const harness::BatchLoss::Part whole = loss.of_rows(0, mask.size(0), line.log_probs, line.entropies, line.top_log_probs);

  for (const auto& [name, sum] : whole.sums) metrics[name] = loss.tokens() > 0 ? sum / loss.tokens() : 0;
  if (line.entropies.defined()) {
    metrics["entropy"] = (line.entropies * mask).sum().item<double>() / std::max(1.0, loss.tokens());
  }
  stack.after_update(metrics);
  stack.report_state(metrics);

  harness::OrderedJson answer;
  answer["advantages"] = matrix_json(loss.batch().advantages * mask);
  answer["loss"] = whole.loss + 0.0;
  answer["grad_log_probs"] = matrix_json(whole.by_log_probs);
  if (whole.by_entropies.defined()) answer["grad_entropies"] = matrix_json(whole.by_entropies);
  if (whole.by_top.defined()) {
    answer["grad_top_log_probs"] = harness::OrderedJson::array();
    for (const torch::Tensor& row : whole.by_top.unbind(0)) answer["grad_top_log_probs"].push_back(matrix_json(row));
  }
  if (loss.selected().defined()) answer["selected"] = flags_json(loss.selected());
  answer["metrics"] = metrics;
  return answer;
}

}  // namespace experiments
