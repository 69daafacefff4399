// The key that a mistaken one is meant to be: a slip of the pen, or the word that other programs of this field have for it.
#pragma once

#include <string>
#include <vector>

namespace harness {

// "; the nearest is KEY", KEY one of `known`; "" where none is near. Looked for in this order: the words of TRL, verl, OpenRLHF
// and transformers ("train.learning_rate": optimizer.lr), nearest_name, a key of another table with the same last part
// ("train.max_new_tokens": sampling.max_new_tokens).
std::string nearest_key_text(const std::string& key, const std::vector<std::string>& known);

}  // namespace harness
