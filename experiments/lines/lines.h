// The parts by themselves: JSON lines on standard input, JSON lines on standard output. Each returns the exit status: 0, or 1
// after a line that was answered with {"error": ...}.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/cluster/hdbscan.h"
#include "harness/exchange/foreign_outcomes.h"
#include "harness/metrics/set_score.h"
#include "harness/rollout/sampling.h"
#include "harness/train/method/method_catalog.h"

namespace experiments {

// {"response", "answer"} -> {"verdict", "extracted", "normalised"}; `explain` adds "why".
int grade_lines(const std::string& grader, bool explain);

// Outcomes in, one object of metrics out at the end. Throws Error where there is none.
int score_lines(const harness::ScoreSettings& settings);
struct ScoreOptions {
  harness::ScoreSettings settings;
  std::vector<std::string> files;
  harness::VerdictChoice verdict;
};
// The same of files, a line a set: stored outcomes, JSON lines, lm-evaluation-harness' samples or lighteval's details. A file
// that does not say its training seed is of one of its own. Throws Error for a file that cannot be read.
int score_files(const ScoreOptions& options);

// {"vectors": [[d] x n]} -> {"labels": [n]}.
int cluster_lines(const harness::HdbscanSettings& settings);

// {"responses": [...]} of one training step -> labels, sizes, penalties and shaped scores; the memory lives from the first line
// to the last and is then saved to the folder `save`, if one is given. `assignments`: KEY=VALUE of the method.
int memory_lines(const std::vector<std::string>& assignments, const std::string& save);
// What a saved memory holds: a line a problem and correctness.
int print_memory(const std::string& folder);

struct TokensOptions {
  std::string model;         // folder with tokenizer.json
  bool plain = false;        // the strings of added tokens are ordinary text
  bool add_special = false;  // the post-processor adds its own tokens
};
// Texts to ids, ids to texts, conversations to prompts.
int token_lines(const TokensOptions& options);

struct LossOptions {
  std::string method, base;           // names joined by commas, or a TOML file; "": what the method's source stands on
  std::vector<std::string> settings;  // KEY=VALUE of method.* and loss.*
};
// A mini-batch -> advantages, loss, gradients, selected tokens, metrics.
int loss_lines(const LossOptions& options, const harness::MethodCatalog& catalog);

struct ModelOptions {
  std::string folder;
  std::string dtype = "fp32";
  std::string device = "cpu";
  int64_t threads = 1;
};

struct GenerateOptions {
  ModelOptions model;
  int64_t n = 1;
  uint64_t seed = 0;
  int64_t max_rows = 256;
  bool new_tokens_given = false;  // else responses end with the model's positions
  bool add_bos = false;           // {"prompt"} begins with the model's bos
  bool ignore_stop = false;       // every response as long as it may be: for timing
  bool timing = false;            // seconds of each line on standard error
  harness::SamplingSettings sampling;
};
// {"prompt"}, {"messages"} or {"ids"} -> n responses, a line each.
int generate_lines(const GenerateOptions& options);

// {"ids"} or {"text"} -> log-probs, entropies and the `top` most probable next tokens.
int logit_lines(const ModelOptions& options, int64_t top);

struct FingerprintOptions {
  ModelOptions model;
  std::string layers = "last14";
  bool differences = false;
  std::string lens_norm = "last";
  std::string position = "reference";
};
// What is wrong with a choice of layers; "": nothing.
std::string layers_problem(const std::string& layers);
// {"prompt", "response"} -> answer position and layer readout.
int fingerprint_lines(const FingerprintOptions& options);

}  // namespace experiments
