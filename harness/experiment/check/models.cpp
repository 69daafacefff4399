// Base models: whether they are there, their positions, tokenizers and chat templates.
#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/experiment/base_model.h"
#include "harness/experiment/check/parts.h"
#include "harness/plan/experiment_plan.h"
#include "harness/rollout/prompt.h"

namespace harness {

namespace {

// How a response may come to write its box: a tokenizer may join what stands before it to the backslash.
constexpr std::array kBoxes = {"The answer is \\boxed{4}.", "so $\\boxed{4}$", "so:\n\\boxed{4}", "\\boxed{4}"};

class ModelCheck {
 public:
  ModelCheck(const Experiment& experiment, const BaseModel& model, const Program& program, FindingList& found)
      : experiment_(experiment), model_(model), found_(found) {
    for (const PlannedRow& row : experiment.rows) {
      if (row.base_model == model.name && (unfinished(row.train) || unfinished(row.eval))) rows_.push_back(&row);
    }
    if (rows_.empty()) return;
    folder_ = model.job.empty() ? find_model(model.path, experiment.model_cache) : folder_of_made();
    attempt([&] { shape_ = shape_of(experiment, model, program); });
  }

  void check() {
    if (rows_.empty()) return;
    for (const std::string& file : {model_.prepare, model_.shape.empty() ? "" : model_.shape + "/config.json"}) {
      if (!file.empty() && !std::filesystem::exists(file)) {
        found_.add({.place = model_.place, .what = fmt::format("expected the file {} beside it, found none", file)});
      }
    }
    if (folder_.empty() && model_.job.empty() && model_.prepare.empty()) add_absent();
    if (!shape_) return;
    for (const PlannedRow* row : rows_) check_positions(*row);
    if (!folder_.empty() && std::filesystem::exists(folder_ + "/tokenizer.json")) attempt([&] { check_texts(); });
  }

 private:
  // What the model's files are refused for is found at the model.
  template <typename Body>
  void attempt(Body&& body) {
    try {
      body();
    } catch (const Error& error) {
      found_.add({.place = model_.place, .what = error.what()});
    }
  }

  // A model that is made, or the one that it starts from, which has the same tokenizer.
  [[nodiscard]] std::string folder_of_made() const {
    if (std::filesystem::exists(model_.folder)) return model_.folder;
    for (size_t i = 0; i < experiment_.base_jobs.size(); ++i) {
      if (experiment_.base_jobs[i].job.id == model_.job) return experiment_.pretrain_jobs[i]->start;
    }
    return "";
  }

  void add_absent() {
    Finding finding{.place = model_.place,
                    .what = fmt::format("expected {}, found none", missing_model_text(model_.path, experiment_.model_cache))};
    const auto jobs = all_jobs(experiment_);
    const bool others = experiment_.models.size() > 1 || std::any_of(jobs.begin(), jobs.end(), [](const PlannedJob* job) {
                          return readable_result_of(*job).has_value();
                        });
    if (others) {
      finding.severity = Severity::warning;
      finding.way_out = "its rows fail, the others go on";
    } else if (shape_) {
      finding.severity = Severity::missing;
    } else {
      finding.way_out = "with shape = \"FOLDER\", a folder with its config.json alone, `plan` counts without the model";
    }
    found_.add(std::move(finding));
  }

  void check_positions(const PlannedRow& row) {
    const int64_t training = row.untrained ? 0 : row.train_job->settings.sampling.max_new_tokens;
    const int64_t evaluation = row.eval_job->settings.sampling.max_new_tokens;
    const int64_t longest = std::max(training, evaluation), positions = shape_->max_positions;
    const int64_t prompt = row.eval_job->prompt.prompt_tokens;
    const std::string more = "positions of [models.NAME] may be more than the model's own";
    if (longest >= positions) {
      const bool of_evaluation = evaluation > training && row.effective.at("eval.max_new_tokens").origin != "default";
      found_.add(
          row, of_evaluation ? "eval.max_new_tokens" : "sampling.max_new_tokens",
          {.what = fmt::format("expected fewer tokens than the {} positions of {}, found {}", positions, model_.name, longest),
           .way_out = more});
    } else if (prompt + longest > positions) {
      found_.add(row, "prompt.prompt_tokens",
                 {.severity = Severity::warning,
                  .what = fmt::format("expected at most {}, which the {} positions of {} leave beside {} tokens of a response, "
                                      "found {}: a longer prompt ends the run",
                                      positions - longest, positions, model_.name, longest, prompt),
                  .way_out = fmt::format("prompt.prompt_tokens = {} leaves such prompts out; {}", positions - longest, more)});
    }
  }

  void check_texts() {
    const auto tokenizer = Tokenizer::from_file(folder_ + "/tokenizer.json");
    for (const PlannedRow* row : rows_) {
      check_box(*row, *tokenizer);
      try {
        PromptMaker(row->eval_job->prompt, folder_, *shape_, tokenizer);
      } catch (const Error& error) {
        found_.add(*row, "prompt.template", {.what = error.what()});
      }
    }
  }

  // The published rule knows the box by the tokens that it has when it stands alone.
  void check_box(const PlannedRow& row, const Tokenizer& tokenizer) {
    const TrainJob& job = *row.train_job;
    if (row.untrained || !(job.needs.fingerprints || job.needs.readouts)) return;
    const FingerprintReader reader(tokenizer, job.settings.fingerprint, shape_->layers);
    const auto unread =
        std::count_if(kBoxes.begin(), kBoxes.end(), [&](const char* text) { return !reader.position(tokenizer.encode(text)); });
    if (unread == 0) return;
    found_.add(
        row, "fingerprint.position",
        {.severity = Severity::warning,
         .what = fmt::format("expected a rule that finds \\boxed{{ in the tokens of {}, found one that misses it in {} of {} "
                             "ways to write an answer: such responses have no fingerprint, and a memory without "
                             "fingerprints does nothing",
                             model_.name, unread, kBoxes.size()),
         .way_out = "fingerprint.position = \"last_box\" reads the text"});
  }

  const Experiment& experiment_;
  const BaseModel& model_;
  FindingList& found_;
  std::vector<const PlannedRow*> rows_;  // on this model, with something still to be run
  std::string folder_;                   // where its files are; "": nowhere
  std::optional<ModelConfig> shape_;
};

}  // namespace

void check_models(const Experiment& experiment, const Program& program, FindingList& found) {
  for (const BaseModel& model : experiment.models) ModelCheck(experiment, model, program, found).check();
}

}  // namespace harness
