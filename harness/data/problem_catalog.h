// ProblemCatalog: the problem sets that an experiment can name. The program hands one in; the harness itself knows no data set.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/config_reader.h"
#include "harness/core/error.h"
#include "harness/data/problem.h"

namespace harness {

// A set that the catalog knows and whose files are not here; it says what to put where.
class AbsentSet : public Error {
 public:
  using Error::Error;
};

// A worked example for supervised training. The trainer adds what its prompt block says (bos, chat template) and eos.
struct Demonstration {
  std::string prompt;    // the problem's text, and what stands between it and a response
  std::string response;  // ends in the answer, boxed
  std::string strategy;  // "right" or the wrong strategy's name
  std::string kind;
  bool slip = false;   // a step is off
  bool right = false;  // the final answer is the right one
};

class DemonstrationSource {
 public:
  virtual ~DemonstrationSource() = default;
  // A pure function of the source's seed and the index. Never a validation or test problem; training problems occur.
  [[nodiscard]] virtual Demonstration draw(uint64_t index) const = 0;
};

struct ProblemCount {
  int64_t known = 0;
  std::vector<std::string> from_manifest, unknown;  // sets that are not here: counted by the manifest, or not at all
};

// The sets as one experiment's data.* keys have them: where files lie, seeds, limits, sizes of what is generated.
class ProblemSource {
 public:
  virtual ~ProblemSource() = default;
  // `split`: "train", "validation" or "test". A name may stand for several sets. Throws Error for an unknown name, a split that
  // a set does not have, a missing file (AbsentSet where the catalog knows the set), and bad content.
  [[nodiscard]] virtual std::vector<ProblemSet> load(const std::vector<std::string>& names, const std::string& split) const = 0;
  [[nodiscard]] virtual ProblemCount count(const std::vector<std::string>& names, const std::string& split) const = 0;
  // Throws Error for a name without demonstrations.
  [[nodiscard]] virtual std::unique_ptr<DemonstrationSource> demonstrations(const std::string& name) const = 0;
};

class ProblemCatalog {
 public:
  virtual ~ProblemCatalog() = default;
  // Reads the data.* keys that say how sets are made and where they lie.
  [[nodiscard]] virtual std::shared_ptr<const ProblemSource> open(ConfigReader& keys) const = 0;
  // The sets that a name stands for, without splits: those of a table.
  [[nodiscard]] virtual std::vector<std::string> sets_of(const std::string& name) const = 0;
  // The catalog's name of a set as outcomes carry it.
  [[nodiscard]] virtual std::string name_of_outcomes(const std::string& set) const = 0;
  // What the files of the named sets hold, as a hash; "" where all are generated.
  [[nodiscard]] virtual std::string files_identity(const std::vector<std::string>& names,
                                                   const std::string& data_dir) const = 0;
  [[nodiscard]] virtual std::vector<std::string> demonstration_names() const = 0;
  // The training files that demonstrations of this name come from; "" where they are generated.
  [[nodiscard]] virtual std::string demonstration_files(const std::string& name) const = 0;
  // The characters of generated sets: the vocabulary of a model that is made for them.
  [[nodiscard]] virtual std::string characters() const = 0;
  // Lines for a table's footer: where published sets come from, and which test problems the training sets hold too.
  [[nodiscard]] virtual std::vector<std::string> footer_notes(const std::vector<ProblemSet>& train,
                                                              const std::vector<ProblemSet>& test) const = 0;
};

}  // namespace harness
