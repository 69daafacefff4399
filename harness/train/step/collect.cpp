#include "harness/train/step/collect.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/random.h"
#include "harness/reward/overlong.h"
#include "harness/rollout/rollout_work.h"
#include "harness/train/step/over_ranks.h"

namespace harness {

bool RolloutGroup::mixed() const {
  bool right = false, wrong = false;
  for (const Sample& sample : samples) (sample.correct ? right : wrong) = true;
  return right && wrong;
}

int64_t Collected::responses_kept() const {
  int64_t kept = 0;
  for (const RolloutGroup& group : groups) kept += static_cast<int64_t>(group.responses.size());
  return kept;
}

namespace {

// The next problem of the run, epoch after epoch, each in its own keyed order.
int64_t next_problem(DataCursor& cursor, int64_t problems, uint64_t seed, std::vector<int64_t>& order) {
  if (cursor.index >= problems) {
    cursor.index = 0;
    ++cursor.epoch;
    order.clear();
  }
  if (order.empty()) order = epoch_order(problems, seed, cursor.epoch);
  return order[static_cast<size_t>(cursor.index++)];
}

Sample make_sample(const CollectInputs& in, const Problem& problem, const SampledResponse& response, const std::string& text,
                   const Verdict& verdict) {
  Sample sample;
  sample.problem = problem.hash();
  sample.correct = verdict.correctness == Correctness::right;
  sample.reward = (sample.correct ? 1.0 : 0.0) + overlong_penalty(response.tokens(), in.settings.sampling.max_new_tokens,
                                                                  in.settings.overlong_buffer, in.settings.overlong_factor);
  sample.has_answer = verdict.normalised.has_value();
  sample.answer = verdict.normalised.value_or("");
  sample.error_label = error_label(verdict, problem, text);
  sample.mean_log_prob =
      std::accumulate(response.log_probs.begin(), response.log_probs.end(), 0.0) / static_cast<double>(response.tokens());
  sample.tokens = response.tokens();
  return sample;
}

// Of sample k of its problem in step `step`.
uint64_t row_key(const CollectInputs& in, const Sample& sample, int64_t step, size_t k) {
  return RandomStream("row", {in.settings.seed, sample.problem, static_cast<uint64_t>(step), k}).key();
}

// Grades a response again where it is drawn for the second grader.
void grade_again(const CollectInputs& in, const Problem& problem, const std::string& text, bool correct, RandomStream draw,
                 Collected& totals) {
  if (in.second_grader == nullptr || draw.uniform(0) >= in.settings.alarms.second_share) return;
  ++totals.graded_twice;
  const bool other = in.second_grader->grade(text, problem).correctness == Correctness::right;
  totals.graders_disagree += other != correct ? 1 : 0;
}

void count_wrong_answers(const RolloutGroup& group, Collected& totals) {
  std::map<std::string, int64_t> answers;
  for (const Sample& sample : group.samples) {
    if (!sample.correct && sample.has_answer) ++answers[sample.answer];
  }
  for (const auto& [answer, count] : answers) {
    totals.wrong_answers += count;
    totals.repeated_wrong_answers += count > 1 ? count : 0;
  }
}

void grade_group(const CollectInputs& in, int64_t step, RolloutGroup& group, Collected& totals) {
  const Problem& problem = in.problems[static_cast<size_t>(group.problem)];
  for (size_t k = 0; k < group.responses.size(); ++k) {
    const SampledResponse& response = group.responses[k];
    std::vector<int64_t> ids = response.ids;
    if (response.stopped) ids.pop_back();  // the stop token is no part of the text
    const std::string text = in.prompts.tokenizer().decode(ids);
    Verdict verdict = in.grader.grade(text, problem);
    Sample& sample = group.samples.emplace_back(make_sample(in, problem, response, text, verdict));
    sample.key = row_key(in, sample, step, k);
    totals.tally.add(problem, text, verdict.correctness, verdict.extracted.has_value(), response.stopped);
    grade_again(in, problem, text, sample.correct,
                {"second grader", {in.settings.seed, sample.problem, static_cast<uint64_t>(step), k}}, totals);
    ++totals.responses_generated;
    totals.tokens_generated += response.tokens();
    totals.responses_truncated += response.stopped ? 0 : 1;
    totals.responses_without_answer += verdict.extracted ? 0 : 1;
    totals.entropy_sum += std::accumulate(response.entropies.begin(), response.entropies.end(), 0.0);
    group.verdicts.push_back(std::move(verdict));
  }
  count_wrong_answers(group, totals);
}

// Of a response's readout [T, L] the mean over its tokens [L].
std::vector<float> mean_readout(const SampledResponse& response) {
  const auto tokens = static_cast<size_t>(response.tokens());
  const size_t layers = response.readout.size() / tokens;
  std::vector<float> mean;
  for (size_t l = 0; l < layers; ++l) {
    double sum = 0;
    for (size_t t = 0; t < tokens; ++t) sum += response.readout[t * layers + l];
    mean.push_back(static_cast<float>(sum / static_cast<double>(tokens)));
  }
  return mean;
}

// Fingerprints of a kept group.
void read_fingerprints(const CollectInputs& in, const FingerprintReader& reader, RolloutGroup& group, Collected& totals) {
  const auto begin = std::chrono::steady_clock::now();
  for (size_t k = 0; k < group.responses.size(); ++k) {
    const SampledResponse& response = group.responses[k];
    if (in.fingerprints) group.samples[k].fingerprint = reader.fingerprint(response.ids, response.readout);
    if (in.mean_readouts) group.samples[k].mean_readout = mean_readout(response);
    if (!in.readouts) continue;
    const std::span<const float> row = reader.row(response.ids, response.readout);
    group.samples[k].readout.assign(row.begin(), row.end());
  }
  totals.readout_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

GeneratorSettings generator_settings(const CollectInputs& in, int64_t layers) {
  const TrainSettings& s = in.settings;
  GeneratorSettings generator;
  generator.sampling = s.sampling;
  generator.stop_ids = in.prompts.stop_ids();
  generator.max_rows = s.max_rows;
  generator.readout = in.fingerprints || in.readouts || in.mean_readouts;
  if (generator.readout && !in.readouts && !in.mean_readouts)
    generator.readout_from = first_layer(s.fingerprint.layers, layers);
  generator.lens_norm_all = s.fingerprint.lens_norm_all;
  return generator;
}

// The next prompts of the run, each with the streams of its responses; the visits are counted. A group of stored answers has
// its responses already and no request.
struct PromptBatch {
  std::vector<GenerationRequest> requests;
  std::vector<RolloutGroup> groups;
};

PromptBatch next_prompts(const CollectInputs& in, int64_t step, DataCursor& cursor, std::vector<int64_t>& order) {
  const TrainSettings& s = in.settings;
  PromptBatch batch;
  for (int64_t i = 0; i < s.prompts_per_step; ++i) {
    RolloutGroup group;
    group.problem = next_problem(cursor, static_cast<int64_t>(in.problems.size()), s.seed, order);
    group.prompt = in.prompt_ids[static_cast<size_t>(group.problem)];
    const uint64_t hash = in.problems[static_cast<size_t>(group.problem)].hash();
    const auto visit = static_cast<uint64_t>(cursor.visits[hash]++);
    if (in.stored != nullptr && in.stored->contains(group.problem)) {
      group = in.stored->at(group.problem);
      for (size_t k = 0; k < group.samples.size(); ++k) group.samples[k].key = row_key(in, group.samples[k], step, k);
      batch.groups.push_back(std::move(group));
      continue;
    }
    GenerationRequest request{group.prompt, {}};
    for (int64_t k = 0; k < s.responses_per_prompt; ++k) {
      request.streams.emplace_back("rollout", std::initializer_list<uint64_t>{s.seed, hash, visit, static_cast<uint64_t>(k)});
    }
    batch.requests.push_back(std::move(request));
    batch.groups.push_back(std::move(group));
  }
  return batch;
}

void count_work(const Transformer& policy, const CollectInputs& in, const GenerationTotals& totals,
                const std::vector<GenerationRequest>& requests, const std::vector<std::vector<SampledResponse>>& responses,
                Collected& out) {
  out.readout_seconds += totals.readout_seconds;
  out.decode_seconds += totals.decode_seconds;
  // Of all processes, each with about as many steps as this one.
  const auto steps = static_cast<double>(totals.steps * (in.ranks == nullptr ? 1 : in.ranks->size()));
  out.decode_bytes += steps * decode_weight_bytes(policy);
  for (size_t g = 0; g < requests.size(); ++g) {
    const RolloutWork work = rollout_work(policy, static_cast<int64_t>(requests[g].prompt.size()), responses[g]);
    out.work.add(work.all);
    out.decoded.add(work.decoded);
    out.decode_bytes += work.kv_bytes;
  }
}

// Says whether too few groups were kept, and does what the settings say then.
void settle_starvation(const CollectInputs& in, int64_t step, Collected& out) {
  const TrainSettings& s = in.settings;
  out.starved = static_cast<int64_t>(out.groups.size()) < s.prompts_per_step;
  if (out.starved && s.filter.on_starved == "stop") {
    const std::string seen = fmt::format(
        "step {}: expected {} groups with right and wrong responses within {} batches of prompts "
        "(filter.max_gen_batches), found {}: {}; {}; filter.on_starved = \"partial\" or \"skip\" goes on\n{}",
        step, s.prompts_per_step, s.filter.max_gen_batches, out.groups.size(), out.tally.counts(), out.tally.advice(),
        out.tally.examples());
    const bool writes = in.ranks == nullptr || in.ranks->first();
    if (writes && !in.starved_file.empty()) write_file_atomically(in.starved_file, seen);
    throw Error(seen.substr(0, seen.size() - 1));
  }
  if (out.starved && s.filter.on_starved == "skip") out.groups.clear();
}

}  // namespace

Collected collect_groups(const Transformer& policy, const CollectInputs& in, DataCursor& cursor, int64_t step) {
  const TrainSettings& s = in.settings;
  const GeneratorSettings generator = generator_settings(in, policy.config().layers);
  const FingerprintReader reader(in.prompts.tokenizer(), s.fingerprint, policy.config().layers);
  std::vector<int64_t> order;
  Collected out;
  while (static_cast<int64_t>(out.groups.size()) < s.prompts_per_step &&
         out.gen_batches < (s.filter.enabled ? s.filter.max_gen_batches : 1)) {
    ++out.gen_batches;
    auto [requests, groups] = next_prompts(in, step, cursor, order);
    GenerationTotals totals;
    std::vector<std::vector<SampledResponse>> responses;
    if (!requests.empty()) {
      responses = generate_over_ranks(in.ranks, policy, requests, generator, totals, in.limits, fmt::format("step {}", step));
    }
    count_work(policy, in, totals, requests, responses, out);
    size_t generated = 0;
    for (size_t g = 0; g < groups.size(); ++g) {
      const bool stored = !groups[g].samples.empty();
      if (!stored) {
        groups[g].responses = std::move(responses[generated++]);
        grade_group(in, step, groups[g], out);
        ++out.groups_generated;
        out.groups_mixed += groups[g].mixed() ? 1 : 0;
      }
      const bool keep = stored || !s.filter.enabled || groups[g].mixed();
      // Surplus kept groups are dropped: not trained on, not remembered.
      if (!keep || static_cast<int64_t>(out.groups.size()) >= s.prompts_per_step) continue;
      out.groups_stored += stored ? 1 : 0;
      if (generator.readout && !stored) read_fingerprints(in, reader, groups[g], out);
      out.groups.push_back(std::move(groups[g]));
    }
  }
  settle_starvation(in, step, out);
  for (size_t g = 0; g < out.groups.size(); ++g) {
    for (Sample& sample : out.groups[g].samples) sample.group = static_cast<int64_t>(g);
  }
  return out;
}

namespace {

void keep_right_answers(RolloutGroup& group) {
  RolloutGroup kept;
  kept.problem = group.problem;
  kept.prompt = group.prompt;
  for (size_t k = 0; k < group.samples.size(); ++k) {
    if (!group.samples[k].correct) continue;
    kept.responses.push_back(std::move(group.responses[k]));
    kept.verdicts.push_back(std::move(group.verdicts[k]));
    kept.samples.push_back(std::move(group.samples[k]));
  }
  group = std::move(kept);
}

}  // namespace

StoredAnswers sample_stored_answers(const Transformer& base, const CollectInputs& in, int64_t samples, int64_t right,
                                    bool right_alone) {
  GeneratorSettings generator = generator_settings(in, base.config().layers);
  generator.readout = false;
  StoredAnswers stored;
  Collected counts;  // of no step
  const auto problems = static_cast<int64_t>(in.problems.size());
  for (int64_t begin = 0; begin < problems; begin += in.settings.prompts_per_step) {
    std::vector<GenerationRequest> requests;
    for (int64_t p = begin; p < std::min(problems, begin + in.settings.prompts_per_step); ++p) {
      GenerationRequest& request = requests.emplace_back(GenerationRequest{in.prompt_ids[static_cast<size_t>(p)], {}});
      for (int64_t k = 0; k < samples; ++k) {
        const std::initializer_list<uint64_t> parts = {in.settings.seed, in.problems[static_cast<size_t>(p)].hash(),
                                                       static_cast<uint64_t>(k)};
        request.streams.emplace_back("stored answers", parts);
      }
    }
    GenerationTotals totals;
    auto responses = generate_over_ranks(in.ranks, base, requests, generator, totals, in.limits, "stored answers");
    for (size_t r = 0; r < requests.size(); ++r) {
      RolloutGroup group;
      group.problem = begin + static_cast<int64_t>(r);
      group.prompt = requests[r].prompt;
      group.responses = std::move(responses[r]);
      grade_group(in, 0, group, counts);
      for (Sample& sample : group.samples) sample.stored = true;
      const auto is_right = [](const Sample& sample) { return sample.correct; };
      if (std::count_if(group.samples.begin(), group.samples.end(), is_right) < right) continue;
      if (right_alone) keep_right_answers(group);
      if (group.samples.empty()) continue;
      stored.emplace(group.problem, std::move(group));
    }
  }
  return stored;
}

}  // namespace harness
