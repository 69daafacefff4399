#include "harness/train/trainer.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sstream>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/reward/all_graders.h"

namespace fs = std::filesystem;

namespace harness {

namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

class Run {
 public:
  Run(Transformer& policy, MethodStack& methods, const PromptMaker& prompts, const Grader& grader, const TrainerInputs& inputs)
      : policy_(policy),
        methods_(methods),
        prompts_(prompts),
        grader_(grader),
        in_(inputs),
        observer_(inputs.observer != nullptr ? *inputs.observer : nobody_),
        settings_(inputs.settings),
        alarms_(settings_.alarms),
        optimizer_(policy, inputs.settings.optimizer, inputs.ranks, inputs.settings.shard),
        limits_(settings_, policy.numerics().device, inputs.ranks, state_.memory,
                {[this](const std::string& text) { warn(text); },
                 [this](Pass pass, int64_t size) { observer_.before_pass(pass, size); }}) {
    methods_.adjust_sampling(settings_.sampling);
    if (settings_.alarms.second_grader != "none") second_grader_ = make_grader(settings_.alarms.second_grader);
    for (const Problem& problem : in_.problems) {
      std::vector<int64_t> ids = prompts_.ids(problem.text);
      if (static_cast<int64_t>(ids.size()) > settings_.prompt.prompt_tokens) {
        ++result_.prompts_dropped;
        continue;
      }
      problems_.push_back(problem);
      prompt_ids_.push_back(std::move(ids));
    }
    if (problems_.empty())
      throw Error("data.train: expected at least one problem, found {} (prompts too long are dropped)", problems_.size());
  }

  TrainResult go() {
    // The first process may have to put right what a kill left of the folder; all read it then, each its own share.
    if (writes()) {
      recover_folder(in_.folder + "/checkpoint");
      begin_anew_where_a_model_is_gone();
    }
    if (in_.ranks != nullptr) in_.ranks->any(false);
    const bool goes_on = load();
    if (writes()) cut_metrics(goes_on ? state_.metrics_bytes : 0);
    if (goes_on) recall_warnings();
    const std::unique_ptr<ReferencePolicy> reference = make_reference();
    std::unique_ptr<SharedStates> reference_shares;  // parameters alone, in their own type
    if (reference != nullptr && optimizer_.shard() == Shard::parameters) {
      reference_shares =
          std::make_unique<SharedStates>(reference->kept(), *in_.ranks, Shard::parameters, policy_.numerics().dtype);
    }
    CollectInputs collect{settings_,
                          prompts_,
                          grader_,
                          problems_,
                          prompt_ids_,
                          methods_.needs().fingerprints,
                          methods_.needs().readouts,
                          methods_.needs().mean_readouts,
                          in_.ranks,
                          &limits_,
                          second_grader_.get(),
                          nullptr,
                          starved_file()};
    const StoredAnswers stored = make_stored_answers(collect);
    if (methods_.needs().stored_samples > 0) collect.stored = &stored;
    if (writes()) fs::remove(starved_file());  // of an earlier start
    StepParts parts{settings_, collect, policy_, reference.get(), methods_, optimizer_, state_.cursor};
    while (state_.step < settings_.steps) {
      const int64_t step = state_.step + 1;
      const auto begin = std::chrono::steady_clock::now();
      StepResult result = with_context("training", [&] { return run_step(parts, step); });
      result.seconds["step"] = seconds_since(begin);
      finish_step(step, result);
      result_.timing.add(step, result.seconds, result.work);
      if (in_.ranks != nullptr ? in_.ranks->any(interrupt_requested()) : interrupt_requested()) {
        save(result.seconds);
        finish();
        throw Interrupted();
      }
    }
    save_model("model");
    if (optimizer_.shares() != nullptr) optimizer_.shares()->leave_whole();
    if (writes()) summarise();
    finish();
    return std::move(result_);
  }

 private:
  // One process of a run writes its files.
  [[nodiscard]] bool writes() const { return in_.ranks == nullptr || in_.ranks->first(); }
  void finish() const {
    if (in_.ranks != nullptr) in_.ranks->finish();
  }
  [[nodiscard]] std::string starved_file() const { return in_.folder + "/starved.txt"; }
  [[nodiscard]] std::string metrics_path() const { return in_.folder + "/metrics.jsonl"; }

  // A model that is to be evaluated and of which the checkpoint is past: made again, to the same bytes, from the first step on.
  void begin_anew_where_a_model_is_gone() {
    const std::string checkpoint = in_.folder + "/checkpoint", state = checkpoint + "/state.json";
    if (settings_.evaluated_steps.empty() || !fs::exists(state)) return;
    const Json json = with_context(state, [&] { return parse_json(read_file(state)); });
    if (json.value("identity", "") != in_.identity) return;
    for (const int64_t step : settings_.evaluated_steps) {
      if (step == 0 || step == settings_.steps || step > json.value("step", int64_t{0})) continue;
      if (fs::exists(in_.folder + "/" + kept_model(step) + "/config.json")) continue;
      warn(fmt::format("the model of step {} is wanted and not there: trained anew", step));
      fs::remove_all(checkpoint);
      return;
    }
  }

  bool load() { return load_checkpoint(in_.folder, in_.identity, state_, optimizer_, methods_); }

  // What a killed run wrote after its last checkpoint is written again.
  void cut_metrics(int64_t bytes) {
    std::error_code code;
    const auto size = fs::exists(metrics_path()) ? static_cast<int64_t>(fs::file_size(metrics_path(), code)) : 0;
    if (size < bytes)
      throw Error("{}: expected at least {} bytes (those of the checkpoint), found {}", metrics_path(), bytes, size);
    if (size > bytes) fs::resize_file(metrics_path(), static_cast<uintmax_t>(bytes));
    if (!fs::exists(metrics_path())) write_file_atomically(metrics_path(), "");
  }

  // What was warned of when the checkpoint was written: the lines before it are looked at again.
  void recall_warnings() {
    std::istringstream lines(read_file(metrics_path()).substr(0, static_cast<size_t>(state_.metrics_bytes)));
    for (std::string line; std::getline(lines, line);) {
      const Json json = parse_json(line);
      Metrics metrics;
      for (const auto& [name, value] : json.items()) {
        if (value.is_number()) metrics[name] = value.get<double>();
      }
      alarms_.check(static_cast<int64_t>(metrics.at("step")), metrics);
      starving_ = metrics.at("starved") > 0;
    }
  }

  // The policy as it was before the first step: the base model.
  std::unique_ptr<ReferencePolicy> make_reference() const {
    if (settings_.loss.kl_coef <= 0 && !methods_.needs().reference_log_probs) return nullptr;
    return std::make_unique<ReferencePolicy>(in_.model_folder, policy_.numerics(), settings_.offload_reference);
  }

  // What the base model answers to the problems that it masters, where a method asks for it.
  [[nodiscard]] StoredAnswers make_stored_answers(const CollectInputs& collect) const {
    const Needs needs = methods_.needs();
    if (needs.stored_samples == 0) return {};
    const ReferencePolicy base(in_.model_folder, policy_.numerics(), settings_.offload_reference);
    return sample_stored_answers(*base.on_device(), collect, needs.stored_samples, needs.stored_right,
                                 needs.stored_right_alone);
  }

  void finish_step(int64_t step, StepResult& result) {
    Metrics& metrics = result.metrics;
    state_.step = step;
    state_.tokens_generated += result.tokens_generated;
    state_.responses_generated += result.responses_generated;
    state_.responses_kept += result.responses_kept;
    if (settings_.validate_every > 0 && step % settings_.validate_every == 0) validate(step, metrics);
    warn_of(step, metrics);
    OrderedJson line{{"step", step}};
    for (const auto& [name, value] : metrics) line[name] = value;
    const std::string text = dump_line(line) + "\n";
    if (writes()) append_to_file(metrics_path(), text);
    state_.metrics_bytes += static_cast<int64_t>(text.size());
    const std::vector<int64_t>& evaluated = settings_.evaluated_steps;
    if (step < settings_.steps && std::find(evaluated.begin(), evaluated.end(), step) != evaluated.end()) {
      if (writes()) make_folder(in_.folder + "/steps");
      save_model(kept_model(step));
    }
    if (step % settings_.checkpoint_every == 0 || step == settings_.steps) save(result.seconds);
    if (writes()) observer_.on_step(step, metrics);
  }

  void validate(int64_t step, Metrics& metrics) {
    const Metrics found = validation(step);
    for (const auto& [name, value] : found) metrics["validation/" + name] = value;
    if (!found.contains("pass@1") || found.at("pass@1") <= state_.best_validation) return;
    state_.best_validation = found.at("pass@1");
    state_.best_step = step;
    save_model("best");
  }

  // Made by one process, known to all: the best step is part of every process's state.
  [[nodiscard]] Metrics validation(int64_t step) {
    if (in_.ranks == nullptr) return observer_.validate(step, policy_);
    const WholeParameters whole(policy_);
    const Json metrics = writes() ? Json(observer_.validate(step, policy_)) : Json();
    return parse_json(in_.ranks->from_first(dump_line(metrics))).get<Metrics>();
  }

  void warn(const std::string& text) {
    if (writes()) observer_.on_warning(text);
  }

  void warn_of(int64_t step, Metrics& metrics) {
    for (const std::string& line : alarms_.check(step, metrics)) warn(line);
    if (!warned_fingerprints_ && metrics.contains("no_fingerprints")) {
      warn(
          fmt::format("step {}: responses have answers but none has a fingerprint, so the memory stays empty; "
                      "fingerprint.position = \"last_box\" finds boxes that the tokenizer splits otherwise",
                      step));
      warned_fingerprints_ = true;
    }
    const bool starving = metrics.at("starved") > 0;
    if (starving && !starving_) {
      warn(fmt::format("step {}: starved, {} of {} groups", step, metrics.at("groups_kept"), settings_.prompts_per_step));
    }
    starving_ = starving;
  }

  void save(Seconds& seconds) {
    if (!writes() && optimizer_.shares() == nullptr) return;
    const auto begin = std::chrono::steady_clock::now();
    seconds["state"] += save_checkpoint(in_.folder, in_.identity, state_, optimizer_, methods_);
    const double all = seconds_since(begin);
    seconds["checkpoint"] += all;
    seconds["step"] += all;
  }

  void save_model(const std::string& name) {
    const WholeParameters whole(policy_);
    if (!writes()) return;
    const std::string temporary = in_.folder + "/" + name + ".tmp";
    fs::remove_all(temporary);
    policy_.save(temporary);
    copy_tokenizer_files(in_.model_folder, temporary);
    replace_folder(temporary, in_.folder + "/" + name);
  }

  // Totals that a resumed run cannot know come from the metrics file.
  void summarise() {
    result_.state = state_;
    result_.updates = optimizer_.updates();
    int64_t visits = 0;
    for (const auto& [problem, count] : state_.cursor.visits) visits += count;
    result_.visits_per_problem = static_cast<double>(visits) / static_cast<double>(problems_.size());
    std::istringstream lines(read_file(metrics_path()));
    for (std::string line; std::getline(lines, line);) {
      const Json json = parse_json(line);
      for (const char* name : {"first_log_ratio", "sampling_scoring_difference"}) {
        if (json.contains(name)) {
          result_.largest_log_prob_difference = std::max(result_.largest_log_prob_difference, json[name].get<double>());
        }
      }
      result_.starved_steps += json.value("starved", 0.0) > 0 ? 1 : 0;
    }
  }

  Transformer& policy_;
  MethodStack& methods_;
  const PromptMaker& prompts_;
  const Grader& grader_;
  const TrainerInputs& in_;
  TrainObserver nobody_;
  TrainObserver& observer_;
  TrainSettings settings_;
  Alarms alarms_;
  std::unique_ptr<Grader> second_grader_;  // null: none
  Optimizer optimizer_;
  RunState state_;
  MemoryLimits limits_;
  std::vector<Problem> problems_;
  std::vector<std::vector<int64_t>> prompt_ids_;
  TrainResult result_;
  bool warned_fingerprints_ = false, starving_ = false;
};

}  // namespace

TrainResult train(Transformer& policy, MethodStack& methods, const PromptMaker& prompts, const Grader& grader,
                  const TrainerInputs& inputs) {
  return Run(policy, methods, prompts, grader, inputs).go();
}

}  // namespace harness
