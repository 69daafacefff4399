// MethodCatalog: the methods and named bases that an experiment can name, and how a config becomes a stack of methods. The
// program hands one in; the harness itself knows no method.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/core/config_reader.h"
#include "harness/train/method/method.h"

namespace harness {

class MethodCatalog {
 public:
  // `bases`: the named settings that methods stand on ("grpo", "dapo"), by name.
  MethodCatalog(std::vector<MethodEntry> entries, std::map<std::string, Config> bases)
      : entries_(std::move(entries)), bases_(std::move(bases)) {}

  [[nodiscard]] const std::vector<MethodEntry>& entries() const { return entries_; }
  [[nodiscard]] std::vector<std::string> base_names() const;

  // The layers of one row: base (the key `base`, or what the first method stands on) < overrides of its methods < the user's
  // config. Throws Error for an unknown method (with the nearest), if two methods override one key differently, or if the base
  // contradicts a method that is one.
  [[nodiscard]] Config with_base(const Config& user) const;

  // Makes the methods that `method.name` asks for (a name or a list of names), in its order, from `method.*`, and reads `base`;
  // the config already stands on its base. "none" and the names of bases stand for no filling. Refuses impossible combinations
  // with a reason: two owners of a seam, one method twice, rewards shaped for an advantage that looks at right and wrong alone.
  [[nodiscard]] MethodStack make_stack(ConfigReader& keys) const;

 private:
  [[nodiscard]] std::vector<MethodEntry> chosen(ConfigReader& keys) const;

  std::vector<MethodEntry> entries_;
  std::map<std::string, Config> bases_;
};

}  // namespace harness
