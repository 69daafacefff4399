// The catalog as the harness sees it: harness::ProblemCatalog over the names, files and generators of this folder.
#pragma once

#include "datasets/catalog.h"
#include "harness/data/problem_catalog.h"

namespace datasets {

// Keys: data.dir, data.seed, data.limit, data.train_limit, data.validation_problems, data.nano.*, data.words.*.
LoadSettings read_load_settings(harness::ConfigReader& keys);

class Catalog : public harness::ProblemCatalog {
 public:
  [[nodiscard]] std::shared_ptr<const harness::ProblemSource> open(harness::ConfigReader& keys) const override;
  [[nodiscard]] std::vector<std::string> sets_of(const std::string& name) const override;
  [[nodiscard]] std::string name_of_outcomes(const std::string& set) const override;
  [[nodiscard]] std::string files_identity(const std::vector<std::string>& names, const std::string& data_dir) const override;
  [[nodiscard]] std::vector<std::string> demonstration_names() const override;
  [[nodiscard]] std::string demonstration_files(const std::string& name) const override;
  [[nodiscard]] std::string characters() const override;
  [[nodiscard]] std::vector<std::string> footer_notes(const std::vector<harness::ProblemSet>& train,
                                                      const std::vector<harness::ProblemSet>& test) const override;
};

}  // namespace datasets
