// The lists of all methods and all config keys, from the code alone, as text for a terminal and as Markdown.
#pragma once

#include <string>
#include <vector>

#include "harness/experiment/jobs/program.h"

namespace harness {

std::string methods_text(const MethodCatalog& catalog);
// results/methods.md.
std::string methods_markdown(const MethodCatalog& catalog);

// The keys of one place: of an experiment file, its rows or base models, of a training or evaluation, of a pretraining, of one
// method.
struct KeySection {
  std::string title;
  std::vector<KeySpec> keys;
};
std::vector<KeySection> all_keys(const Program& program);
// Those whose names begin with the prefix, one line each: name, default, type and range, meaning.
std::string keys_text(const std::vector<KeySection>& sections, const std::string& prefix);
// One key, wherever it stands; "" where there is none. Its name may lack what comes before the last dot.
std::string key_text(const std::vector<KeySection>& sections, const std::string& name);

}  // namespace harness
