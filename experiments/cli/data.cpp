// data, model, import: the problem sets and model folders, and fetching them from a hub.
#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "datasets/listing.h"
#include "experiments/cli/fetch_bar.h"
#include "experiments/cli/verbs.h"
#include "harness/hub/hub.h"
#include "harness/model/gguf/import.h"

namespace experiments {

namespace {

struct DataOptions {
  datasets::LoadSettings load;
  std::string name, split;
  int64_t index = 0;
  std::vector<std::string> train, test;
};

void say(const std::string& line) { fmt::print("{}\n", line); }

int fetch_set(const std::string& name) {
  std::unique_ptr<FetchBar> bar;
  const bool right = datasets::fetch_set(
      name,
      [&](const std::string& repository) {
        bar = std::make_unique<FetchBar>(repository);
        return bar->report();
      },
      [&](const std::string& line) {
        bar.reset();
        say(line);
      });
  return right ? 0 : 1;
}

}  // namespace

void add_data(Verb app) {
  const auto options = std::make_shared<DataOptions>();
  Verb data = app.group("data", "the problem sets");
  const auto common = [options](Verb verb) {
    verb.option("--data", options->load.data_dir, "folder of the published sets (else MEDSBENCH_DATA, else the hub's cache)");
    verb.option("--data-seed", options->load.data_seed, "seed of the generated sets");
  };
  Verb list = data.verb("list", "the sets, their splits and where they are");
  common(list);
  list.does([options] {
    datasets::list_sets(options->load, say);
    return 0;
  });

  Verb check = data.verb("check", "hashes against the manifest, duplicates between training and test sets");
  common(check);
  check.option("--train", options->train, "training sets of the comparison (else all that are there)");
  check.option("--test", options->test, "test sets of the comparison (else all that are there)");
  check.does([options] { return datasets::check_sets(options->load, options->train, options->test, say) == 0 ? 0 : 1; });

  Verb show = data.verb("show", "one problem as a line of JSON");
  common(show);
  show.option("name", options->name, "the set, e.g. nano/prec:test or math500, or a file").required();
  show.option("--split", options->split, "train, validation or test (default: test, where the set has it)");
  show.option("--problem-field", options->load.fields.problem, "of a file: its field of the problem, as prompt or a.b");
  show.option("--answer-field", options->load.fields.answer, "of a file: its field of the answer");
  show.option("--index", options->index, "which problem, from 0");
  show.does([options] {
    say(harness::dump_line(datasets::problem_json(options->name, options->split, options->index, options->load)));
    return 0;
  });

  Verb fetch = data.verb("fetch", "a published set from its hub into the hub's cache, checked");
  fetch.option("name", options->name, "the set, e.g. gsm8k").required();
  fetch.does([options] { return fetch_set(options->name); });
}

void add_model(Verb app) {
  Verb model = app.group("model", "model folders from a hub");
  Verb fetch = model.verb("fetch",
                          "into the hub's cache, resumable and checked; prints the folder (HF_ENDPOINT, HF_TOKEN or the token "
                          "of `hf auth login`, HF_HOME, HF_HUB_OFFLINE)");
  const auto name = std::make_shared<std::string>();
  const auto parallel = std::make_shared<int64_t>(4);
  fetch.option("name", *name, "ORG/NAME or ORG/NAME@REVISION (a branch, a tag, a commit, refs/pr/3)").required();
  fetch.option("--parallel", *parallel, "files at a time").between(1, 64);
  fetch.does([name, parallel] {
    harness::HubSettings settings = harness::hub_settings();
    settings.parallel = *parallel;
    const auto repository = harness::parse_repository(harness::RepositoryKind::model, *name);
    FetchBar bar(repository.name);
    say(harness::fetch_repository(settings, repository, harness::is_model_file, bar.report()));
    return 0;
  });
}

void add_import(Verb app) {
  struct Options {
    std::string file, out, dtype = "fp32";
  };
  const auto options = std::make_shared<Options>();
  Verb verb = app.verb("import", "a Llama-architecture GGUF file as a Hugging Face model folder, tokenizer included");
  verb.option("file", options->file, "the GGUF file").required().called("FILE.gguf");
  verb.option("--out", options->out, "the folder to write").required().called("DIR");
  verb.option("--dtype", options->dtype,
              "how the weights are stored: fp32 keeps every bit of what the packed blocks stand for, bf16 and fp16 take half "
              "the space and round")
      .one_of({"fp32", "bf16", "fp16"})
      .shows_default();
  verb.does([options] {
    static const std::map<std::string, std::string> kTypes = {{"fp32", "float32"}, {"bf16", "bfloat16"}, {"fp16", "float16"}};
    const auto config =
        harness::import_gguf(options->file, options->out, harness::GgufImportOptions{.dtype = kTypes.at(options->dtype)});
    fmt::print(stderr, "{}: {} layers, width {}, vocabulary {}, {} head, weights in {}\n", options->out, config.layers,
               config.width, config.vocab_size, config.tied_head ? "tied" : "separate", config.dtype);
    return 0;
  });
}

}  // namespace experiments
