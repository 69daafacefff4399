// The base models of an experiment file: each a folder, or a job that makes it.
#pragma once

#include <map>
#include <string>

#include "harness/experiment/experiment.h"

namespace harness {

// Reads every [models.NAME] of `models` into the experiment's models and base jobs. `common`: the file's keys for every row.
// Throws Error for what the file gets wrong.
void read_models(Config models, const Config& common, Experiment& experiment, const Program& program);

// RUNS/models.json: identities by name of the base models that came as folders, so that a deleted one takes no result with it.
std::map<std::string, std::string> remembered_models(const std::string& runs);
void remember_models(const Experiment& experiment);

// Makes the models whose scripts can where they are not there yet, and those that are given more positions; returns whether a
// script made any (the file is then to be read again). Jobs whose model is missing fail by themselves, the others go on.
bool prepare_models(const Experiment& experiment);

}  // namespace harness
