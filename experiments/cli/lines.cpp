// grade, score, generate, inspect ...: the parts by themselves, JSON lines in and out.
#include "experiments/lines/lines.h"

#include <memory>
#include <string>
#include <vector>

#include "experiments/cli/every_method.h"
#include "experiments/cli/verbs.h"
#include "harness/reward/all_graders.h"

namespace experiments {

namespace {

void add_grade(Verb app) {
  struct Options {
    std::string grader = "recipe";
    bool explain = false;
  };
  const auto options = std::make_shared<Options>();
  Verb verb =
      app.verb("grade",
               "{\"response\", \"answer\"} -> {\"verdict\", \"extracted\", \"normalised\"}, JSON lines; optional fields "
               "of a line: answers, unit, tolerance, answer_type");
  verb.option("--grader", options->grader, "which grader judges").one_of(harness::grader_names()).shows_default();
  verb.flag("--explain", options->explain, "adds \"why\": one line on how the verdict came about");
  verb.does([options] { return grade_lines(options->grader, options->explain); });
}

void add_score(Verb app) {
  const auto options = std::make_shared<ScoreOptions>();
  Verb verb = app.verb("score", "outcomes in (one JSON line a sample, or files), metrics out");
  verb.option("files", options->files, "of one row: stored outcomes, or as for `results import`; each a training seed");
  verb.option("--k", options->settings.ks, "such as 1,2,4 (default: powers of two up to n)").joined_by(',').between(1, 1e9);
  verb.option("--tau", options->settings.taus, "thresholds of G-pass@k").joined_by(',').between(0, 1).shows_default();
  verb.option("--seed", options->settings.seed, "key of the bootstrap and of the maj@k subsets").shows_default();
  verb.option("--metric", options->verdict.metric, "of files: the field that says right or wrong");
  verb.option("--filter", options->verdict.filter, "of files of lm-evaluation-harness");
  verb.option("--grader", options->verdict.grader, "of files: grade the responses anew").one_of(harness::grader_names());
  verb.does([options] { return options->files.empty() ? score_lines(options->settings) : score_files(*options); });
}

void add_inspect_tokens(Verb inspect) {
  const auto options = std::make_shared<TokensOptions>();
  Verb verb = inspect.verb("tokens", "texts to ids, ids to texts, conversations to prompts (JSON lines)");
  verb.option("--model", options->model, "model folder with tokenizer.json").required();
  verb.flag("--plain", options->plain, "read the strings of added tokens as ordinary text");
  verb.flag("--add-special", options->add_special, "let the post-processor add its own tokens (BOS and the like)");
  verb.does([options] { return token_lines(*options); });
}

void add_inspect_clusters(Verb inspect) {
  const auto settings = std::make_shared<harness::HdbscanSettings>();
  Verb verb = inspect.verb("clusters", "HDBSCAN labels of vectors: {\"vectors\"} -> {\"labels\"}");
  verb.option("--min-cluster-size", settings->min_cluster_size, "smallest cluster").between(2, 1 << 30);
  verb.option("--min-samples", settings->min_samples, "neighbours of the core distance").between(1, 1 << 30);
  verb.does([settings] { return cluster_lines(*settings); });
}

void add_inspect_memory(Verb inspect) {
  struct Options {
    std::vector<std::string> assignments;
    std::string file, save;
  };
  const auto options = std::make_shared<Options>();
  Verb verb = inspect.verb("memory", "the error memory of MEDS: one line a training step, or a saved memory");
  Option set = verb.option("--set", options->assignments, "KEY=VALUE, keys of the method (method.alpha=0.1)").one_each();
  Option file = verb.option("--file", options->file, "folder of a saved memory: print its clusters");
  Option save = verb.option("--save", options->save, "folder to save the memory to after the last line");
  file.excludes(set).excludes(save);
  verb.does([options] {
    return options->file.empty() ? memory_lines(options->assignments, options->save) : print_memory(options->file);
  });
}

void add_inspect_loss(Verb inspect) {
  const auto options = std::make_shared<LossOptions>();
  Verb verb = inspect.verb("loss", "advantages, loss and gradients of a mini-batch under a method");
  verb.option("--method", options->method, "names joined by commas, or a TOML file").required();
  verb.option("--base", options->base, "grpo or dapo; default: what the method's source stands on")
      .one_of(every_method().base_names());
  verb.option("--set", options->settings, "KEY=VALUE, for any key of method.* and loss.*").one_each();
  verb.does([options] { return loss_lines(*options, every_method()); });
}

void add_model_options(Verb verb, ModelOptions& options) {
  verb.option("--model", options.folder, "model folder (config.json, safetensors, tokenizer.json)").required();
  verb.option("--dtype", options.dtype, "of weights and activations").one_of({"fp32", "bf16"}).shows_default();
  verb.option("--device", options.device, "where the model runs").one_of({"cpu", "cuda"}).shows_default();
  verb.option("--threads", options.threads, "threads of the model's arithmetic").between(1, 1024).shows_default();
}

void add_generate(Verb app) {
  const auto options = std::make_shared<GenerateOptions>();
  Verb verb = app.verb("generate", "text in, text out: samples from a model folder (JSON lines)");
  add_model_options(verb, options->model);
  verb.option("--n", options->n, "responses a line").at_least(1).shows_default();
  verb.option("--temperature", options->sampling.temperature, "above 0").positive().shows_default();
  verb.option("--top-p", options->sampling.top_p, "share of probability kept, in (0, 1]; 1 is off")
      .between(1e-12, 1)
      .shows_default();
  verb.option("--top-k", options->sampling.top_k, "tokens kept; 0 is off").at_least(0).shows_default();
  const Option length = verb.option("--max-new-tokens", options->sampling.max_new_tokens,
                                    "longest response (without the option: no longer than the model's positions)")
                            .positive()
                            .shows_default();
  verb.option("--seed", options->seed, "of the random streams (seed, prompt, sample)").shows_default();
  verb.option("--max-rows", options->max_rows, "responses decoded at once").at_least(1).shows_default();
  verb.flag("--greedy", options->sampling.greedy, "the most probable token each time");
  verb.flag("--add-bos", options->add_bos, "the model's bos before each {\"prompt\"}");
  verb.flag("--ignore-stop", options->ignore_stop, "stop tokens do not end a response");
  verb.flag("--timing", options->timing, "seconds of each line's prompts and decoding, as JSON on stderr");
  verb.does([options, length] {
    options->new_tokens_given = length.given();
    return generate_lines(*options);
  });
}

void add_inspect_logits(Verb inspect) {
  const auto options = std::make_shared<ModelOptions>();
  const auto top = std::make_shared<int64_t>(0);
  Verb verb = inspect.verb("logits", "log-probs, entropies and most probable next tokens (JSON lines)");
  add_model_options(verb, *options);
  verb.option("--top", *top, "so many most probable next tokens of each position").at_least(0);
  verb.does([options, top] { return logit_lines(*options, *top); });
}

void add_inspect_fingerprint(Verb inspect) {
  const auto options = std::make_shared<FingerprintOptions>();
  Verb verb = inspect.verb("fingerprint", "answer position and layer readout of a response (JSON lines)");
  add_model_options(verb, options->model);
  verb.option("--layers", options->layers, "lastN, half or all").check(layers_problem).shows_default();
  verb.flag("--diff", options->differences, "differences of neighbouring layers, taken before the last ones are chosen");
  verb.option("--lens-norm", options->lens_norm, "blocks whose output is normalised before the readout")
      .one_of({"last", "all"})
      .shows_default();
  verb.option("--position", options->position, "rule of the answer position").one_of({"reference", "last_box"}).shows_default();
  verb.does([options] { return fingerprint_lines(*options); });
}

}  // namespace

void add_lines(Verb app) {
  add_grade(app);
  add_score(app);
  add_generate(app);
  Verb inspect = app.group("inspect", "the parts by themselves: JSON lines in, JSON lines out");
  add_inspect_tokens(inspect);
  add_inspect_clusters(inspect);
  add_inspect_memory(inspect);
  add_inspect_loss(inspect);
  add_inspect_logits(inspect);
  add_inspect_fingerprint(inspect);
}

}  // namespace experiments
