// import: a GGUF file as a Hugging Face model folder.
#include "harness/model/gguf/import.h"

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "experiments/cli/verbs.h"

namespace experiments {

void add_import(CLI::App& app, Chosen& chosen) {
  struct Options {
    std::string file;
    std::string out;
    std::string dtype = "fp32";
  };
  static const std::map<std::string, std::string> kTypes = {{"fp32", "float32"}, {"bf16", "bfloat16"}, {"fp16", "float16"}};
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      app.add_subcommand("import", "a Llama-architecture GGUF file as a Hugging Face model folder, tokenizer included");
  verb->add_option("file", options->file, "the GGUF file")->required()->type_name("FILE.gguf");
  verb->add_option("--out", options->out, "the folder to write")->required()->type_name("DIR");
  verb->add_option("--dtype", options->dtype,
                   "how the weights are stored: fp32 keeps every bit of what the packed blocks stand for, bf16 and fp16 take "
                   "half the space and round")
      ->check(CLI::IsMember(kTypes))
      ->capture_default_str();
  verb->callback([&chosen, options] {
    chosen = [options] {
      const auto config =
          harness::import_gguf(options->file, options->out, harness::GgufImportOptions{.dtype = kTypes.at(options->dtype)});
      fmt::print(stderr, "{}: {} layers, width {}, vocabulary {}, {} head, weights in {}\n", options->out, config.layers,
                 config.width, config.vocab_size, config.tied_head ? "tied" : "separate", config.dtype);
      return 0;
    };
  });
}

}  // namespace experiments
