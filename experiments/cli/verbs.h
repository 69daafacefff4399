// The verbs of the program: each adds itself to the command line and, when chosen, leaves what to run.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace experiments {

// Set by the callback of the verb on the command line; returns the exit status.
using Chosen = std::function<int()>;

void add_run(CLI::App& app, Chosen& chosen);
void add_plan(CLI::App& app, Chosen& chosen);
void add_status(CLI::App& app, Chosen& chosen);
void add_clean(CLI::App& app, Chosen& chosen);
void add_config(CLI::App& app, Chosen& chosen);
void add_diff(CLI::App& app, Chosen& chosen);
void add_train(CLI::App& app, Chosen& chosen);
void add_eval(CLI::App& app, Chosen& chosen);
void add_pretrain(CLI::App& app, Chosen& chosen);
void add_generate(CLI::App& app, Chosen& chosen);
void add_grade(CLI::App& app, Chosen& chosen);
void add_score(CLI::App& app, Chosen& chosen);
void add_table(CLI::App& app, Chosen& chosen);
void add_verify(CLI::App& app, Chosen& chosen);
void add_judge(CLI::App& app, Chosen& chosen);
void add_export(CLI::App& app, Chosen& chosen);
void add_regrade(CLI::App& app, Chosen& chosen);
void add_import(CLI::App& app, Chosen& chosen);
void add_data(CLI::App& app, Chosen& chosen);
void add_model(CLI::App& app, Chosen& chosen);

void add_inspect_clusters(CLI::App& inspect, Chosen& chosen);
void add_inspect_memory(CLI::App& inspect, Chosen& chosen);

void add_inspect_logits(CLI::App& inspect, Chosen& chosen);
void add_inspect_fingerprint(CLI::App& inspect, Chosen& chosen);
void add_inspect_loss(CLI::App& inspect, Chosen& chosen);
void add_methods(CLI::App& app, Chosen& chosen);
void add_inspect_tokens(CLI::App& inspect, Chosen& chosen);

}  // namespace experiments
