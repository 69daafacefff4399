// The verbs of the program: each adds itself to the command line.
#pragma once

#include "experiments/cli/command_line.h"

namespace experiments {

void add_run(Verb app);
void add_plan(Verb app);
void add_check(Verb app);
void add_status(Verb app);
void add_clean(Verb app);
void add_config(Verb app);
void add_diff(Verb app);
void add_jobs(Verb app);  // train, eval, pretrain
void add_table(Verb app);
void add_verify(Verb app);
void add_claim(Verb app);
void add_judge(Verb app);
void add_export(Verb app);
void add_results(Verb app);
void add_regrade(Verb app);
void add_import(Verb app);
void add_data(Verb app);
void add_model(Verb app);
void add_methods(Verb app);
void add_keys(Verb app);   // keys, explain
void add_lines(Verb app);  // grade, score, generate, inspect ...

}  // namespace experiments
