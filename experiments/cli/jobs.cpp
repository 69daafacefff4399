// train, eval, pretrain: one job by itself, as `run` starts it for each.
#include <memory>
#include <string>

#include "experiments/cli/every_method.h"
#include "experiments/cli/verbs.h"
#include "harness/experiment/jobs/eval_job.h"
#include "harness/experiment/jobs/folder.h"
#include "harness/experiment/jobs/pretrain_job.h"
#include "harness/experiment/jobs/train_job.h"

namespace experiments {

namespace {

void add_train(Verb app) {
  const auto options = std::make_shared<harness::TrainJobOptions>();
  Verb verb = app.verb("train", "one training run (what `run` starts for each cell)");
  verb.option("file", options->file, "TOML file of one row: model.folder, base, method.*, train.*, ...").required();
  verb.option("--out", options->out, "run folder (default: runs/NAME of NAME.toml)");
  verb.option("--set", options->sets, "KEY=VALUE, over the file");
  verb.option("--rank", options->rank).hidden();
  verb.option("--rendezvous", options->rendezvous).hidden();
  verb.does([options] {
    if (options->out.empty()) options->out = harness::default_run_folder(options->file);
    harness::run_train_job(*options, this_program());
    return 0;
  });
}

void add_eval(Verb app) {
  const auto options = std::make_shared<harness::JobOptions>();
  Verb verb = app.verb("eval", "one evaluation (what `run` starts for each cell)");
  verb.option("file", options->file, "TOML file: model.folder, data.test, eval.*, ...").required();
  verb.option("--out", options->out, "folder for outcomes.jsonl.zst (default: runs/NAME of NAME.toml)");
  verb.option("--set", options->sets, "KEY=VALUE, over the file");
  verb.does([options] {
    if (options->out.empty()) options->out = harness::default_run_folder(options->file);
    harness::run_eval_job(*options, this_program());
    return 0;
  });
}

void add_pretrain(Verb app) {
  const auto options = std::make_shared<harness::JobOptions>();
  Verb verb = app.verb("pretrain", "makes a model folder by supervised training on demonstrations");
  verb.option("file", options->file, "TOML file").required();
  verb.option("--out", options->out, "folder; the model goes to its subfolder model/").required();
  verb.option("--set", options->sets, "KEY=VALUE, over the file");
  verb.does([options] {
    harness::run_pretrain_job(*options, this_program());
    return 0;
  });
}

}  // namespace

void add_jobs(Verb app) {
  add_train(app);
  add_eval(app);
  add_pretrain(app);
}

}  // namespace experiments
