// pretrain: makes a model folder by supervised training on demonstrations: the nano base models, and cold starts of real ones.
#include <fmt/format.h>
#include <torch/types.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>

#include "experiments/cli/cell.h"
#include "experiments/cli/cell_folder.h"
#include "experiments/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/sweep/progress.h"
#include "harness/text/tokenizer/character_tokenizer.h"

namespace experiments {

namespace {

using harness::Config;
using harness::Error;
namespace fs = std::filesystem;

struct PretrainOptions {
  std::string file, out;
  std::vector<std::string> sets;
};

// A new nano model's folder before training: its tokenizer and its ids of pad, bos and eos.
void write_nano_tokenizer(const std::string& folder, harness::ModelConfig& config) {
  const std::string json =
      harness::character_tokenizer_json(datasets::nano_characters(), {"<pad>", "<bos>", "<eos>"}, {"\\boxed{"});
  harness::write_file_atomically(folder + "/tokenizer.json", json);
  const harness::OrderedJson tokenizer_config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                                              {"pad_token", "<pad>"},
                                              {"bos_token", "<bos>"},
                                              {"eos_token", "<eos>"},
                                              {"clean_up_tokenization_spaces", false},
                                              {"model_max_length", config.max_positions}};
  harness::write_file_atomically(folder + "/tokenizer_config.json", tokenizer_config.dump(1) + "\n");
  const auto tokenizer = harness::Tokenizer::from_file(folder + "/tokenizer.json");
  config.vocab_size = tokenizer->size();
  config.pad_id = 0;
  config.bos_id = 1;
  config.eos_ids = {2};
}

int pretrain(const PretrainOptions& options) {
  Config config = Config::from_toml_file(options.file);
  for (const std::string& set : options.sets) config.set(set);
  const PretrainCell cell = read_pretrain_cell(config);
  config.finish();
  const std::string identity = cell_identity(config, "pretrain");
  if (const auto done = read_done(options.out); done && (*done)["identity"] == identity) {
    fmt::print(stderr, "{}: there already\n", options.out);
    return 0;
  }
  use_threads(cell.numerics.threads);
  check_device(cell.numerics.numerics);
  open_cell_folder(options.out, "pretrain", identity, config);
  const auto begin = std::chrono::steady_clock::now();
  const std::string work = options.out + "/model.tmp";
  fs::remove_all(work);
  harness::make_folder(work);

  std::unique_ptr<harness::Transformer> model;
  if (cell.start.empty()) {
    harness::ModelConfig shape = cell.model;
    write_nano_tokenizer(work, shape);
    model = std::make_unique<harness::Transformer>(shape, cell.numerics.numerics);
    model->initialise(cell.seed);
  } else {
    model = harness::Transformer::load(cell.start, cell.numerics.numerics);
    harness::copy_tokenizer_files(cell.start, work);
  }
  const auto tokenizer = harness::Tokenizer::from_file(work + "/tokenizer.json");
  const harness::PromptMaker prompts(cell.prompt, work, model->config(), tokenizer);
  const auto source = datasets::load_demonstrations(cell.demonstrations, cell.load);
  // Each demonstration is a pure function of (seed, index).
  const uint64_t offset = cell.seed << 32;
  std::map<std::string, std::map<std::string, int64_t>> shares;
  const auto example = [&](uint64_t index) {
    const datasets::Demonstration demonstration = source->draw(offset + index);
    ++shares[demonstration.kind][demonstration.strategy];
    std::string text = demonstration.prompt;
    // The prompt block adds the suffix itself.
    if (!cell.prompt.suffix.empty() && text.ends_with(cell.prompt.suffix)) text.resize(text.size() - cell.prompt.suffix.size());
    return harness::SupervisedExample{prompts.ids(text), prompts.response_ids(demonstration.response)};
  };
  const int64_t window = std::max<int64_t>(1, cell.settings.steps / 100);
  const auto on_step = [&](const harness::SupervisedStep& step) {
    if (step.step % window != 0 && step.step != cell.settings.steps) return;
    harness::write_progress(options.out, {static_cast<double>(step.step), static_cast<double>(cell.settings.steps), "steps",
                                          fmt::format("loss {:.3f}", step.smoothed_loss)});
  };
  harness::MemoryLimits::Hooks hooks;
  hooks.on_warning = [](const std::string& warning) { fmt::print(stderr, "warning: {}\n", warning); };
  const harness::SupervisedStep last =
      harness::train_supervised(*model, cell.settings, example, on_step, {options.out, identity, cell.checkpoint_every}, hooks);
  model->save(work);
  harness::replace_folder(work, options.out + "/model");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  write_timing(options.out, cell.numerics.numerics.device, {{"supervised", seconds}});
  harness::OrderedJson facts{{"loss", last.smoothed_loss}, {"response_tokens", last.all_tokens}, {"steps", last.step}};
  if (last.micro_batch > 0) facts["micro_batch_responses"] = last.micro_batch;
  write_done(options.out, identity, facts);
  fs::remove_all(options.out + "/checkpoint");
  fmt::print(stderr, "{}: {} steps, loss {:.4f}, {:.0f} s, {:.0f} response tokens/s\n", options.out, cell.settings.steps,
             last.smoothed_loss, seconds, static_cast<double>(last.all_tokens) / seconds);
  return 0;
}

}  // namespace

void add_pretrain(CLI::App& app, Chosen& chosen) {
  const auto options = std::make_shared<PretrainOptions>();
  CLI::App* verb = app.add_subcommand("pretrain", "makes a model folder by supervised training on demonstrations");
  verb->add_option("file", options->file, "TOML file")->required();
  verb->add_option("--out", options->out, "folder; the model goes to its subfolder model/")->required();
  verb->add_option("--set", options->sets, "KEY=VALUE, over the file");
  verb->callback([&chosen, options] { chosen = [options] { return pretrain(*options); }; });
}

}  // namespace experiments
