// Post-processor: the special tokens that belong around a text (BOS and the like).
#pragma once

#include <cstdint>
#include <vector>

#include "harness/core/json.h"

namespace harness {

class PostProcessor {
 public:
  // From the part "post_processor" of a tokenizer.json (null: adds nothing). Throws Error naming what is not supported.
  explicit PostProcessor(const Json& part);
  // The ids of one text with those of the special tokens around them.
  [[nodiscard]] std::vector<int64_t> add_special(std::vector<int64_t> ids) const;

 private:
  // What one step puts around each copy of the text.
  struct Step {
    std::vector<std::vector<int64_t>> between;  // before the first copy, between copies, behind the last
  };
  void read(const Json& part);
  void read_template(const Json& part);

  std::vector<Step> steps_;
};

}  // namespace harness
