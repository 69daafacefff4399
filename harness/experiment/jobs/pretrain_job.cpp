#include "harness/experiment/jobs/pretrain_job.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/experiment/jobs/folder.h"
#include "harness/experiment/jobs/identity.h"
#include "harness/experiment/jobs/settings.h"
#include "harness/experiment/jobs/start.h"
#include "harness/sweep/progress.h"
#include "harness/text/tokenizer/character_tokenizer.h"

namespace harness {

namespace {

namespace fs = std::filesystem;

// A new model's folder before training: a tokenizer of single characters, and its ids of pad, bos and eos.
void write_new_tokenizer(const std::string& folder, const std::string& characters, ModelConfig& config) {
  const std::string json = character_tokenizer_json(characters, {"<pad>", "<bos>", "<eos>"}, {"\\boxed{"});
  write_file_atomically(folder + "/tokenizer.json", json);
  const OrderedJson tokenizer_config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                                     {"pad_token", "<pad>"},
                                     {"bos_token", "<bos>"},
                                     {"eos_token", "<eos>"},
                                     {"clean_up_tokenization_spaces", false},
                                     {"model_max_length", config.max_positions}};
  write_file_atomically(folder + "/tokenizer_config.json", tokenizer_config.dump(1) + "\n");
  const auto tokenizer = Tokenizer::from_file(folder + "/tokenizer.json");
  config.vocab_size = tokenizer->size();
  config.pad_id = 0;
  config.bos_id = 1;
  config.eos_ids = {2};
}

}  // namespace

void run_pretrain_job(const JobOptions& options, const Program& program) {
  Config config = Config::from_toml_file(options.file);
  for (const std::string& set : options.sets) config.set(set);
  ConfigReader keys(config);
  const PretrainJob job = read_pretrain_job(keys, program);
  keys.finish();
  const std::string identity = job_identity(keys.effective(), "pretrain");
  if (const auto done = read_done(options.out); done && (*done)["identity"] == identity) {
    fmt::print(stderr, "{}: there already\n", options.out);
    return;
  }
  use_numerics(job.numerics.numerics, threads_of(job.numerics));
  check_device(job.numerics.numerics);
  open_job_folder(options.out, "pretrain", identity, keys.effective());
  const auto begin = std::chrono::steady_clock::now();
  const std::string work = options.out + "/model.tmp";
  fs::remove_all(work);
  make_folder(work);

  std::unique_ptr<Transformer> model;
  if (job.start.empty()) {
    ModelConfig shape = job.model;
    write_new_tokenizer(work, program.problems.characters(), shape);
    model = std::make_unique<Transformer>(shape, job.numerics.numerics);
    model->initialise(job.seed);
  } else {
    model = Transformer::load(job.start, job.numerics.numerics);
    copy_tokenizer_files(job.start, work);
  }
  const auto tokenizer = Tokenizer::from_file(work + "/tokenizer.json");
  const PromptMaker prompts(job.prompt, work, model->config(), tokenizer);
  const auto source = job.source->demonstrations(job.demonstrations);
  // Each demonstration is a pure function of (seed, index).
  const uint64_t offset = job.seed << 32;
  std::map<std::string, std::map<std::string, int64_t>> shares;
  const auto example = [&](uint64_t index) {
    const Demonstration demonstration = source->draw(offset + index);
    ++shares[demonstration.kind][demonstration.strategy];
    std::string text = demonstration.prompt;
    // The prompt block adds the suffix itself.
    if (!job.prompt.suffix.empty() && text.ends_with(job.prompt.suffix)) text.resize(text.size() - job.prompt.suffix.size());
    return SupervisedExample{prompts.ids(text), prompts.response_ids(demonstration.response)};
  };
  const int64_t window = std::max<int64_t>(1, job.settings.steps / 100);
  const auto on_step = [&](const SupervisedStep& step) {
    if (step.step % window != 0 && step.step != job.settings.steps) return;
    write_progress(options.out, {static_cast<double>(step.step), static_cast<double>(job.settings.steps), "steps",
                                 fmt::format("loss {:.3f}", step.smoothed_loss)});
  };
  MemoryLimits::Hooks hooks;
  hooks.on_warning = [](const std::string& warning) { fmt::print(stderr, "warning: {}\n", warning); };
  const SupervisedStep last =
      train_supervised(*model, job.settings, example, on_step, {options.out, identity, job.checkpoint_every}, hooks);
  model->save(work);
  replace_folder(work, options.out + "/model");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  write_timing(options.out, job.numerics.numerics.device, {{"supervised", seconds}});
  OrderedJson facts{{"loss", last.smoothed_loss}, {"response_tokens", last.all_tokens}, {"steps", last.step}};
  if (last.micro_batch > 0) facts["micro_batch_responses"] = last.micro_batch;
  write_done(options.out, identity, facts);
  fs::remove_all(options.out + "/checkpoint");
  fmt::print(stderr, "{}: {} steps, loss {:.4f}, {:.0f} s, {:.0f} response tokens/s\n", options.out, job.settings.steps,
             last.smoothed_loss, seconds, static_cast<double>(last.all_tokens) / seconds);
}

}  // namespace harness
